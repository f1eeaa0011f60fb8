// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of libwebrtc, by the npm package @roamhq/wrtc: an RTCPeerConnection with audio and a data channel per session.
'use strict'
const { RTCPeerConnection } = require('@roamhq/wrtc')
const { version } = require('@roamhq/wrtc/package.json')

const contract = require('./contract.js')
const peerConnection = require('./peerconnection.js')
const PICS = {
  agent: ['full'], sides: ['offerer', 'answerer'], offers: ['passive'], connects: ['active', 'passive'], transports: ['tcp', 'udp'],
  families: [4, 6], obeys: [], role: 'stack', components: 2, streams: 3, restart: true, updates: true, trickle: true, consent: true, turn_over_tcp: true, sdp: 'full',
  profile: 'webrtc', payload: 'dtls', reports: ['state', 'data'], sessions: 8,
}
const STATES = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed']
const POLL = 20 // ms: the state that its events carry is stale, the property is not

class Session extends peerConnection(contract, configuration => new RTCPeerConnection(configuration)) {
  watch () {
    this.state = 'new'
    this.timer = setInterval(() => this.look(), POLL)
  }

  look () {
    const state = this.connection.iceConnectionState
    if (state === this.state || !STATES.includes(state)) return
    this.state = state
    this.tell('state', { session: this.name, state })
  }

  async close () { clearInterval(this.timer); return super.close() }
}

Session.prototype.tell = contract.main(Session, { name: 'libwebrtc by @roamhq/wrtc', version, pics: PICS })
