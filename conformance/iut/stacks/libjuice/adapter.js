// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of libjuice inside libdatachannel, by the npm package node-datachannel: a PeerConnection with audio
// and a data channel per session. It opens TCP connections and accepts none.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const datachannel = require('node-datachannel')

// its package.json is not exported, so require cannot find it
const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, 'node_modules', 'node-datachannel', 'package.json')))
const { main, Refused, NO_PARAMS, REJECTED } = require('./contract.js')
const PICS = {
  agent: ['full'], sides: ['offerer', 'answerer'], offers: ['active'], connects: ['active'], transports: ['tcp', 'udp'], families: [4, 6],
  obeys: ['addresses'], role: 'stack', components: 1, restart: false, trickle: true, consent: true, sdp: 'full', profile: 'webrtc',
  payload: 'dtls', reports: ['state', 'data'], sessions: 16,
}
const STATES = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed']

class Session {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite' || p.ice_servers?.length) throw new Refused(NO_PARAMS, 'one component, packets, full ICE, host candidates: more is not driven')
    const addresses = p.addresses ?? []
    if (addresses.length > 1) throw new Refused(NO_PARAMS, 'it binds to one address')
    this.offering = p.side === 'offerer'
    this.connection = new datachannel.PeerConnection(this.name, {
      iceServers: [], enableIceTcp: true, disableAutoNegotiation: true, bindAddress: addresses[0],
    })
    this.gathered = new Promise(resolve => this.connection.onGatheringStateChange(state => state === 'complete' && resolve()))
    this.gathered.then(() => this.trickling && tell('candidate', { session: this.name, candidate: '', mid: '0' }))
    this.connection.onLocalCandidate((candidate, mid) => {
      if (this.trickling) tell('candidate', { session: this.name, candidate: candidate.replace(/^a=/, ''), mid })
    })
    this.connection.onIceStateChange(state => STATES.includes(state) && tell('state', { session: this.name, state }))
    this.connection.onDataChannel(channel => this.take(channel))
    if (this.offering) {
      const audio = new datachannel.Audio('audio', 'RecvOnly')
      audio.addOpusCodec(111)
      this.track = this.connection.addTrack(audio)
      this.take(this.connection.createDataChannel('icetcp'))
    }
    return {}
  }

  async describe (p) {
    const type = this.offering ? 'offer' : 'answer'
    this.trickling = p.trickle
    this.connection.setLocalDescription(type)
    if (!p.trickle) await this.gathered
    return { type, sdp: this.connection.localDescription().sdp }
  }

  async accept (p) {
    try {
      this.connection.setRemoteDescription(p.sdp, p.type)
    } catch (error) { throw new Refused(REJECTED, error.message) }
    return {}
  }

  async trickle (p) {
    try {
      if (p.candidate) this.connection.addRemoteCandidate(p.candidate, p.mid)
    } catch (error) { throw new Refused(REJECTED, error.message) }
    return {}
  }

  take (channel) {
    this.channel = channel
    channel.onMessage(data => tell('data', { session: this.name, component: 1, data: Buffer.from(data).toString('base64') }))
  }

  async send (p) {
    if (!this.channel?.isOpen()) throw new Error('the data channel is not open')
    this.channel.sendMessageBinary(Buffer.from(p.data, 'base64'))
    return {}
  }

  async close () { this.connection?.close(); return {} }
}

datachannel.initLogger('Warning', (level, message) => console.error(level, message))
const tell = main(Session, { name: 'libjuice by node-datachannel', version, pics: PICS })
