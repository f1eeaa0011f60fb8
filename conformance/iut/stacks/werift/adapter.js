// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of werift: its ICE `Connection`, without the WebRTC that usually stands around it.
//
// The stack's own are its candidates, ufrag and pwd; the rest of the SDP is written here (pics sdp: candidates). Its caller
// sets the role (role: adapter). It always gathers UDP candidates beside TCP, and those of all interfaces beside the wished ones.
'use strict'
const { isIPv4, isIPv6 } = require('node:net')
const path = require('node:path')

const home = path.dirname(require.resolve('werift'))
const { Connection, Candidate } = require(path.join(home, '..', '..', 'ice', 'src'))
const { version } = require(path.join(home, '..', '..', '..', 'package.json'))

const { main, Refused, NO_PARAMS, REJECTED } = require('./contract.js')
const PICS = {
  agent: ['full', 'lite'], sides: ['offerer', 'answerer'], offers: ['active', 'passive'], connects: ['active', 'passive'],
  transports: ['tcp', 'udp'], families: [4, 6], obeys: ['role'], role: 'adapter', components: 1, restart: true,
  trickle: true, consent: true, turn_over_tcp: true, sdp: 'candidates', profile: 'plain', payload: 'raw', reports: ['state', 'data'], sessions: 4,
}
const STATES = { disconnected: 'disconnected', closed: 'closed', connected: 'connected', failed: 'failed', new: 'new' }

const values = (sdp, name) => sdp.split(/\r?\n/).filter(line => line.startsWith(`a=${name}:`)).map(line => line.slice(name.length + 3))

// turn:HOST:PORT?transport=tcp (RFC 7065), as werift wants it
const relay = ({ url, username, credential }) => {
  const [, host, port] = /^turn:\[?([^\]?]+)\]?:(\d+)/.exec(url)
  return { turnServer: [host, Number(port)], turnUsername: username, turnPassword: credential, turnTransport: 'tcp' }
}

class Session {
  constructor (name) { this.name = name; this.connecting = false }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes') throw new Refused(NO_PARAMS, 'one component, RTP: more is not driven')
    const [server, ...more] = p.ice_servers ?? []
    if (more.length || server?.url.startsWith('stun:')) throw new Refused(NO_PARAMS, 'werift asks one TURN server over TCP; STUN servers over UDP alone')
    this.offering = p.side === 'offerer'
    const addresses = p.addresses ?? ['127.0.0.1']
    const [udp4, udp6] = [addresses.find(isIPv4), addresses.find(isIPv6)]
    this.address = addresses[0]
    this.ice = new Connection(p.role ? p.role === 'controlling' : this.offering, {
      useTcp: true, useIpv4: !!udp4, useIpv6: !!udp6, iceLite: p.agent === 'lite', additionalHostAddresses: addresses,
      ...(server && relay(server)), interfaceAddresses: { ...(udp4 && { udp4 }), ...(udp6 && { udp6 }) },
    })
    this.ice.stateChanged.subscribe(state => STATES[state] && tell('state', { session: this.name, state: STATES[state] }))
    this.ice.onData.subscribe(data => tell('data', { session: this.name, component: 1, data: data.toString('base64') }))
    this.trickling = false
    this.ice.onIceCandidate.subscribe(candidate => {
      if (this.trickling) tell('candidate', { session: this.name, candidate: `candidate:${candidate.toSdp()}`, mid: '0' })
    })
    return {}
  }

  async describe (p) {
    if (p.trickle) {
      const sdp = this.sdp()
      this.trickling = true
      this.ice.gatherCandidates().then(() => tell('candidate', { session: this.name, candidate: '', mid: '0' }))
      return sdp
    }
    await this.ice.gatherCandidates()
    return this.sdp()
  }

  sdp () {
    const ice = this.ice
    const tcp = ice.localCandidates.find(c => c.transport === 'tcp')
    const where = `IN ${isIPv6(this.address) ? 'IP6' : 'IP4'} ${this.address}`
    const lines = ['v=0', `o=- 1 1 ${where}`, 's=-', 't=0 0', ...(ice.iceLite ? ['a=ice-lite'] : []),
      `m=audio ${tcp ? tcp.port : 9} TCP/RTP/AVP 0`, `c=${where}`, 'a=mid:0', `a=setup:${this.offering ? 'actpass' : 'active'}`,
      'a=connection:new', `a=ice-ufrag:${ice.localUsername}`, `a=ice-pwd:${ice.localPassword}`,
      ...ice.localCandidates.map(c => `a=candidate:${c.toSdp()}`), '']
    return { type: this.offering ? 'offer' : 'answer', sdp: lines.join('\r\n') }
  }

  async accept (p) {
    const [session, section = ''] = p.sdp.split(/^m=/m, 2)
    const [ufrag] = values(section + session, 'ice-ufrag') // the section's count before the session's (RFC 8839 section 5.4)
    const [pwd] = values(section + session, 'ice-pwd')
    if (!ufrag || !pwd) throw new Refused(REJECTED, 'no ICE credentials')
    if (this.connecting && ufrag !== this.ice.remoteUsername && p.type === 'offer') {
      await this.ice.restart()
      this.offering = false
      this.connecting = false
    }
    const lite = /^a=ice-lite\s*$/m.test(p.sdp)
    this.ice.setRemoteParams({ iceLite: lite, usernameFragment: ufrag, password: pwd })
    if (lite !== this.ice.iceLite) this.ice.iceControlling = lite
    await this.addAll(values(p.sdp, 'candidate'))
    if (this.connecting) return {}
    this.connecting = true
    await this.ice.gatherCandidates()
    this.connect()
    return {}
  }

  connect () { this.ice.connect().catch(error => console.error(this.name, 'connect:', error.message)) }

  // one after the other: one that the stack refuses it has ignored (RFC 8839 section 5.1)
  async addAll (values) {
    const refused = []
    for (const value of values) await this.add(value).catch(error => { refused.push(error); console.error(this.name, 'werift refused', value, error.message) })
    if (refused.length && refused.length === values.length) throw refused[0]
  }

  async add (value) {
    try {
      await this.ice.addRemoteCandidate(Candidate.fromSdp(value.replace(/^candidate:/, '')))
    } catch (error) { throw new Refused(REJECTED, error.message) }
  }

  async trickle (p) {
    if (p.candidate) await this.add(p.candidate)
    else await this.ice.addRemoteCandidate(undefined)
    return {}
  }

  async send (p) { await this.ice.send(Buffer.from(p.data, 'base64')); return {} }
  async restart () { await this.ice.restart(); this.offering = true; this.connecting = false; return {} }
  async close () { await this.ice?.close(); return {} }
}

process.on('uncaughtException', error => console.error('uncaught:', error.stack))
const tell = main(Session, { name: 'werift', version, pics: PICS })
