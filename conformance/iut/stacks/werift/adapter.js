// SPDX-License-Identifier: GPL-2.0-or-later
// The adapter of werift: its ICE `Connection`, without the WebRTC that usually stands around it.
//
// The stack's own are its candidates, ufrag and pwd; the rest of the SDP is written here (pics sdp: candidates). Its caller
// sets the role (role: adapter). It always gathers UDP candidates beside TCP. Each media section has a Connection of its own.
'use strict'
const { isIPv4, isIPv6 } = require('node:net')
const path = require('node:path')

const home = path.dirname(require.resolve('werift'))
const { Connection, Candidate } = require(path.join(home, '..', '..', 'ice', 'src'))
const { version } = require(path.join(home, '..', '..', '..', 'package.json'))

const { main, Refused, NO_PARAMS, REJECTED } = require('./contract.js')
const PICS = {
  agent: ['full', 'lite'], sides: ['offerer', 'answerer'], offers: ['active', 'passive'], connects: ['active', 'passive'],
  transports: ['tcp', 'udp'], families: [4, 6], obeys: ['addresses', 'role'], role: 'adapter', components: 1, streams: 3, restart: true,
  trickle: true, consent: true, turn_over_tcp: true, sdp: 'candidates', profile: 'plain', payload: 'raw', reports: ['state', 'selected', 'data'], sessions: 4,
}
const STATES = { disconnected: 'disconnected', closed: 'closed', connected: 'connected', failed: 'failed', new: 'new' }

const values = (sdp, name) => sdp.split(/\r?\n/).filter(line => line.startsWith(`a=${name}:`)).map(line => line.slice(name.length + 3))

// turn:HOST:PORT?transport=tcp (RFC 7065), as werift wants it
const relay = ({ url, username, credential }) => {
  const [, host, port] = /^turn:\[?([^\]?]+)\]?:(\d+)/.exec(url)
  return { turnServer: [host, Number(port)], turnUsername: username, turnPassword: credential, turnTransport: 'tcp' }
}

const text = candidate => `candidate:${candidate.toSdp()}`
const network = address => `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`

// One media section with its ICE Connection.
class Stream {
  constructor (session, number) {
    this.session = session
    this.mid = `${number}`
    this.trickling = this.connecting = false
    const ice = this.ice = new Connection(session.controlling, session.options)
    ice.stateChanged.subscribe(state => { this.state = STATES[state]; session.look(this) })
    ice.onData.subscribe(data => tell('data', { session: session.name, stream: number, component: 1, data: data.toString('base64') }))
    ice.onIceCandidate.subscribe(candidate => {
      if (this.trickling) tell('candidate', { session: session.name, candidate: text(candidate), mid: this.mid })
    })
  }

  lines () {
    const { ice, session: { address, offering } } = this
    if (this.disabled) return ['m=audio 0 TCP/RTP/AVP 0', `c=${network(address)}`, `a=mid:${this.mid}`]
    const tcp = ice.localCandidates.find(c => c.transport === 'tcp')
    return [`m=audio ${tcp ? tcp.port : 9} TCP/RTP/AVP 0`, `c=${network(address)}`, `a=mid:${this.mid}`, `a=setup:${offering ? 'actpass' : 'active'}`,
      'a=connection:new', `a=ice-ufrag:${ice.localUsername}`, `a=ice-pwd:${ice.localPassword}`,
      ...ice.localCandidates.map(c => `a=${text(c)}`)]
  }

  gather () { return this.ice.gatherCandidates() }

  async accept (type, sdp, lite) {
    const [ufrag] = values(sdp, 'ice-ufrag')
    const [pwd] = values(sdp, 'ice-pwd')
    if (!ufrag || !pwd) throw new Refused(REJECTED, 'no ICE credentials')
    if (this.connecting && ufrag !== this.ice.remoteUsername && type === 'offer') await this.restart()
    this.ice.setRemoteParams({ iceLite: lite, usernameFragment: ufrag, password: pwd })
    if (lite !== this.ice.iceLite) this.ice.iceControlling = lite
    await this.addAll(values(sdp, 'candidate'))
  }

  async connect () {
    if (this.connecting) return
    this.connecting = true
    await this.gather()
    this.ice.connect().catch(error => console.error(this.session.name, 'connect:', error.message))
  }

  // one after the other: one that the stack refuses it has ignored (RFC 8839 section 5.1)
  async addAll (values) {
    const refused = []
    for (const value of values) await this.add(value).catch(error => { refused.push(error); console.error(this.session.name, 'werift refused', value, error.message) })
    if (refused.length && refused.length === values.length) throw refused[0]
  }

  async add (value) {
    try {
      await this.ice.addRemoteCandidate(Candidate.fromSdp(value.replace(/^candidate:/, '')))
    } catch (error) { throw new Refused(REJECTED, error.message) }
  }

  async restart () { await this.ice.restart(); this.connecting = false }
  async disable () { this.disabled = true; await this.ice.close() } // its media section has port 0
}

class Session {
  constructor (name) { this.name = name; this.streams = [] }

  async open (p) {
    if (p.components > 1 || p.media === 'bytes') throw new Refused(NO_PARAMS, 'one component, RTP: more is not driven')
    const [server, ...more] = p.ice_servers ?? []
    if (more.length || server?.url.startsWith('stun:')) throw new Refused(NO_PARAMS, 'werift asks one TURN server over TCP; STUN servers over UDP alone')
    this.offering = p.side === 'offerer'
    this.controlling = p.role ? p.role === 'controlling' : this.offering
    const addresses = p.addresses ?? ['127.0.0.1']
    const [udp4, udp6] = [addresses.find(isIPv4), addresses.find(isIPv6)]
    this.address = addresses[0]
    this.options = {  // no family of its own: it then takes these addresses and no others
      useTcp: true, useIpv4: false, useIpv6: false, iceLite: p.agent === 'lite', additionalHostAddresses: addresses,
      ...(server && relay(server)), interfaceAddresses: { ...(udp4 && { udp4 }), ...(udp6 && { udp6 }) },
    }
    if (this.offering) for (let count = p.streams ?? 1; count--;) this.add()
    return {}
  }

  get used () { return this.streams.filter(({ disabled }) => !disabled) }
  add () { this.streams.push(new Stream(this, this.streams.length)) }

  // A stream has another state: tell the session's, connected when all are; and, once it is, the pair of the stream.
  look (stream) {
    const { state, disabled } = stream
    if (!state || disabled || (state === 'connected' && !this.used.every(each => each.state === state))) return
    tell('state', { session: this.name, state })
    for (const [stream, { ice: { nominated } }] of this.streams.entries()) {
      if (state === 'connected' && nominated) tell('selected', { session: this.name, stream, component: 1, local: text(nominated.localCandidate), remote: text(nominated.remoteCandidate) })
    }
  }

  async describe (p) {
    const gathered = () => Promise.all(this.used.map(stream => stream.gather()))
    if (!p.trickle) await gathered()
    const sdp = this.sdp()
    if (p.trickle) {
      for (const stream of this.streams) stream.trickling = true
      gathered().then(() => tell('candidate', { session: this.name, candidate: '', mid: this.streams[0].mid }))
    }
    return sdp
  }

  sdp () {
    const lines = ['v=0', `o=- 1 1 ${network(this.address)}`, 's=-', 't=0 0', ...(this.options.iceLite ? ['a=ice-lite'] : []),
      ...this.streams.flatMap(stream => stream.lines()), '']
    return { type: this.offering ? 'offer' : 'answer', sdp: lines.join('\r\n') }
  }

  async accept (p) {
    const [session, ...sections] = p.sdp.split(/^(?=m=)/m)
    const lite = /^a=ice-lite\s*$/m.test(session)
    while (this.streams.length < sections.length) this.add()
    if (p.type === 'offer') this.offering = false
    for (const [number, section] of sections.entries()) {
      const stream = this.streams[number]
      stream.mid = values(section, 'mid')[0] ?? stream.mid
      if (/^m=\S+ 0 /.test(section)) await stream.disable()
      else await stream.accept(p.type, section + session, lite) // the section's credentials count before the session's (RFC 8839 section 5.4)
    }
    await Promise.all(this.used.map(stream => stream.connect()))
    return {}
  }

  async trickle (p) {
    const stream = this.streams.find(({ mid }) => mid === p.mid) ?? this.streams[0]
    if (p.candidate) await stream.add(p.candidate)
    else await stream.ice.addRemoteCandidate(undefined)
    return {}
  }

  async send (p) { await this.streams[p.stream ?? 0].ice.send(Buffer.from(p.data, 'base64')); return {} }
  async restart () { await Promise.all(this.used.map(stream => stream.restart())); this.offering = true; return {} }
  async close () { await Promise.all(this.streams.map(({ ice }) => ice.close())); return {} }
}

process.on('uncaughtException', error => console.error('uncaught:', error.stack))
const tell = main(Session, { name: 'werift', version, pics: PICS })
