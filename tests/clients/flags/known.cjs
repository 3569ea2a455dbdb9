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

const rows = [
  {
    why: 'a path goes into a text: the interpreter gives its characters, as "text.0"; we give nothing, as for any member that is not there',
    is: (flag, context) => [...paths(flag.targeting)].some((path) => [...passed(path, context)].some((value) => typeof value === 'string')),
  },
]

function isKnown(kind, flag, context) {
  return kind === 'full' && rows.some((row) => row.is(flag, context))
}
module.exports = { isKnown }
