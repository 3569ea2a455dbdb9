// What the scenarios share: the clients' packages, requests that are remembered, a relay that spoils answers, and
// the database. A scenario is a function; the program runs the one that its argument names.
import { createRequire } from 'node:module'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import http from 'node:http'
import assert from 'node:assert/strict'

export const require = createRequire(process.env.OFREP_MODULES + '/')
export const url = process.env.OFREP_URL
export { assert }

export const sql = text => execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', process.env.OFREP_DATABASE_URL, '-c', text], { encoding: 'utf8' }).trim()
export const define = (...definitions) => sql(`select lockflight.flag_define($$${JSON.stringify(definitions)}$$, 'test', null)`)
export const set = (key, patch) => sql(`select lockflight.flag_set_state('${key}', $$${JSON.stringify(patch)}$$, null, 'test', 'cli', 'a test')`)

export const token = claims => {
  const part = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`
  return `${signed}.${createHmac('sha256', process.env.OFREP_JWT_SECRET).update(signed).digest('base64url')}`
}

export const until = async (what, check, ms = 20000) => {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise(r => setTimeout(r, 10))) if (await check()) return
  assert.fail(`not within ${ms} ms: ${what}`)
}

// A fetch that remembers what was asked and answered.
export const remembering = () => {
  const seen = []
  const fetching = async (...args) => {
    const request = new Request(...args)
    const response = await fetch(request)
    seen.push({ url: request.url, noneMatch: request.headers.get('if-none-match'), status: response.status,
      etag: response.headers.get('etag'), body: await response.clone().text() })
    return response
  }
  return { seen, fetching, last: () => seen[seen.length - 1] }
}

// A relay before the server: spoil.answer(request, body) may return [status, headers, body] instead of the server's.
export const relay = async () => {
  const spoil = { answer: null, rewrite: null, sockets: new Set() }
  const server = http.createServer((request, response) => {
    const from = http.request(url + request.url, { method: request.method, headers: request.headers }, answer => {
      if (!spoil.rewrite || !/json/.test(answer.headers['content-type'] ?? '')) {
        response.writeHead(answer.statusCode, answer.headers)
        answer.pipe(response)
        return
      }
      let body = ''
      answer.on('data', piece => { body += piece }).on('end', () => {
        const { 'content-length': _, ...headers } = answer.headers
        response.writeHead(answer.statusCode, headers)
        response.end(spoil.rewrite(body))
      })
    })
    from.on('error', () => response.destroy())
    response.on('close', () => from.destroy())
    const instead = spoil.answer?.(request)
    if (instead) {
      from.destroy()
      response.writeHead(instead[0], instead[1])
      response.end(instead[2])
    } else request.pipe(from)
  })
  server.on('connection', socket => { spoil.sockets.add(socket); socket.on('close', () => spoil.sockets.delete(socket)) })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${server.address().port}`, spoil, cut: () => spoil.sockets.forEach(s => s.destroy()) }
}

export const run = async scenarios => {
  const scenario = scenarios[process.argv[2]]
  if (!scenario) throw new Error(`no scenario ${process.argv[2]}; there are ${Object.keys(scenarios).join(' ')}`)
  await scenario()
  process.exit(0) // streams and timers of the clients are still there
}
