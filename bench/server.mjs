// The benchmark's server, a process of its own: answers from memory, and prints a line of JSON for every request that
// is not for a file of the app: { path, query, host, atUs } on CLOCK_MONOTONIC.
// node server.mjs [HOSTS]: listens on 127.0.0.1 … 127.0.0.HOSTS, all on one port.
import { createServer } from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('app/', import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.webmanifest': 'application/manifest+json' };
const files = new Map(readdirSync(folder).map(name => [`/${name}`, { body: readFileSync(folder + name), type: types[extname(name)] }]));
files.set('/', files.get('/index.html'));
for (const name of ['core', 'background-sync']) {
  const file = `workbox-${name}.prod.js`;
  files.set(`/${file}`, { body: readFileSync(fileURLToPath(new URL(`../node_modules/workbox-${name}/build/${file}`, import.meta.url))), type: types['.js'] });
}

function answer(request, response) {
  const atUs = Number(process.hrtime.bigint() / 1000n);
  const url = new URL(request.url, 'http://server');
  const file = files.get(url.pathname);
  if (file) {
    // Isolated contexts have fine-grained clocks in browsers.
    response.writeHead(200, {
      'Content-Type': file.type, 'Content-Length': file.body.length, 'Cache-Control': 'no-cache',
      'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(file.body);
    return;
  }
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 });
    response.end('{}');
    console.log(JSON.stringify({ path: url.pathname, query: Object.fromEntries(url.searchParams), host: request.headers.host, atUs }));
  });
}

const hosts = Number(process.argv[2] ?? 1);
let port = 0;
for (let number = 1; number <= hosts; number += 1) {
  const server = createServer(answer);
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, `127.0.0.${number}`, resolve));
  port = server.address().port;
}
console.log(`ready ${port}`);
