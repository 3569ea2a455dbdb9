// Flag documents and contexts by chance, the same ones for the same seed.
//
//   profile  documents of rules that must mean the same in every engine
//   mutated  the same with a place or two changed
//   full     rules of every operator, well-formed or not, for the interpreter only
//   requires documents whose flags require one another
const { fullRule } = require('./random_full.cjs')

// A generator of 32-bit numbers (mulberry32): small, and good enough to spread cases.
function randomFrom(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (n) => Math.floor((next() / 4294967296) * n)
  return {
    below,
    pick: (list) => list[below(list.length)],
    chance: (percent) => below(100) < percent,
    some: (list, most) => Array.from({ length: 1 + below(most) }, () => list[below(list.length)]),
  }
}

const attributes = {
  plan: { type: 'string', trusted: true }, email: { type: 'string' }, 'città': { type: 'string' },
  seats: { type: 'number' }, age: { type: 'number', trusted: true }, beta: { type: 'boolean' },
  groups: { type: 'list' }, teams: { type: 'list', trusted: true }, app: { type: 'version' },
}
const named = (...types) => Object.keys(attributes).filter((name) => types.includes(attributes[name].type))
const texts = ['', 'a', 'A', 'pro', 'free', 'pro ', 'é', 'e\u0301', '日本', '😀', 'x😀y', 'ﬀ', '0', '1', 'true', 'null',
  'a.b', '"', '\\', 'ana@studio.example', 'rui@studio.example', '\u2028', '\u007f', 'Ω'.repeat(300), '-1', '1e3', '\n']
const numbers = [0, 1, -1, 2, 3, 10, 10.5, 0.1, 0.3, -0.5, 100, 1e21 / 1e6, 9007199254740991, -9007199254740991, 1e-7]
const versions = ['1', '1.2', '1.2.3', 'v1.2.3', 'V2.0.0', '2.0.0-rc.1', '2.0.0-rc.2', '2.0.0-rc.10', '2.0.0-alpha', '0.0.0',
  '1.2.3+build.5', '10.0.0', '9.9.9', '2.0.0', '1.3.0']
const oddVersions = [...versions, '', '1.2.3.4', 'x', '1.2.3-', '01.2.3', '1.2.3-01', '9007199254740992.0.0', '99999999999999999999',
  '9007199254740991.0.0', '1.2.3-a..b', '1.x', '-1', '1.', '.1', '1.2.3-é']
// A version with a character or two changed: most of these are no version, and all must be told apart alike.
function nearVersion(r) {
  let text = r.pick(oddVersions)
  for (let n = r.below(3); n > 0; n--) {
    const at = r.below(text.length + 1)
    text = text.slice(0, at) + r.pick([...'0123456789.-+vVxa,é', '']) + text.slice(at + r.below(2))
  }
  return text.replace(/^[vV]{2,}/, 'v') // "vv1.2.3" is a version for npm's engine and for no other; for us neither
}
const literals = { string: texts, version: texts, number: numbers, boolean: [true, false] }

// ---- rules that must be portable ----

function profileRules(r, segments, variants) {
  const names = Object.keys(variants)
  const attribute = (types, otherwise) => {
    const own = types.includes('string') && r.chance(20) ? ['targetingKey', '$flagd.flagKey'] : []
    const name = r.pick([...own, ...named(...types)])
    if (otherwise !== undefined) return { var: [name, otherwise] }
    if (r.chance(25) && types.length === 1) return { var: [name, types[0] === 'list' ? [] : r.pick(literals[types[0]])] }
    return r.pick([{ var: name }, { var: [name] }])
  }
  const pair = (a, b) => (r.chance(70) ? [a, b] : [b, a])
  const inTexts = () => ({ in: [{ var: '' }, r.some(texts, 4)] })
  const number = () => (r.chance(10) ? { var: '$flagd.timestamp' } : r.chance(60) ? attribute(['number'], r.pick(numbers)) : r.pick(numbers))
  const leaves = [
    () => ({ [r.pick(['==', '!=', '===', '!=='])]: pair(attribute(['string', 'version']), r.pick(texts)) }),
    () => {
      const type = r.pick(['number', 'boolean', 'string'])
      return { [r.pick(['===', '!=='])]: pair(attribute([type]), r.pick(literals[type])) }
    },
    () => ({ [r.pick(['===', '!=='])]: pair({ var: r.pick(Object.keys(attributes)) }, null) }),
    () => ({ [r.pick(['<', '<=', '>', '>='])]: [number(), number()] }),
    () => ({ [r.pick(['<', '<='])]: [number(), number(), number()] }),
    () => ({ in: [attribute(['string', 'version']), r.some(texts, 5)] }),
    () => ({ in: [r.pick(texts), attribute(['string', 'list', 'version'])] }),
    () => ({ [r.pick(['starts_with', 'ends_with'])]: [attribute(['string']), r.pick(texts)] }),
    () => ({ sem_ver: [attribute(['version'], r.chance(20) ? nearVersion(r) : undefined), r.pick(['=', '!=', '<', '<=', '>', '>=', '^', '~']), r.pick(versions)] }),
    () => ({ [r.pick(['some', 'none'])]: [attribute(['list']), inTexts()] }),
    () => ({ all: [attribute(['list'], []), inTexts()] }),
    () => (segments.length ? { $ref: r.pick(segments) } : { '===': [{ var: 'beta' }, true] }),
  ]
  const condition = (depth) => {
    if (depth === 0 || r.chance(55)) return r.pick(leaves)()
    if (r.chance(25)) return { '!': [condition(depth - 1)] }
    return { [r.pick(['and', 'or'])]: Array.from({ length: 2 + r.below(2) }, () => condition(depth - 1)) }
  }
  const key = () => (r.chance(30) ? { var: 'targetingKey' } : {
    cat: r.some(['salt-', 'é', { var: '$flagd.flagKey' }, { var: ['targetingKey', ''] }, { var: ['email', ''] }, { var: ['città', 'x'] }], 4),
  })
  const entry = () => (r.chance(20) ? [r.pick([...names, null])] : [r.pick([...names, null]), r.pick([1, 5, 25, 50, 75, 100, 33333, 1000000000, 0])])
  const fractional = () => {
    const entries = Array.from({ length: 1 + r.below(4) }, entry)
    const total = entries.reduce((sum, e) => sum + (e.length === 1 ? 1 : e[1]), 0)
    if (total === 0 || total > 2147483647) return fractional()
    return { fractional: r.chance(50) ? entries : [key(), ...entries] }
  }
  const hasTruth = 'true' in variants && 'false' in variants
  const rule = (depth) => {
    if (hasTruth && r.chance(30)) return r.chance(20) ? r.pick([true, false]) : condition(2)
    if (depth === 0 || r.chance(30)) return r.chance(15) ? null : r.pick(names)
    if (r.chance(35)) return fractional()
    const parts = []
    for (let n = 1 + r.below(3); n > 0; n--) parts.push(condition(2), rule(depth - 1))
    return { if: [...parts, rule(depth - 1)] }
  }
  const whole = () => {
    const made = rule(3)
    return made !== null && typeof made === 'object' ? made : whole()
  }
  return { condition, whole }
}

const variantSets = (r) => r.pick([
  () => ({ on: true, off: false }),
  () => ({ true: true, false: false }),
  () => ({ true: 'yes', false: 'no', 'perhaps é': '日本' }),
  () => ({ a: r.pick(texts), b: r.pick(texts), 10: 'ten', '日本': '😀' }),
  () => ({ one: r.pick(numbers), two: r.pick(numbers), tiny: 5e-324, big: 9007199254740991, third: 1 / 3 }),
  () => ({ small: { b: 1, a: [true, null, { 10: 'x', 9: 'y', é: '"' }] }, none: {} }),
])()

function document(r, rule, keys) {
  const flags = {}
  for (const key of keys) {
    const variants = variantSets(r)
    const names = Object.keys(variants)
    const flag = { state: r.chance(4) ? 'DISABLED' : 'ENABLED', variants }
    if (r.chance(85)) flag.defaultVariant = r.pick(names)
    else if (r.chance(50)) flag.defaultVariant = null
    if (r.chance(95)) flag.targeting = rule(variants, key)
    else if (r.chance(50)) flag.targeting = {}
    if (r.chance(20)) flag.metadata = { owner: r.pick(texts), n: r.pick(numbers), live: true }
    flags[key] = flag
  }
  return flags
}

const keysOf = (r, n) => Array.from({ length: n }, (_, i) => r.pick(['flag', 'new-checkout', 'f.x_', 'über', 'z']) + i)

function profileDocument(r, n = 8) {
  const segments = ['staff', 'beta users', 'città'].slice(0, r.below(4))
  const made = { flags: {}, $evaluators: {}, metadata: { version: '7', owner: 'é' } }
  for (const name of segments) made.$evaluators[name] = profileRules(r, [], {}).condition(1)
  made.flags = document(r, (variants) => profileRules(r, segments, variants).whole(), keysOf(r, n))
  return made
}

// ---- contexts ----

const edges = ['ejOoVL', 'bY9fO-', 'SI7p-', '6LvT0', 'ceQdGm'] // which hash to 0, 1, 2^31 - 1, 2^31 and 2^32 - 1
const keys = (r) => r.pick([() => r.pick(edges), () => 'user-' + r.below(100000), () => 'user-' + r.below(100), () => 'Ünal-' + r.below(1000), () => '😀' + r.below(1000),
  () => '', () => r.pick(texts)])()

// Most members are of their declared type; the others must be as if they had not been sent.
function context(r) {
  const made = {}
  if (r.chance(90)) made.targetingKey = r.chance(4) ? null : keys(r)
  for (const [name, { type }] of Object.entries(attributes)) {
    if (r.chance(30)) continue
    if (r.chance(12)) made[name] = r.pick([null, null, {}, [], true, 0, '', ['a', 1], { a: 1 }, [[]], '1.2.3', ['a'], 3])
    else if (type === 'list') made[name] = r.chance(10) ? [] : r.some(texts, 4)
    else if (type === 'version') made[name] = nearVersion(r)
    else made[name] = r.pick(literals[type])
  }
  if (r.chance(10)) made[r.pick(['other', '$flagd', '', 'plan.x', '__proto__x'])] = r.pick([1, 'a', { flagKey: 'z' }])
  return made
}

// ---- every operator ----

function fullDocument(r, n = 8) {
  const made = { flags: {}, metadata: {} }
  made.flags = document(r, (variants) => fullRule(r, Object.keys(variants)), Array.from({ length: n }, (_, i) => 'flag' + i))
  return made
}

function fullContext(r) {
  const made = {}
  const values = [null, true, false, 0, 1, -1, 2.5, '', 'a', '1', ' 2 ', 'pro', 'abc', '1.2.3', [], [1], ['a', 'b'], [[1, 2], 3], {}, { b: 1 }, { b: { c: 'x' } }, 'x1', [null], [0], 1e21, '0x10', '1e2']
  for (const name of ['a', 'b', 'c', 'list', 'text', 'n', 'deep']) if (r.chance(75)) made[name] = r.pick(values)
  if (r.chance(50)) made.list = r.some(values, 4)
  if (r.chance(50)) made.text = r.pick(texts.filter((t) => /^[\x20-\x7e]*$/.test(t)))
  if (r.chance(50)) made.deep = { a: r.pick(values), 'x.y': r.pick(values), list: [r.pick(values), { a: r.pick(values) }] }
  if (r.chance(85)) made.targetingKey = 'user-' + r.below(1000)
  return made
}

// ---- rules that are nearly portable ----

const operators = ['==', '!=', '===', '!==', '<', '<=', '>', '>=', 'in', 'starts_with', 'ends_with', 'some', 'none', 'all', 'and', 'or', '!', '!!',
  'if', 'var', 'cat', 'substr', 'sem_ver', 'fractional', 'missing', '+', 'max', '$ref', 'merge']

const like = [['==', '!=', '===', '!=='], ['<', '<=', '>', '>='], ['some', 'none', 'all'], ['and', 'or'], ['starts_with', 'ends_with', 'in']]
const atoms = [null, true, false, 0, 1, -1, 2.5, '', 'a', 'pro', '1.2.3', [], {}, ['a'], [1], 'staff', 'targetingKey', 'on', { var: 'plan' }, { var: 'seats' },
  { var: ['groups'] }, { var: ['groups', []] }, { var: ['seats', 0] }, { var: ['beta', false] }, { var: '' }, { var: 'plan.x' }, { var: 'nothing' },
  { '===': [{ var: 'beta' }, true] }, { $ref: 'staff' }, { fractional: [['on', 50], ['off', 50]] }]

// A small slip of the pen: another operator, a default more or less, an operand more or less or of another type.
function slipped(r, value) {
  if (value === null || typeof value !== 'object') return r.pick(atoms)
  if (Array.isArray(value)) {
    const at = r.below(value.length + 1)
    return r.pick([
      () => value.filter((_, i) => i !== at),
      () => [...value.slice(0, at), r.pick(atoms), ...value.slice(at)],
      () => [...value].reverse(),
      () => (value.length ? value[0] : null),
    ])()
  }
  const [[name, part] = []] = Object.entries(value)
  if (part === undefined) return r.pick(atoms)
  if (name === 'var' && r.chance(70)) {
    const path = [part].flat()[0]
    return r.chance(60) ? { var: Array.isArray(part) && part.length > 1 ? path : [path, r.pick(atoms)] } : { var: r.pick(['plan', 'seats', 'beta', 'groups', 'app', 'email']) }
  }
  const alike = like.find((names) => names.includes(name))
  if (alike && r.chance(50)) return { [r.pick(alike)]: part }
  return r.pick([() => ({ [r.pick(operators)]: part }), () => ({ '!': [value] }), () => ({ ...value, [r.pick(operators)]: r.pick(atoms) }), () => r.pick(atoms)])()
}

// A copy of `value` with one place of it changed, each as likely as the next.
function mutated(r, value) {
  let places = 0
  const count = (v) => { places++; if (v !== null && typeof v === 'object') Object.values(v).forEach(count) }
  count(value)
  let at = r.below(places)
  const copy = (v) => {
    if (at-- === 0) return slipped(r, v)
    if (v === null || typeof v !== 'object') return v
    if (Array.isArray(v)) return v.map(copy)
    return Object.fromEntries(Object.entries(v).map(([name, part]) => [name, copy(part)]))
  }
  return copy(value)
}

// ---- flags that require one another ----

function requiresDocument(r) {
  const made = profileDocument(r, 7)
  const all = Object.keys(made.flags)
  all.forEach((key, i) => {
    const flag = made.flags[key]
    const names = Object.keys(flag.variants)
    flag.offVariant = r.pick(names)
    if (i === 0 || r.chance(30)) return
    flag.requires = Array.from({ length: 1 + r.below(2) }, () => {
      const other = r.pick(all.slice(0, i))
      return { flag: other, variant: r.pick(Object.keys(made.flags[other].variants)) }
    })
    if (r.chance(5)) flag.requires.push({ flag: 'nobody', variant: 'on' })
  })
  return made
}

module.exports = { randomFrom, attributes, profileDocument, context, fullDocument, fullContext, requiresDocument, mutated }
