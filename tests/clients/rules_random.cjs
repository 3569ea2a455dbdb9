// Random rules over a small alphabet, so that many of them nearly fit: rules_random.cjs redirects|headers SEED RULES PATHS
const fs = require('fs')
const [, , kind, seed, rulesFile, pathsFile] = process.argv
let state = Number(seed) * 2654435761 >>> 0
const random = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor((state / 4294967296) * n) }
const pick = (list) => list[random(list.length)]
// for headers no word begins another: where one does, the vendor's "/a/*" fits "/ab" by accident
const word = () => pick(kind === 'redirects' ? ['a', 'b', 'ab', 'A', 'c.html', 'x-y'] : ['ab', 'Cd', 'x-y', 'z.html'])
const path = () => '/' + Array.from({ length: 1 + random(4) }, word).join('/') + pick(['', '', '/'])
function pattern() {
  const parts = Array.from({ length: 1 + random(4) }, () => pick([word, word, () => ':one', () => ':two'])())
  if (random(3) === 0) parts[random(parts.length)] = kind === 'redirects' && random(3) === 0 ? word() + '*' : '*'
  return '/' + parts.join('/') + pick(['', '', '/'])
}
const target = () => pick(['/t', '/t/:one', '/:two/:one', '/:splat', '/t/:splat', 'https://h.test/:splat', '/t?q=:one'])
const status = () => pick(['', ' 301', ' 302!', ' 200', ' 404', ' 200!'])
const rule = () => (kind === 'redirects' ? `${pattern()} ${target()}${status()}` : `${pattern()}\n  X-${pick(['A', 'B'])}: ${random(9)}`)
fs.writeFileSync(rulesFile, Array.from({ length: 8 }, rule).join('\n') + '\n')
fs.writeFileSync(pathsFile, Array.from({ length: 60 }, path).join('\n') + '\n')
