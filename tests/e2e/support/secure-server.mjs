// Real https servers for tests, with a certificate authority that is made when the first one is asked for.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { makeFolder } from './processes.mjs';

let authority;

function openssl(...args) {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

// { key, cert, caFile } for these host names, which may begin with "*.".
export function certificateFor(...names) {
  authority ??= makeAuthority();
  const folder = makeFolder('certificate');
  const [key, request, cert, extensions] = ['key.pem', 'request.pem', 'cert.pem', 'extensions'].map(name => join(folder, name));
  writeFileSync(extensions, `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}`);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request, '-subj', `/CN=${names[0]}`);
  openssl('x509', '-req', '-in', request, '-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial',
    '-days', '2', '-out', cert, '-extfile', extensions);
  return { key: readFileSync(key), cert: readFileSync(cert), caFile: authority.cert };
}

function makeAuthority() {
  const folder = makeFolder('authority');
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=Vigil test authority');
  return { key, cert };
}

// A server on loopback for this test; http2: it speaks both. Counts the connections that were made to it.
export async function startSecure(t, certificate, handler, { http2 = false } = {}) {
  const sockets = new Set();
  const server = http2
    ? createSecureServer({ ...certificate, allowHTTP1: true }, handler)
    : createServer(certificate, handler);
  const result = { connections: 0, server };
  server.on('secureConnection', socket => {
    ++result.connections;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('sessionError', () => {});
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  result.port = server.address().port;
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  });
  return result;
}
