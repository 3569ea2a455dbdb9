// log-proxy UPSTREAM FOLDER: passes every request on to UPSTREAM and writes a line for each one it began into
// FOLDER/requests: milliseconds since 1970, method, path. Its own address is in FOLDER/address.
import { createServer, request } from 'node:http';
import { appendFileSync, writeFileSync } from 'node:fs';

const [upstream, folder] = process.argv.slice(2);
const to = new URL(upstream);
const server = createServer((req, res) => {
  appendFileSync(`${folder}/requests`, `${Date.now()} ${req.method} ${req.url}\n`);
  const passed = request({ host: to.hostname, port: to.port, path: req.url, method: req.method, headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  passed.on('error', () => res.destroy());
  req.pipe(passed);
});
server.listen(0, '127.0.0.1', () => writeFileSync(`${folder}/address`, `http://127.0.0.1:${server.address().port}`));
