// What @openfeature/flagd-core and json-logic-js answer, and what they are given: contexts as src/flag/normalise.h has them.
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
  version: (v) => typeof v === 'string' && /^[vV]?[0-9][0-9A-Za-z.+-]*$/.test(v) && v.length <= 256,
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

// json-logic-js, the classic engine, which reads what is absent, {} and [] otherwise: for rules without shares and versions.
function loadClassic(modules, document) {
  const classic = createRequire(modules + '/x.js')('json-logic-js')
  const affix = (method) => (a, b) => (typeof a === 'string' && typeof b === 'string' ? a[method](b) : null)
  classic.add_operation('starts_with', affix('startsWith'))
  classic.add_operation('ends_with', affix('endsWith'))
  const resolve = (rule) => {
    if (rule === null || typeof rule !== 'object') return rule
    if (Array.isArray(rule)) return rule.map(resolve)
    if (rule.$ref !== undefined) return document.$evaluators[rule.$ref]
    return Object.fromEntries(Object.entries(rule).map(([name, part]) => [name, resolve(part)]))
  }
  const rules = {}
  for (const [key, flag] of Object.entries(document.flags)) rules[key] = flag.targeting && resolve(flag.targeting)
  return (key, context) => {
    const flag = document.flags[key]
    const rule = rules[key]
    if (flag.state === 'DISABLED') return { key, reason: 'DISABLED' }
    if (/"(fractional|sem_ver)":/.test(JSON.stringify(rule))) return null
    const $flagd = { flagKey: key, timestamp: Math.floor(Date.now() / 1000) }
    const given = rule && Object.keys(rule).length ? classic.apply(rule, { ...context, $flagd }) : undefined
    const variant = given === null || given === undefined ? flag.defaultVariant : String(given)
    const reason = given !== null && given !== undefined ? 'TARGETING_MATCH' : rule && Object.keys(rule).length ? 'DEFAULT' : 'STATIC'
    if (!variant) return { key, reason: 'DEFAULT' }
    return Object.hasOwn(flag.variants, variant) ? { key, reason, value: flag.variants[variant], variant } : { key, errorCode: 'GENERAL' }
  }
}

module.exports = { engine, load, loadClassic, normalise }
