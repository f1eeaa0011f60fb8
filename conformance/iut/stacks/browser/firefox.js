// SPDX-License-Identifier: GPL-2.0-or-later
// Around session.js in Firefox's parent process: lines through a Unix socket, whose path is SOCKET. `window` is the browser's.
const { RTCPeerConnection } = window
const file = Cc['@mozilla.org/file/local;1'].createInstance(Ci.nsIFile)
file.initWithPath(SOCKET)
const service = Cc['@mozilla.org/network/socket-transport-service;1'].getService(Ci.nsISocketTransportService)
const transport = service.createUnixDomainTransport(file)
const output = transport.openOutputStream(Ci.nsITransport.OPEN_BLOCKING, 0, 0)
const input = transport.openInputStream(0, 0, 0).QueryInterface(Ci.nsIAsyncInputStream)
const reader = Cc['@mozilla.org/scriptableinputstream;1'].createInstance(Ci.nsIScriptableInputStream)
reader.init(input)

function write (line) {
  output.write(line + '\n', line.length + 1)
}

let rest = ''
const onReadable = {
  onInputStreamReady () {
    try {
      rest += reader.read(reader.available())
    } catch (closed) {
      return // the adapter has ended
    }
    const lines = rest.split('\n')
    rest = lines.pop()
    lines.forEach(serve)
    input.asyncWait(onReadable, 0, 0, Services.tm.mainThread)
  },
}
input.asyncWait(onReadable, 0, 0, Services.tm.mainThread)
return true
