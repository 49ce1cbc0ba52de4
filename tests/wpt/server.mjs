// The tests' own server, on free ports of the loopback interface, with certificates that it makes.
import { writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { Process, kRoot, makeFolder } from '../e2e/support/processes.mjs';

const kHost = 'web-platform.test';
const kOtherHost = 'not-web-platform.test';
const kSchemes = ['http', 'http-private', 'http-public', 'https', 'https-private', 'https-public', 'ws', 'wss', 'h2'];
const kPages = join(kRoot, 'tests/wpt/pages');

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map(server => server.address().port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

function accepts(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

// Resolves with { url, nameInReference(), daemonOptions, stop() }: where the tests are, and what a daemon needs to find and trust it.
export async function startServer(checkout) {
  const folder = makeFolder('wpt');
  const free = await freePorts(2 * kSchemes.length);
  const ports = Object.fromEntries(kSchemes.map(scheme => [scheme, [free.pop()]]));
  for (const scheme of ['http', 'https']) ports[scheme].push(free.pop());
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({
    browser_host: kHost,
    alternate_hosts: { alt: kOtherHost },
    server_host: '127.0.0.1',
    check_subdomains: false,
    ports,
    ssl: { type: 'openssl', openssl: { base_path: join(folder, 'certificates') } },
    logging: { level: 'info', suppress_handler_traceback: true },
  }));
  const aliases = join(folder, 'aliases');
  writeFileSync(aliases, `/_vigil/, ${kPages}\n/resources/testharnessreport.js, ${kPages}\n`);
  // A group of its own: the server has a process for each port.
  const server = new Process('python3', [join(kRoot, 'tests/wpt/serve.py'), checkout, config, aliases], { detached: true, cwd: folder });
  const stop = async () => {
    if (server.status === undefined) process.kill(-server.pid, 'SIGKILL');
    await server.ended;
  };
  process.on('exit', () => {
    if (server.status === undefined) process.kill(-server.pid, 'SIGKILL');
  });
  const last = [...ports.http, ...ports.https];
  while (!(await Promise.all(last.map(accepts))).every(Boolean)) {
    if (server.status !== undefined) throw new Error(`the tests' server ended:\n${server.text()}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return {
    url: `https://${kHost}:${ports.https[0]}/`,
    // As it is called in the reference, which was measured on other ports.
    nameInReference: name => name.replaceAll(`:${ports.http[0]}`, ':18000').replaceAll(`:${ports.https[0]}`, ':18443'),
    daemonOptions: [
      '--ca-file', join(folder, 'certificates/cacert.pem'),
      ...[kHost, kOtherHost].flatMap(host => ['--resolve', `*.${host}:*:127.0.0.1`, '--resolve', `${host}:*:127.0.0.1`]),
    ],
    stop,
  };
}
