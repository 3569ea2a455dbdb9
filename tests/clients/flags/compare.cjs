// compare.cjs KIND COUNT SEED PROGRAM PROBE MODULES: `lockflight flags eval` beside @openfeature/flagd-core, one evaluation
// after the other. KIND is profile (both modes of the engine, json-logic-js, normalised contexts), full (every operator, its interpreter),
// mutated (rules with a place changed that the validator still takes) or requires (our own document against its export,
// which the engine reads). Prints "N evaluations, N differences",
// and each difference reduced to the smallest rule and context that show it; exit 1 if there is one that is not known.
const { spawn, spawnSync } = require('child_process')
const { createInterface } = require('readline')
const random = require('./random.cjs')
const { engine, load, loadClassic, normalise } = require('./oracle.cjs')
const { isKnown } = require('./known.cjs')

const [, , kind, count, seed, program, probe, modules] = process.argv
const FlagdCore = engine(modules)
const contextsEach = 25
const differencesMax = 5

// All that a portable rule must mean the same in; null is no opinion.
const all = (document) => [load(FlagdCore, document, false, true), load(FlagdCore, document, true, true), loadClassic(modules, document)]

// What the engine says: a list of answers that must all be the same as ours.
const kinds = {
  profile: {
    document: (r) => random.profileDocument(r),
    context: random.context,
    given: (document) => ({ document, attributes: random.attributes, flags: {} }),
    oracles: all,
    seen: (context) => normalise(random.attributes, context),
    extra: { kind: 'server' },
  },
  mutated: {
    document: (r) => random.profileDocument(r),
    context: random.context,
    given: (document) => ({ document, attributes: random.attributes, flags: {} }),
    oracles: all,
    seen: (context) => normalise(random.attributes, context),
    extra: { kind: 'server' },
    prepare: keepPortable,
  },
  full: {
    document: (r) => random.fullDocument(r),
    context: random.fullContext,
    given: (document) => document,
    oracles: (document) => [load(FlagdCore, document, true, false)],
    seen: (context) => JSON.parse(JSON.stringify(context)), // as a request brings it: equal parts of it are never one object
    extra: {},
  },
  requires: {
    document: (r) => random.requiresDocument(r),
    context: random.context,
    given: (document) => ({ document, attributes: random.attributes, flags: {} }),
    oracles: (document, plain) => [load(FlagdCore, plain, false, true), load(FlagdCore, plain, true, true)],
    needsExport: true,
    seen: (context) => normalise(random.attributes, context),
    extra: { kind: 'server' },
    // what an export decides without a context is STATIC there, and what a requirement leaves to the default DEFAULT
    sameReason: (a, b) => a === b || a === 'STATIC' || b === 'STATIC',
  },
}
const k = kinds[kind]

// Changes each rule until the validator still takes it, and leaves out the flags where it never does.
async function keepPortable(r, document, checker) {
  const flags = {}
  for (const [key, flag] of Object.entries(document.flags)) {
    for (let tries = 0; flag.targeting && tries < 6; tries++) {
      const rule = random.mutated(r, flag.targeting)
      if (rule === null || typeof rule !== 'object' || Array.isArray(rule)) continue
      checker.send([checkOf(document, key, rule)])
      const said = await checker.next()
      checks[said === 'portable' ? 'taken' : 'refused']++
      if (said === 'portable') { flags[key] = { ...flag, targeting: rule }; break }
    }
  }
  return { ...document, flags }
}
const checks = { taken: 0, refused: 0 }

// A program that answers each line with a line.
function start(file, args) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    send: (questions) => child.stdin.write(questions.map((q) => JSON.stringify(q)).join('\n') + '\n'),
    next: async () => (await lines.next()).value ?? '',
    end: () => child.stdin.end(),
  }
}

// The same at once, for reducing.
function ask(file, args, questions) {
  const r = spawnSync(file, args, { input: questions.map((q) => JSON.stringify(q)).join('\n') + '\n', maxBuffer: 1 << 28 })
  return r.stdout.toString().split('\n').filter((line) => line).map((line) => JSON.parse(line))
}
const exportedNow = (documents) => (k.needsExport ? ask(probe, ['export'], documents) : documents.map(() => null))

// Ours, as the oracle would write it: without what only ours tells.
function answered(flag) {
  const { errorDetails, metadata, ...rest } = flag
  return rest
}
function same(ours, theirs) {
  const sameReason = k.sameReason ? k.sameReason(ours.reason, theirs.reason) : ours.reason === theirs.reason
  return sameReason && ours.variant === theirs.variant && ours.errorCode === theirs.errorCode &&
    JSON.stringify(ours.value) === JSON.stringify(theirs.value)
}

function theirs(document, plain, key, context) {
  try { return k.oracles(document, plain).map((o) => o(key, k.seen(context))) } catch (error) { return [] }
}
const differs = (ours, answers) => answers.some((t) => t && !same(answered(ours), t))

// Smaller values in place of a value: its parts, and itself with one part less.
function* smaller(value) {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'string' && value.length > 1) yield value.slice(0, value.length >> 1)
    return
  }
  const entries = Object.entries(value)
  for (const [, part] of entries) if (part !== null && typeof part === 'object') yield part
  for (const [name] of entries) {
    if (Array.isArray(value)) yield value.filter((_, i) => String(i) !== name)
    else { const { [name]: _, ...rest } = value; yield rest }
  }
  for (const [name, part] of entries)
    for (const less of smaller(part)) {
      const copy = Array.isArray(value) ? [...value] : { ...value }
      copy[name] = less
      yield copy
    }
}

// A portable rule is reduced to a portable one.
function allowed(candidates, key) {
  if (kind === 'full') return candidates
  const lines = candidates.map(({ document }) => checkOf(document, key))
  const said = spawnSync(probe, ['check'], { input: lines.map((l) => JSON.stringify(l)).join('\n') + '\n' }).stdout.toString().split('\n')
  return candidates.filter((_, i) => said[i] === 'portable')
}
const checkOf = (document, key, rule = document.flags[key].targeting ?? null) =>
  ({ rule, variants: document.flags[key].variants, attributes: random.attributes, segments: document.$evaluators })

function reduce(document, key, context) {
  let best = { document: { ...document, flags: kind === 'requires' ? document.flags : { [key]: document.flags[key] } }, context }
  for (let round = 0; round < 40; round++) {
    const candidates = []
    for (const less of smaller(best.context)) candidates.push({ document: best.document, context: less })
    for (const less of smaller(best.document.flags[key].targeting ?? {})) {
      const flag = { ...best.document.flags[key], targeting: less }
      candidates.push({ document: { ...best.document, flags: { ...best.document.flags, [key]: flag } }, context: best.context })
    }
    const list = allowed(candidates.filter((c) => c.context !== null && !Array.isArray(c.context)).slice(0, 400), key)
    if (!list.length) break
    const ours = ask(program, ['flags', 'eval'], list.map((c) => ({ doc: k.given(c.document), key, context: c.context, ...k.extra })))
    const plain = exportedNow(list.map((c) => c.document))
    const found = list.find((c, i) => ours[i]?.key && differs(ours[i], theirs(c.document, plain[i], key, c.context)))
    if (!found) break
    best = found
  }
  return best
}

function report(document, key, context) {
  const least = reduce(document, key, context)
  const [now] = ask(program, ['flags', 'eval'], [{ doc: k.given(least.document), key, context: least.context, ...k.extra }])
  const [plain] = exportedNow([least.document])
  const say = (answer) => JSON.stringify(answer && answered(answer))
  console.log(`# difference, seed ${seed}:`)
  console.log(`#   flag     ${JSON.stringify({ [key]: least.document.flags[key] })}`)
  if (plain) console.log(`#   export   ${JSON.stringify(plain.flags[key].targeting)}`)
  console.log(`#   segments ${JSON.stringify(least.document.$evaluators)}`)
  console.log(`#   context  ${JSON.stringify(least.context)}`)
  console.log(`#   ours     ${say(now)}`)
  for (const t of theirs(least.document, plain, key, least.context)) console.log(`#   theirs   ${say(t)}`)
}

async function main() {
  const evaluator = start(program, ['flags', 'eval'])
  const exporter = k.needsExport ? start(probe, ['export']) : null
  const checker = k.prepare ? start(probe, ['check']) : null
  const r = random.randomFrom(Number(seed))
  const reasons = {}
  let done = 0, different = 0, known = 0
  while (done < Number(count) && different < differencesMax) {
    const document = checker ? await k.prepare(r, k.document(r), checker) : k.document(r)
    const contexts = Array.from({ length: contextsEach }, () => k.context(r))
    const questions = contexts.map((context, i) => ({ ...(i ? {} : { doc: k.given(document) }), context, ...k.extra }))
    evaluator.send(questions)
    exporter?.send([document])
    const oracles = k.oracles(document, exporter && JSON.parse(await exporter.next()))
    for (const context of contexts) {
      const line = await evaluator.next()
      const bulk = JSON.parse(line || '{}')
      if (!bulk.flags || JSON.stringify(bulk) !== line) throw new Error(`no answer, or not as JSON.stringify writes it: ${line}\n${JSON.stringify(document)}`)
      for (const flag of bulk.flags) {
        const ours = answered(flag)
        const answers = oracles.map((o) => o(flag.key, k.seen(context)))
        const what = ours.errorCode ?? ours.reason
        reasons[what] = (reasons[what] ?? 0) + 1
        done++
        if (answers.every((t) => !t || same(ours, t))) continue
        if (isKnown(kind, document.flags[flag.key], context, ours, answers.find((t) => t && !same(ours, t)))) { known++; continue }
        if (++different <= differencesMax) report(document, flag.key, context)
      }
    }
  }
  evaluator.end()
  exporter?.end()
  checker?.end()
  if (checker) console.log(`# ${checks.taken} changed rules were portable, ${checks.refused} refused`)
  console.log(`# seed ${seed}: ${Object.entries(reasons).map(([name, n]) => `${n} ${name}`).join(', ')}`)
  console.log(`${done} evaluations, ${different} differences${known ? `, ${known} known` : ''}`)
  process.exitCode = different ? 1 : 0
}
main().catch((error) => { console.log(`# seed ${seed}: ${error.stack}`); process.exit(1) })
