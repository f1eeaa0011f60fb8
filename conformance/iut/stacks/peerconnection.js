// SPDX-License-Identifier: GPL-2.0-or-later
// What the adapters of stacks with an RTCPeerConnection share: a connection with audio and a data channel per session. contract.js
// stands before it in a browser; in Node it is a module. `connect` makes the connection; what the stack does otherwise, a subclass does.
'use strict'
// Return the sections of a description that have candidates of their own: those in use, but for what another one's bundle carries.
const gathering = sdp => {
  const carried = [...sdp.matchAll(/^a=group:BUNDLE \S+(.*)$/mg)].flatMap(([, mids]) => mids.trim().split(/ +/))
  return sdp.split(/^(?=m=)/m).filter(section => /^m=\S+ [1-9]/.test(section) && !carried.includes(/^a=mid:(\S+)/m.exec(section)?.[1]))
}

const fragments = sdp => [...sdp.matchAll(/^a=ice-ufrag:(\S+)/mg)].map(([, ufrag]) => ufrag)

const peerConnection = ({ Refused, rejecting, NO_PARAMS }, connect) => class {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.media === 'bytes' || p.agent === 'lite') throw new Refused(NO_PARAMS, 'packets, full ICE: more is not driven')
    const { streams = 1, components = 1 } = p
    const iceServers = (p.ice_servers ?? []).map(({ url, username, credential }) => ({ urls: url, username, credential }))
    const several = streams > 1 || components > 1
    this.connection = connect({ iceServers, bundlePolicy: several ? 'max-compat' : 'max-bundle', rtcpMuxPolicy: components > 1 ? 'negotiate' : 'require' })
    this.watch()
    this.connection.onicecandidate = ({ candidate }) => {
      if (this.trickling) this.tell('candidate', { session: this.name, candidate: candidate?.candidate ?? '', mid: candidate?.sdpMid ?? '0' })
    }
    this.connection.ondatachannel = ({ channel }) => this.take(channel)
    if (p.side === 'offerer') {
      for (let audio = Math.max(streams - (components === 1), 1); audio--;) this.connection.addTransceiver('audio')
      if (components === 1) this.take(this.connection.createDataChannel('icetcp'))
    }
    return {}
  }

  watch () {
    this.connection.oniceconnectionstatechange = () => this.tell('state', { session: this.name, state: this.connection.iceConnectionState })
  }

  take (channel) {
    this.channel = channel
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => this.tell('data', { session: this.name, component: 1, data: btoa(String.fromCharCode(...new Uint8Array(data))) })
  }

  async send (p) {
    if (this.channel?.readyState !== 'open') throw new Error('the data channel is not open')
    this.channel.send(Uint8Array.from(atob(p.data), letter => letter.charCodeAt(0)))
    return {}
  }

  // An answer where an offer of the tester's waits for one, else an offer: the first, one that restarts ICE, or an updated one.
  async describe (p) {
    const { connection } = this
    const answers = connection.signalingState === 'have-remote-offer'
    const created = answers ? await rejecting(connection.createAnswer()) : await connection.createOffer({ iceRestart: !!this.restarting })
    this.restarting = false
    this.trickling = p.trickle
    const former = fragments(connection.localDescription?.sdp ?? '')
    const again = former.length > 0 && fragments(created.sdp).some(ufrag => !former.includes(ufrag))
    const over = again && this.gatheredAgain()
    await connection.setLocalDescription(created)
    if (!p.trickle) await (over || this.gathered())
    const { type, sdp } = p.trickle ? created : connection.localDescription
    return { type, sdp }
  }

  gathered () {
    const { connection } = this
    return new Promise(resolve => {
      // with a section more, the state is still the former gathering's until a candidate is there
      const begun = () => gathering(connection.localDescription.sdp).every(section => /^a=(candidate|end-of-candidates)/m.test(section))
      const look = () => connection.iceGatheringState === 'complete' && begun() && resolve()
      for (const event of ['icegatheringstatechange', 'icecandidate']) connection.addEventListener(event, look)
      look()
    })
  }

  // Wait for the end of a gathering that is still to begin, in a restart: until it has begun, the state is the former one's.
  gatheredAgain () {
    const { connection } = this
    return new Promise(resolve => {
      let begun = false
      connection.addEventListener('icegatheringstatechange', () => {
        begun ||= connection.iceGatheringState === 'gathering'
        if (begun && connection.iceGatheringState === 'complete') resolve()
      })
      connection.addEventListener('icecandidate', ({ candidate }) => candidate ? (begun = true) : resolve())
    })
  }

  async accept (p) {
    await rejecting(this.connection.setRemoteDescription({ type: p.type, sdp: p.sdp }))
    return {}
  }

  async trickle (p) {
    await rejecting(this.connection.addIceCandidate({ candidate: p.candidate, sdpMid: p.mid }))
    return {}
  }

  async restart () { this.restarting = true; return {} }
  async close () { this.connection?.close(); return {} }
}

if (typeof module !== 'undefined') module.exports = peerConnection
