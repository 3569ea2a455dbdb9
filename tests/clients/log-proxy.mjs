// log-proxy UPSTREAM FOLDER: passes every request on to UPSTREAM and writes a line for each one it began into
// FOLDER/requests: milliseconds since 1970, method, path. Its own address is in FOLDER/address. A line of FOLDER/answers,
// "METHOD PATTERN STATUS BODY", answers what it matches without asking anybody.
import { createServer, request } from 'node:http';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const [upstream, folder] = process.argv.slice(2);
const to = new URL(upstream);
function answered(req) {
  const file = `${folder}/answers`;
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    const [, method, pattern, status, body] = line.match(/^(\S+) (\S+) (\d+) (.*)$/) ?? [];
    if (method === req.method && new RegExp(pattern).test(req.url)) return { status: Number(status), body };
  }
}
const server = createServer((req, res) => {
  appendFileSync(`${folder}/requests`, `${Date.now()} ${req.method} ${req.url}\n`);
  const answer = answered(req);
  if (answer) {
    req.resume();
    res.writeHead(answer.status, { 'content-type': 'application/json' });
    return res.end(answer.body);
  }
  const passed = request({ host: to.hostname, port: to.port, path: req.url, method: req.method, headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  passed.on('error', () => res.destroy());
  req.pipe(passed);
});
server.listen(0, '127.0.0.1', () => writeFileSync(`${folder}/address`, `http://127.0.0.1:${server.address().port}`));
