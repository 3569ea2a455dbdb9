// What the vendor's own code does with a rules file: the counterpart of rules_probe.c, same input and output.
const fs = require('fs')
const { createRequire } = require('module')
const [, , kind, file, modules] = process.argv
const need = createRequire(modules + '/x.js')
const lines = fs.readFileSync(0, 'utf8').split('\n').filter((l) => l !== '')

async function redirects() {
  const { parsePlain } = need('netlify-redirector')
  const rules = await parsePlain(fs.readFileSync(file, 'utf8'), { jwtSecret: '', jwtRoleClaim: '' })
  return (line) => {
    const at = line.indexOf('?')
    const path = at < 0 ? line : line.slice(0, at)
    const query = at < 0 ? '' : line.slice(at + 1)
    const m = rules.match({ scheme: 'http', host: 'site.test', path, query, headers: {}, cookieValues: {},
      getHeader: () => '', getCookie: () => '' })
    return m ? `${m.status}${m.force ? '!' : ''} ${m.to}` : '-'
  }
}

async function headers() {
  const { parseAllHeaders } = await import(need.resolve('@netlify/headers-parser'))
  const { headers: rules } = await parseAllHeaders({ headersFiles: [file], configHeaders: [], minimal: false })
  return (line) => {
    const all = {}
    for (const rule of rules) if (rule.forRegExp.test(line)) Object.assign(all, rule.values)
    const names = Object.keys(all).sort()
    return names.length ? names.map((n) => `${n}: ${all[n]}`).join('|') : '-'
  }
}

;(kind === 'redirects' ? redirects() : headers()).then((answer) => {
  for (const line of lines) console.log(answer(line))
})
