// What @openfeature/flagd-core answers, in both its modes, and what it is given: contexts as src/flag/normalise.h has them.
const { createRequire } = require('module')

const quiet = { error() {}, warn() {}, info() {}, debug() {} }

function engine(modules) {
  return createRequire(modules + '/x.js')('@openfeature/flagd-core').FlagdCore
}

// The engine hashes UTF-16 units; one unit per UTF-8 byte makes it hash what everybody else does.
const lift = (text) => Buffer.from(text, 'utf8').toString('latin1')
const unlift = (text) => Buffer.from(text, 'latin1').toString('utf8')
function deep(value, change) {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => deep(item, change))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [change(name), deep(item, change)]))
}

const fits = {
  string: (v) => typeof v === 'string',
  version: (v) => typeof v === 'string',
  number: (v) => typeof v === 'number',
  boolean: (v) => typeof v === 'boolean',
  list: (v) => Array.isArray(v) && v.every((item) => typeof item === 'string'),
}

// For the kind "server", which takes the body's attributes as they are.
function normalise(attributes, given) {
  const kept = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue
    if (name === 'targetingKey' || (Object.hasOwn(attributes, name) && fits[attributes[name].type](value))) kept[name] = value
  }
  return kept
}

// An engine for one document: answer(key, context) → {reason, variant, value, errorCode, metadata}
function load(FlagdCore, document, interpreted, lifted) {
  const core = new FlagdCore(undefined, quiet, interpreted ? { disableDynamicCodeGeneration: true } : {})
  core.setConfigurations(JSON.stringify(lifted ? deep(document, lift) : document))
  const into = lifted ? (value) => deep(value, lift) : (value) => value
  const back = lifted ? (value) => deep(value, unlift) : (value) => value
  return (key, context) => {
    const flag = core.getFlag(into(key))
    if (flag.state === 'DISABLED') return { key, reason: 'DISABLED' }
    const r = flag.evaluate(into(context), quiet)
    if (r.errorCode) return { key, errorCode: r.errorCode }
    return r.value === undefined ? { key, reason: r.reason } : { key, reason: r.reason, value: back(r.value), variant: back(r.variant) }
  }
}

module.exports = { engine, load, normalise }
