// The example app's server keeps what it acknowledged, once, and fails when it is told to.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AppServer } from './support/app-server.mjs';

let server;
before(async () => { server = await AppServer.start(); });
after(() => server.stop());

function post(text, key) {
  return fetch(new URL('api/posts', server.url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ text }),
  });
}

test('a post that comes twice is kept once and answered alike', async () => {
  const first = await post('once', 'key-1');
  const second = await post('once', 'key-1');
  assert.equal(first.status, 201);
  assert.equal(second.status, 200);
  assert.deepEqual(await second.json(), await first.json());
  assert.equal((await server.posts()).filter(item => item.key === 'key-1').length, 1);
});

test('the same post many times at once is kept once', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('crowd', 'key-2')));
  assert.equal(answers.filter(answer => answer.status === 201).length, 1);
  assert.equal((await server.posts()).filter(item => item.key === 'key-2').length, 1);
});

test('what was acknowledged survives kill -9, and a torn last line is dropped', async () => {
  await post('durable', 'key-3');
  await server.process.kill('SIGKILL');
  appendFileSync(join(server.data, 'posts.jsonl'), '{"number":99,"key":"torn');
  await server.start();
  const texts = (await server.posts()).map(item => item.text);
  assert.deepEqual(texts, ['once', 'crowd', 'durable']);
  assert.equal((await post('after', 'key-4')).status, 201);
  assert.ok(readFileSync(join(server.data, 'posts.jsonl'), 'utf8').trimEnd().split('\n').every(line => JSON.parse(line)));
});

test('each failure mode fails in its way', async () => {
  await server.fail('unavailable');
  assert.equal((await post('x', 'key-5')).status, 503);
  await server.fail('refuse');
  assert.equal((await post('x', 'key-5')).status, 422);
  await server.fail('drop');
  await assert.rejects(post('x', 'key-5'));
  await server.fail('drop-after');
  await assert.rejects(post('x', 'key-6'));
  await server.fail('ok');
  assert.equal((await post('x', 'key-6')).status, 200, 'the post whose answer was lost is there');
});

test('the control call refuses forms of other pages, and unknown modes', async () => {
  const url = new URL('control/mode', server.url);
  assert.equal((await fetch(url, { method: 'POST', body: '{"mode":"drop"}' })).status, 400);
  await assert.rejects(server.fail('whatever'));
  assert.equal((await server.record()).mode, 'ok');
});

test('nothing outside the app is served', async () => {
  for (const path of ['..%2fserver.mjs', '%2e%2e/server.mjs', 'api/../../server.mjs', '%2fetc/passwd']) {
    assert.equal((await fetch(server.url + path)).status, 404, path);
  }
});
