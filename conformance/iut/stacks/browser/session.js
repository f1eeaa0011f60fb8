// SPDX-License-Identifier: GPL-2.0-or-later
// A browser's part of the adapter contract. contract.js and peerconnection.js stand before it.
// `serve` takes a call, as a line of JSON; `write` is given what to answer and to tell. The browsers' own means carry the lines.
class Session extends peerConnection({ Refused, rejecting, NO_PARAMS }, configuration => new RTCPeerConnection(configuration)) {
  static closed = 0

  async close () {
    await super.close()
    if (++Session.closed % 50 === 0) globalThis.gc?.()
    return {}
  }
}

const { serve, tell } = contract(Session, line => write(line))
Session.prototype.tell = tell
