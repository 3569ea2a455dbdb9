// Where we differ from the interpreter on purpose. Each row says why; nothing in the portable profile may be here.

// Every text in a rule that may be a path: of "var", "missing", "missing_some".
function* paths(rule) {
  if (rule === null || typeof rule !== 'object') return
  for (const [name, part] of Object.entries(rule)) {
    if (['var', 'missing', 'missing_some'].includes(name)) for (const text of [part].flat(2)) if (typeof text === 'string') yield text
    yield* paths(part)
  }
}

// What the members of a path up to its last one are in a context.
function* passed(path, context) {
  let value = context
  for (const name of path.split(/(?<!\\)\./).map((n) => n.replace('\\.', '.')).slice(0, -1)) {
    value = value === null || value === undefined ? undefined : value[name]
    yield value
  }
}

// An iterator whose operands are no list, or that has no rule for the items.
const iterators = ['map', 'filter', 'reduce', 'all', 'some', 'none']
function isMalformed(rule) {
  if (rule === null || typeof rule !== 'object') return false
  const isWrong = (name, part) => iterators.includes(name) && (!Array.isArray(part) || (part[1] ?? null) === null)
  return Object.entries(rule).some(([name, part]) => (!Array.isArray(rule) && isWrong(name, part)) || isMalformed(part))
}

const isShare = (rule) => JSON.stringify(rule ?? null).includes('"fractional"')
const beyondAscii = /[^\0-\x7f]/

const rows = [
  {
    why: 'a path goes into a text: the interpreter gives its characters, as "text.0"; we give nothing, as for any member that is not there',
    is: (flag, context) => [...paths(flag.targeting)].some((path) => [...passed(path, context)].some((value) => typeof value === 'string')),
  },
  {
    why: 'a malformed iterator in a branch that is not taken: the interpreter fails the whole rule for it, mostly; we fail where it is run',
    is: (flag, context, ours, theirs) => theirs.errorCode === 'GENERAL' && !ours.errorCode && isMalformed(flag.targeting),
  },
  {
    why: 'a share of units outside ASCII: we hash their UTF-8, the interpreter UTF-16 units (the portable comparison lifts them)',
    is: (flag, context, ours, theirs) => !ours.errorCode && !theirs.errorCode && isShare(flag.targeting) &&
      beyondAscii.test(JSON.stringify([flag.targeting, context])),
  },
]

function isKnown(kind, flag, context, ours, theirs) {
  return kind === 'full' && rows.some((row) => row.is(flag, context, ours, theirs))
}
module.exports = { isKnown }
