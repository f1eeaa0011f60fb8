// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of libwebrtc, by the npm package @roamhq/wrtc: an RTCPeerConnection with audio and a data channel per session.
'use strict'
const { RTCPeerConnection } = require('@roamhq/wrtc')
const { version } = require('@roamhq/wrtc/package.json')

const { main, Refused, rejecting, NO_PARAMS } = require('./contract.js')
const PICS = {
  agent: ['full'], sides: ['offerer', 'answerer'], offers: ['passive'], connects: ['active', 'passive'], transports: ['tcp', 'udp'],
  families: [4, 6], obeys: [], role: 'stack', components: 1, restart: true, trickle: true, consent: true, sdp: 'full',
  profile: 'webrtc', payload: 'dtls', reports: ['state', 'data'], sessions: 8,
}
const STATES = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed']
const POLL = 20 // ms: the state that its events carry is stale, the property is not

class Session {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite') throw new Refused(NO_PARAMS, 'one component, packets, full ICE: more is not driven')
    const iceServers = (p.ice_servers ?? []).map(({ url, username, credential }) => ({ urls: url, username, credential }))
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' })
    this.offering = p.side === 'offerer'
    this.state = 'new'
    this.timer = setInterval(() => this.look(), POLL)
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
    channel.onmessage = ({ data }) => tell('data', { session: this.name, component: 1, data: Buffer.from(data).toString('base64') })
  }

  async send (p) {
    if (this.channel?.readyState !== 'open') throw new Error('the data channel is not open')
    this.channel.send(new Uint8Array(Buffer.from(p.data, 'base64')))
    return {}
  }

  look () {
    const state = this.connection.iceConnectionState
    if (state === this.state || !STATES.includes(state)) return
    this.state = state
    tell('state', { session: this.name, state })
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
      const look = () => connection.iceGatheringState === 'complete' && resolve()
      connection.addEventListener('icegatheringstatechange', look)
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
  async close () { clearInterval(this.timer); this.connection?.close(); return {} }
}

const tell = main(Session, { name: 'libwebrtc by @roamhq/wrtc', version, pics: PICS })
