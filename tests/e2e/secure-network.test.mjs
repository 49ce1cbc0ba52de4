// The daemon as a client of real https servers: whom it trusts, where it finds them, and through whom it goes.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { makeFolder } from './support/processes.mjs';
import { assertRefused } from './support/refusals.mjs';
import { certificateFor, startSecure } from './support/secure-server.mjs';
import { Vigil } from './support/vigil.mjs';

const kHost = 'shop.vigil.test';
let certificate;
before(() => {
  certificate = certificateFor(kHost, `*.${kHost}`);
});

async function startTrusting(t, options, spawn) {
  const vigil = await Vigil.start({ options: ['--network', 'manual', ...options], spawn });
  t.after(() => vigil.stop());
  await vigil.call('network', 'online');
  return vigil;
}

const answerPage = (request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(`<!doctype html><title>${request.url}</title>`);
};
const fetchText = url => `fetch(${JSON.stringify(url)}).then(response => response.text(), error => error.name)`;

test('--ca-file adds a trust root and --resolve a name', async t => {
  const server = await startSecure(t, certificate, answerPage);
  const origin = `https://${kHost}:${server.port}`;
  const vigil = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', `${kHost}:${server.port}:127.0.0.1`]);
  assert.match(await vigil.valueInPage(`${origin}/`, fetchText(`${origin}/here`)), /<title>\/here/);
});

test('--resolve takes every name below a name, and every port', async t => {
  const server = await startSecure(t, certificate, answerPage);
  const vigil = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', `*.${kHost}:*:127.0.0.1`]);
  const origin = `https://www.${kHost}:${server.port}`;
  assert.match(await vigil.valueInPage(`${origin}/`, fetchText('/below')), /<title>\/below/);
});

test('a server whose certificate nobody vouches for is not talked to', async t => {
  const asked = [];
  const server = await startSecure(t, certificate, (request, response) => {
    asked.push(request.url);
    response.end();
  });
  const vigil = await startTrusting(t, ['--resolve', `${kHost}:*:127.0.0.1`]);
  await assertRefused(vigil.run('page', 'open', `https://${kHost}:${server.port}/`), /certificate/);
  assert.deepEqual(asked, []);
});

test('a server with the certificate of another name is not talked to', async t => {
  const server = await startSecure(t, certificate, answerPage);
  const vigil = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', 'other.test:*:127.0.0.1']);
  await assertRefused(vigil.run('page', 'open', `https://other.test:${server.port}/`), /certificate/);
});

test('options that cannot be understood keep the daemon from starting', async () => {
  const notOne = join(makeFolder('ca'), 'empty.pem');
  writeFileSync(notOne, 'nothing\n');
  for (const [options, pattern] of [
    [['--ca-file', '/nowhere/ca.pem'], /cannot read the certificates in \/nowhere\/ca\.pem/],
    [['--ca-file', notOne], /no certificate in PEM form/],
    [['--resolve', 'shop.example:443'], /HOST:PORT:ADDRESS/],
    [['--resolve', 'shop.example:443:elsewhere.example'], /no IP address/],
  ]) {
    const vigil = new Vigil({ options });
    await assertRefused(vigil.serve().ended, pattern);
  }
});

// A proxy that tunnels, and says where it was asked to lead.
async function startProxy(t, target) {
  const tunnels = [];
  const proxy = createServer((request, response) => response.writeHead(501).end());
  proxy.on('connect', (request, socket, head) => {
    tunnels.push(request.url);
    const onward = connect(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => end.destroy());
  });
  await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return { tunnels, url: `http://127.0.0.1:${proxy.address().port}` };
}

test('the proxy of the environment is used, but not for what NO_PROXY names', async t => {
  const server = await startSecure(t, certificate, answerPage);
  const proxy = await startProxy(t, server.port);
  const origin = `https://${kHost}:${server.port}`;
  const environment = { HTTPS_PROXY: proxy.url, https_proxy: undefined, no_proxy: undefined };
  const through = await startTrusting(t, ['--ca-file', certificate.caFile], { env: environment });
  assert.match(await through.valueInPage(`${origin}/`, fetchText('/through')), /<title>\/through/);
  assert.deepEqual(new Set(proxy.tunnels), new Set([`${kHost}:${server.port}`]));

  proxy.tunnels.length = 0;
  const around = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', `${kHost}:*:127.0.0.1`], { env: environment });
  assert.match(await around.valueInPage(`${origin}/`, fetchText('/mapped')), /<title>\/mapped/);
  const excepted = await startTrusting(t, ['--ca-file', certificate.caFile], { env: { ...environment, NO_PROXY: kHost } });
  await assertRefused(excepted.run('page', 'open', `${origin}/`), /host of https:\/\/shop\.vigil\.test.* is not known/);
  assert.deepEqual(proxy.tunnels, []);
});

test('one HTTP/2 connection carries the requests of a page side by side', async t => {
  const versions = [];
  const waiting = [];
  const server = await startSecure(t, certificate, (request, response) => {
    versions.push(request.httpVersion);
    if (!request.url.startsWith('/together')) return answerPage(request, response);
    // Nobody is answered before all are here.
    waiting.push(response);
    if (waiting.length === 20) for (const each of waiting) each.end('all');
    return undefined;
  }, { http2: true });
  const vigil = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', `${kHost}:*:127.0.0.1`]);
  const all = 'Promise.all(Array.from({ length: 20 }, (_, i) => fetch(`/together/${i}`).then(r => r.text()))).then(texts => texts.join(" "))';
  assert.equal(await vigil.valueInPage(`https://${kHost}:${server.port}/`, all), Array(20).fill('all').join(' '));
  assert.deepEqual(new Set(versions), new Set(['2.0']));
  assert.equal(server.connections, 1);
});

test('over HTTP/1.1 an origin gets at most six connections, which are used again', async t => {
  let open = 0;
  let most = 0;
  const server = await startSecure(t, certificate, (request, response) => {
    if (!request.url.startsWith('/many')) return answerPage(request, response);
    most = Math.max(most, ++open);
    // Long enough for every request that may come to be here beside this one.
    return setImmediate(() => setImmediate(() => {
      --open;
      response.end('one');
    }));
  });
  const vigil = await startTrusting(t, ['--ca-file', certificate.caFile, '--resolve', `${kHost}:*:127.0.0.1`]);
  const all = 'Promise.all(Array.from({ length: 60 }, (_, i) => fetch(`/many/${i}`).then(r => r.text()))).then(texts => texts.length)';
  assert.equal(await vigil.valueInPage(`https://${kHost}:${server.port}/`, all), 60);
  assert.ok(most <= 6, `${most} at a time`);
  assert.ok(server.connections <= 6, `${server.connections} connections`);
});
