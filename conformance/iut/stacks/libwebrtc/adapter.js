// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of libwebrtc, by the npm package @roamhq/wrtc: an RTCPeerConnection with one data channel per session.
'use strict'
const readline = require('node:readline')
const { RTCPeerConnection } = require('@roamhq/wrtc')
const { version } = require('@roamhq/wrtc/package.json')

const [NO_METHOD, NO_PARAMS, REJECTED, INTERNAL] = [-32601, -32602, -32010, -32603]
const PICS = {
  agent: ['full'], sides: ['offerer', 'answerer'], offers: ['passive'], connects: ['active', 'passive'], transports: ['tcp', 'udp'],
  families: [4], obeys: [], role: 'stack', components: 1, restart: true, trickle: true, consent: true, sdp: 'full',
  profile: 'webrtc', payload: 'dtls', reports: ['state'], sessions: 8,
}
const STATES = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed']
const POLL = 20 // ms: the state that its events carry is stale, the property is not

class Refused extends Error {
  constructor (code, message) { super(message); this.code = code }
}
const write = line => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...line }) + '\n')
const tell = (method, params) => write({ method, params })
const rejecting = promise => promise.catch(error => { throw new Refused(REJECTED, error.message) })

class Session {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite') throw new Refused(NO_PARAMS, 'one data channel, full ICE: more is not driven')
    const iceServers = (p.ice_servers ?? []).map(({ url, username, credential }) => ({ urls: url, username, credential }))
    this.connection = new RTCPeerConnection({ iceServers })
    this.offering = p.side === 'offerer'
    this.state = 'new'
    this.timer = setInterval(() => this.look(), POLL)
    this.connection.onicecandidate = ({ candidate }) => {
      if (this.trickling) tell('candidate', { session: this.name, candidate: candidate?.candidate ?? '', mid: candidate?.sdpMid ?? '0' })
    }
    if (this.offering) this.channel = this.connection.createDataChannel('icetcp')
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

const METHODS = ['open', 'describe', 'accept', 'trickle', 'restart', 'close']
const sessions = new Map()

async function serve ({ method, params }) {
  if (method === 'hello') return { name: 'libwebrtc by @roamhq/wrtc', version, pics: PICS }
  if (!METHODS.includes(method)) throw new Refused(NO_METHOD, 'no such method')
  if (method === 'open') sessions.set(params.session, new Session(params.session))
  const session = sessions.get(params.session)
  if (!session) throw new Refused(NO_PARAMS, 'no such session')
  if (method === 'close') sessions.delete(params.session)
  const result = (session.last ?? Promise.resolve()).then(() => session[method](params))
  session.last = result.catch(() => {}) // one call after the other, also after one that failed
  if (method === 'open') result.catch(() => sessions.delete(params.session))
  return result
}

process.on('unhandledRejection', error => console.error('unhandled:', error?.stack ?? error))
readline.createInterface({ input: process.stdin }).on('line', line => {
  const call = JSON.parse(line)
  serve(call).then(
    result => write({ id: call.id, result }),
    error => write({ id: call.id, error: { code: Number.isInteger(error.code) ? error.code : INTERNAL, message: error.message } }))
}).on('close', () => process.exit(0))
