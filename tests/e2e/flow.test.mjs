// Back-pressure from end to end: whoever does not read, or does not take, holds the other side up, and the daemon keeps
// no more than a little of what is under way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { certificateFor, startSecure } from './support/secure-server.mjs';
import { Vigil } from './support/vigil.mjs';

const kHost = 'flow.vigil.test';
const kMiB = 1024 * 1024;
// What sockets, libcurl and the daemon may hold of one body on its way.
const kUnderWay = 48 * kMiB;
let certificate;
before(() => {
  certificate = certificateFor(kHost);
});

// Sends without end, as fast as it is taken; server.sent says how much.
function endless(server, response) {
  const block = Buffer.alloc(64 * 1024, 'x');
  const more = () => {
    while (response.writable) {
      server.sent += block.length;
      if (!response.write(block)) break;
    }
  };
  response.on('drain', more);
  more();
}

async function start(t, http2) {
  const server = await startSecure(t, certificate, (request, response) => {
    if (request.url === '/endless') return endless(server, response);
    if (request.url === '/taken-by-nobody') {
      request.pause();
      server.asked?.();
      return undefined;
    }
    response.setHeader('Content-Type', 'text/html');
    return response.end('<!doctype html>');
  }, { http2 });
  server.sent = 0;
  const vigil = await Vigil.start({
    options: ['--network', 'manual', '--ca-file', certificate.caFile, '--resolve', `${kHost}:*:127.0.0.1`],
  });
  t.after(() => vigil.stop());
  await vigil.call('network', 'online');
  return { server, vigil, url: `https://${kHost}:${server.port}/` };
}

function residentBytes(vigil) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${vigil.process.pid}/status`, 'utf8'))[1]) * 1024;
}

// Round trips in which whatever can move, moves: hundreds of times what may be under way would fit into them.
const kRoundTrips = 'for (let i = 0; i < 300; ++i) await (await fetch("/small")).text();';

for (const http2 of [false, true]) {
  const version = http2 ? 'HTTP/2' : 'HTTP/1.1';
  test(`a response that nobody reads stays at its server, and does not hold up others (${version})`, async t => {
    const { server, vigil, url } = await start(t, http2);
    await vigil.inPage(url, kRoundTrips);
    const before = residentBytes(vigil);
    await vigil.inPage(url, `
      const responses = await Promise.all([1, 2, 3].map(() => fetch('/endless')));
      globalThis.kept = responses;
      ${kRoundTrips}`);
    assert.ok(server.sent < 3 * kUnderWay, `the server could send ${server.sent} bytes`);
    assert.ok(residentBytes(vigil) - before < 3 * kUnderWay, `${residentBytes(vigil)} bytes, before ${before}`);
  });
}

test('a request body that nobody takes stays in its worker', async t => {
  const { server, vigil, url } = await start(t, true);
  await vigil.inPage(url, kRoundTrips);
  const before = residentBytes(vigil);
  const produced = await vigil.valueInPage(url, `(async () => {
    let produced = 0;
    const body = new ReadableStream({ pull(controller) {
      produced += 65536;
      controller.enqueue(new Uint8Array(65536));
    } });
    fetch('/taken-by-nobody', { method: 'POST', body, duplex: 'half' }).catch(() => {});
    ${kRoundTrips}
    return produced;
  })()`);
  assert.ok(produced > 0, 'it was asked for');
  assert.ok(produced < kUnderWay, `the worker was asked for ${produced} bytes`);
  assert.ok(residentBytes(vigil) - before < kUnderWay, `${residentBytes(vigil)} bytes, before ${before}`);
});
