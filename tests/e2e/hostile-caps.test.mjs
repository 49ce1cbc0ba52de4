// Workers that pass the caps of the daemon. Each is stopped with a reason that its user can read, or refused as a
// browser would refuse it; its registration follows the retry rules; the daemon and the other app go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areStopped, isIdle, isStopped, othersGoOn, said, unleash } from './support/hostile.mjs';

areStopped({
  'makes more fetches in one event than it may': [/made more than 50 fetches in one event/,
    'for (let i = 0; i < 60; i++) await fetch("said");', { settings: { event_max_fetches: 50 } }],
  'has too many requests under way': [/has more than 100 requests under way/,
    'await Promise.all(Array.from({ length: 200 }, (_, i) => caches.open(String(i))));', { settings: { worker_max_requests: 100 } }],
});

test('a worker that floods another with messages is stopped, and the other is not', async t => {
  const world = await unleash(t, `
    const [client] = await clients.matchAll({ includeUncontrolled: true });
    const text = 'x'.repeat(1 << 20);
    for (;;) client.postMessage(text);`,
  { settings: { worker_max_message_bytes: 8 << 20 }, page: `navigator.serviceWorker.ready.then(({ sync }) => sync.register("evil")).then(() => {
      for (const end = Date.now() + 5000; Date.now() < end;);
    })` });
  await isStopped(world, /sends messages faster than they are read: 8388608 bytes wait/);
  await othersGoOn(world);
});

test('ten thousand fetches at once: those beyond the cap fail as in a browser', async t => {
  const hanging = new Set();
  const world = await unleash(t, `
    const abort = new AbortController();
    let refused = 0;
    const all = Array.from({ length: 10000 }, () => fetch('hang', { signal: abort.signal }).catch(error => { if (error.name === 'TypeError') refused++; }));
    await new Promise(resolve => { const look = () => refused >= 4000 ? resolve() : setTimeout(look, 10); look(); });
    abort.abort();
    await Promise.all(all);
    await say(refused);`, { files: { '/hang': (request, response) => hanging.add(response) }, settings: { sync_event_limit: '60s' } });
  assert.deepEqual(await said(world), [4000]);
  await othersGoOn(world);
});

test('a flood of console lines is cut off, and that is said', async t => {
  const world = await unleash(t, 'for (let i = 0; i < 50000; i++) console.log("line " + i); await say("done");',
    { settings: { worker_max_console_lines: 100 } });
  assert.deepEqual(await said(world), ['done']);
  const texts = (await world.vigil.json('log', '--console', '-n', '100000')).map(line => line.text ?? '');
  const lines = texts.filter(text => /^line /.test(text));
  assert.ok(lines.length >= 100 && lines.length < 25000, `${lines.length} lines`);
  assert.ok(texts.some(text => /too many console lines/.test(text)));
  await othersGoOn(world);
});

test('a flood of cache entries ends at the quota', async t => {
  const world = await unleash(t, `
    const cache = await caches.open('flood');
    const body = 'x'.repeat(1 << 20);
    await say(await nameOf(async () => { for (let i = 0; i < 100; i++) await cache.put('/' + i, new Response(body)); return 'no bound'; }));`,
  { settings: { origin_quota_bytes: 8 << 20 } });
  assert.deepEqual(await said(world), ['QuotaExceededError']);
  await othersGoOn(world);
});

test('a worker that goes on after its event is stopped when it has been idle', async t => {
  const world = await unleash(t, "setInterval(() => fetch('zombie'), 10); await say('done');",
    { settings: { worker_idle_stop: '1s' }, files: { '/zombie': 'ok' } });
  await said(world);
  await isIdle(world);
  await othersGoOn(world);
});
