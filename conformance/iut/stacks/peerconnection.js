// SPDX-License-Identifier: GPL-2.0-or-later
// What the adapters of stacks with an RTCPeerConnection share: a connection with audio and a data channel per session. contract.js
// stands before it in a browser; in Node it is a module. `connect` makes the connection; what the stack does otherwise, a subclass does.
'use strict'
const peerConnection = ({ Refused, rejecting, NO_PARAMS }, connect) => class {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite') throw new Refused(NO_PARAMS, 'one component, packets, full ICE: more is not driven')
    const iceServers = (p.ice_servers ?? []).map(({ url, username, credential }) => ({ urls: url, username, credential }))
    this.connection = connect({ iceServers, bundlePolicy: 'max-bundle' })
    this.watch()
    this.connection.onicecandidate = ({ candidate }) => {
      if (this.trickling) this.tell('candidate', { session: this.name, candidate: candidate?.candidate ?? '', mid: candidate?.sdpMid ?? '0' })
    }
    this.connection.ondatachannel = ({ channel }) => this.take(channel)
    if (p.side === 'offerer') {
      this.connection.addTransceiver('audio')
      this.take(this.connection.createDataChannel('icetcp'))
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
    await connection.setLocalDescription(created)
    if (!p.trickle) await this.gathered()
    const { type, sdp } = p.trickle ? created : connection.localDescription
    return { type, sdp }
  }

  gathered () {
    const { connection } = this
    return new Promise(resolve => {
      // in a restart the state is still the former gathering's, until the first candidate is there
      const begun = () => /^a=(candidate|end-of-candidates)/m.test(connection.localDescription.sdp)
      const look = () => connection.iceGatheringState === 'complete' && begun() && resolve()
      for (const event of ['icegatheringstatechange', 'icecandidate']) connection.addEventListener(event, look)
      look()
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
