// SPDX-License-Identifier: GPL-2.0-or-later
// A browser's part of the adapter contract: an RTCPeerConnection with audio and a data channel per session. contract.js stands before it.
// `serve` takes a call, as a line of JSON; `write` is given what to answer and to tell. The browsers' own means carry the lines.
class Session {
  static closed = 0
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite') throw new Refused(NO_PARAMS, 'one component, packets, full ICE: more is not driven')
    const iceServers = (p.ice_servers ?? []).map(({ url, username, credential }) => ({ urls: url, username, credential }))
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' })
    this.offering = p.side === 'offerer'
    this.connection.oniceconnectionstatechange = () => tell('state', { session: this.name, state: this.connection.iceConnectionState })
    this.connection.onicecandidate = ({ candidate }) => {
      if (this.trickling) tell('candidate', { session: this.name, candidate: candidate?.candidate ?? '', mid: candidate?.sdpMid ?? '0' })
    }
    this.connection.ondatachannel = ({ channel }) => this.take(channel)
    if (this.offering) {
      this.connection.addTransceiver('audio')
      this.take(this.connection.createDataChannel('icetcp'))
    }
    return {}
  }

  take (channel) {
    this.channel = channel
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => tell('data', { session: this.name, component: 1, data: btoa(String.fromCharCode(...new Uint8Array(data))) })
  }

  async send (p) {
    if (this.channel?.readyState !== 'open') throw new Error('the data channel is not open')
    this.channel.send(Uint8Array.from(atob(p.data), letter => letter.charCodeAt(0)))
    return {}
  }

  async describe (p) {
    const { connection } = this
    const created = this.offering ? await connection.createOffer({ iceRestart: !!this.restarting }) : await rejecting(connection.createAnswer())
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
    if (p.type === 'offer') this.offering = false
    await rejecting(this.connection.setRemoteDescription({ type: p.type, sdp: p.sdp }))
    return {}
  }

  async trickle (p) {
    await rejecting(this.connection.addIceCandidate({ candidate: p.candidate, sdpMid: p.mid, sdpMLineIndex: 0 }))
    return {}
  }

  async restart () { this.restarting = this.offering = true; return {} }
  async close () {
    this.connection?.close()
    if (++Session.closed % 50 === 0) globalThis.gc?.()
    return {}
  }
}

const { serve, tell } = contract(Session, line => write(line))
