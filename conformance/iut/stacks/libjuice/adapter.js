// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of libjuice inside libdatachannel, by the npm package node-datachannel: a PeerConnection with one data
// channel per session. It opens TCP connections and accepts none.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const datachannel = require('node-datachannel')

// its package.json is not exported, so require cannot find it
const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, 'node_modules', 'node-datachannel', 'package.json')))
const [NO_METHOD, NO_PARAMS, REJECTED, INTERNAL] = [-32601, -32602, -32010, -32603]
const PICS = {
  agent: ['full'], sides: ['offerer', 'answerer'], offers: ['active'], connects: ['active'], transports: ['tcp', 'udp'], families: [4],
  obeys: ['addresses'], role: 'stack', components: 1, restart: false, trickle: true, consent: false, sdp: 'full', profile: 'webrtc',
  payload: 'dtls', reports: ['state'], sessions: 16,
}
const STATES = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed']

class Refused extends Error {
  constructor (code, message) { super(message); this.code = code }
}
const write = line => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...line }) + '\n')
const tell = (method, params) => write({ method, params })

class Session {
  constructor (name) { this.name = name }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes' || p.agent === 'lite' || p.ice_servers?.length) throw new Refused(NO_PARAMS, 'one data channel, full ICE, host candidates: more is not driven')
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
    if (this.offering) this.channel = this.connection.createDataChannel('icetcp')
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

  async close () { this.connection?.close(); return {} }
}

const METHODS = ['open', 'describe', 'accept', 'trickle', 'close']
const sessions = new Map()

async function serve ({ method, params }) {
  if (method === 'hello') return { name: 'libjuice by node-datachannel', version, pics: PICS }
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

datachannel.initLogger('Warning', (level, message) => console.error(level, message))
process.on('unhandledRejection', error => console.error('unhandled:', error?.stack ?? error))
readline.createInterface({ input: process.stdin }).on('line', line => {
  const call = JSON.parse(line)
  serve(call).then(
    result => write({ id: call.id, result }),
    error => write({ id: call.id, error: { code: Number.isInteger(error.code) ? error.code : INTERNAL, message: error.message } }))
}).on('close', () => process.exit(0))
