// SPDX-License-Identifier: GPL-2.0-or-later
// What the adapters in JavaScript share of the adapter contract: calls in, answers and notifications out. A stack gives a class
// Session, whose methods are named like the contract's. In Node it is a module, in a browser it stands before session.js.
'use strict'
const [NO_METHOD, NO_PARAMS, REJECTED, INTERNAL] = [-32601, -32602, -32010, -32603]
const METHODS = ['open', 'describe', 'accept', 'trickle', 'send', 'restart', 'close']

class Refused extends Error {
  constructor (code, message) { super(message); this.code = code }
}
const rejecting = promise => promise.catch(error => { throw new Refused(REJECTED, error.message) })
const escaped = letter => '\\u' + letter.charCodeAt(0).toString(16).padStart(4, '0')

// Return what serves calls, each a line of JSON, and what tells by itself. `write` takes a line without its end, of ASCII only.
function contract (Session, write, hello) {
  const sessions = new Map()
  const say = line => write(JSON.stringify({ jsonrpc: '2.0', ...line }).replace(/[^\0-\x7f]/g, escaped))
  const tell = (method, params) => say({ method, params })

  async function perform ({ method, params }) {
    if (method === 'hello' && hello) return hello
    if (!METHODS.includes(method) || !Session.prototype[method]) throw new Refused(NO_METHOD, 'no such method')
    if (method === 'open') sessions.set(params.session, new Session(params.session))
    const session = sessions.get(params.session)
    if (!session) throw new Refused(NO_PARAMS, 'no such session')
    if (method === 'close') sessions.delete(params.session)
    const result = (session.last ?? Promise.resolve()).then(() => session[method](params))
    session.last = result.catch(() => {}) // one call after the other, also after one that failed
    if (method === 'open') result.catch(() => sessions.delete(params.session))
    return result
  }

  function serve (line) {
    const call = JSON.parse(line)
    perform(call).then(
      result => say({ id: call.id, result }),
      error => say({ id: call.id, error: { code: Number.isInteger(error.code) && error.code < 0 ? error.code : INTERNAL, message: `${error.message ?? error}` } }))
  }
  return { serve, tell }
}

// Serve stdin until it ends, in Node; return what tells by itself.
function main (Session, hello) {
  const { serve, tell } = contract(Session, line => process.stdout.write(line + '\n'), hello)
  process.on('unhandledRejection', error => console.error('unhandled:', error?.stack ?? error))
  require('node:readline').createInterface({ input: process.stdin }).on('line', serve).on('close', () => process.exit(0))
  return tell
}

if (typeof module !== 'undefined') module.exports = { main, Refused, rejecting, NO_PARAMS, REJECTED }
