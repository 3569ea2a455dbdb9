// prism-relay: stands between a client and an API, and has Prism judge every exchange against an OpenAPI document.
//
//   node prism-relay.mjs DOCUMENT UPSTREAM DIR
//
// Prism itself cannot carry the traffic: it reads bodies as text, which spoils binary uploads, and passes a chunked
// body on with two lengths. So the bytes go straight through, untouched, and each request is then shown to
// `prism proxy` together with the answer it really got (Prism's upstream is a second port of ours that gives it).
//
// DIR/address      where clients connect (written when ready)
// DIR/exchanges    one line per exchange: METHOD PATH STATUS
// DIR/violations   one line per violation: METHOD PATH STATUS location: message
// GET /--settle    answers when everything seen so far has been judged
import http from 'node:http';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';

const [document, upstream, dir] = process.argv.slice(2);
const modules = process.env.LOCKFLIGHT_CLIENT_MODULES;
const prismMain = join(modules, '@stoplight/prism-cli/dist/index.js');

// A Swagger 2 basePath is left out by Prism when it matches paths; it becomes part of them.
function prepared(file) {
  const d = JSON.parse(readFileSync(file, 'utf8'));
  const base = (d.basePath ?? '').replace(/\/$/, '');
  if (base) {
    d.paths = Object.fromEntries(Object.entries(d.paths).map(([p, v]) => [base + p, v]));
    d.basePath = '/';
  }
  if (d.servers) d.servers = [{ url: '/' }];
  const out = join(dir, 'document.json');
  writeFileSync(out, JSON.stringify(d));
  return out;
}

const listen = (server) =>
  new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

const read = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
};

const send = (to, method, headers, body) =>
  new Promise((done, fail) => {
    const request = http.request(to, { method, headers }, async (answer) => {
      try {
        done({ status: answer.statusCode, headers: answer.headers, body: await read(answer) });
      } catch (e) {
        fail(e);
      }
    });
    request.on('error', fail);
    request.end(body);
  });

// What Prism's upstream answers: the answer that the client got, found by the number in a header.
const answers = new Map();
const memory = http.createServer(async (request, response) => {
  await read(request);
  const a = answers.get(request.headers['x-relay-number']);
  if (!a) return response.writeHead(599).end();
  const headers = {};
  if (a.headers['content-type']) headers['content-type'] = a.headers['content-type'];
  response.writeHead(a.status, headers);
  response.end(a.body);
});
const memoryPort = await listen(memory);

// Prism wants a port given; ask the kernel for a free one.
const probe = http.createServer();
const prismPort = await listen(probe);
await new Promise((done) => probe.close(done));
const prism = spawn(
  process.execPath,
  [prismMain, 'proxy', '-p', String(prismPort), prepared(document), `http://127.0.0.1:${memoryPort}`],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
process.on('exit', () => prism.kill());
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
await new Promise((done, fail) => {
  prism.stdout.on('data', (text) => String(text).includes('listening') && done());
  prism.on('exit', () => fail(new Error('prism did not start')));
});

let number = 0;
let judging = Promise.resolve();
// A file of a deploy has a path in its path; a document cannot say so, the hosted API takes it as it is.
const asDocumented = (url) =>
  url.replace(/(\/deploys\/[^/]+\/files\/)([^?]+)/, (_, before, path) => before + path.replaceAll('/', '%2F'));
const isBinary = (type) => /octet-stream|multipart|zip/.test(type ?? '');

async function judge(request, body, answer) {
  const n = String(++number);
  answers.set(n, answer);
  const { host, connection, 'content-length': _l, 'transfer-encoding': _t, ...headers } = request.headers;
  headers['x-relay-number'] = n;
  const shown = isBinary(headers['content-type']) ? Buffer.from('bytes') : body;
  if (shown.length) headers['content-length'] = shown.length;
  const verdict = await send(`http://127.0.0.1:${prismPort}${asDocumented(request.url)}`, request.method, headers, shown);
  answers.delete(n);
  const at = `${request.method} ${request.url} ${answer.status}`;
  appendFileSync(join(dir, 'exchanges'), `${at}\n`);
  const found = JSON.parse(verdict.headers['sl-violations'] ?? '[]');
  if (verdict.status !== answer.status)
    found.push({ location: ['route'], message: verdict.body.toString().slice(0, 200) });
  for (const v of found) appendFileSync(join(dir, 'violations'), `${at} ${v.location.join('.')}: ${v.message}\n`);
}

const front = http.createServer({ keepAliveTimeout: 60000 }, async (request, response) => {
  try {
    if (request.url === '/--settle') {
      await judging;
      return response.end('settled\n');
    }
    const body = await read(request);
    const { 'transfer-encoding': chunked, connection, ...headers } = request.headers;
    if (chunked) headers['content-length'] = body.length;
    const answer = await send(upstream + request.url, request.method, headers, body);
    const { 'transfer-encoding': _t, connection: _c, ...answered } = answer.headers;
    response.writeHead(answer.status, answered);
    response.end(answer.body);
    judging = judging.then(() => judge(request, body, answer)).catch((e) =>
      appendFileSync(join(dir, 'violations'), `${request.method} ${request.url} relay: ${e}\n`));
  } catch (e) {
    response.writeHead(502).end(String(e));
  }
});
for (const f of ['exchanges', 'violations']) writeFileSync(join(dir, f), '');
const port = await listen(front);
writeFileSync(join(dir, 'address'), `http://127.0.0.1:${port}`);
