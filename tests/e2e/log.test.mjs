// The event log of a real daemon: what is recorded, for how long, and that nothing in it harms who reads it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kVirtual, startFiles, startVigil } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';

const kWorker = `
  self.addEventListener('sync', event => event.waitUntil(fetch('answer').then(answer => { if (!answer.ok) throw new Error('no'); })));
  self.addEventListener('periodicsync', event => event.waitUntil(fetch('answer').then(answer => { if (!answer.ok) throw new Error('no'); })));`;

async function installedApp(t) {
  const vigil = await startVigil(t, kVirtual);
  const server = await startFiles(t, minimalApp(kWorker, { '/answer': 'ok' }));
  await vigil.call('install', server.url);
  return { vigil, server };
}

const sync = tag => `await (await navigator.serviceWorker.ready).sync.register(${JSON.stringify(tag)});`;
const periodic = (tag, hours) =>
  `await (await navigator.serviceWorker.ready).periodicSync.register(${JSON.stringify(tag)}, { minInterval: ${hours} * 3600000 });`;
const events = async (vigil, ...options) => (await vigil.json('log', ...options)).filter(line => line.type === 'event');
const names = async (vigil, ...options) => (await events(vigil, ...options)).map(event => event.event);
const settled = (vigil, url) => eventually('nothing runs', () => vigil.syncs(url), syncs => syncs.every(one => one.reason !== 'running'));

test('a one-shot sync is recorded with the names and keys that DevTools show', async t => {
  const { vigil, server } = await installedApp(t);
  await vigil.call('record', 'on');
  server.files['/answer'] = { body: 'no', status: 503 };
  await vigil.inPage(server.url, sync('post'));
  await settled(vigil, server.url);
  await vigil.call('clock', 'advance', '20min');
  assert.deepEqual((await events(vigil)).map(({ service, event, tag, metadata }) => ({ service, event, tag, metadata })), [
    { event: 'Registered sync', metadata: {} },
    { event: 'Dispatched sync event', metadata: { 'Last Chance': 'No' } },
    { event: 'sync event failed', metadata: { 'Next Attempt Delay (ms)': '300000', 'Failure Reason': 'waitUntil rejected' } },
    { event: 'Dispatched sync event', metadata: { 'Last Chance': 'No' } },
    { event: 'sync event failed', metadata: { 'Next Attempt Delay (ms)': '900000', 'Failure Reason': 'waitUntil rejected' } },
    { event: 'Dispatched sync event', metadata: { 'Last Chance': 'Yes' } },
    { event: 'Sync completed', metadata: { Status: 'waitUntil rejected' } },
  ].map(line => ({ service: 'backgroundSync', tag: 'post', ...line })));
});

test('a periodic sync too, and one service can be recorded alone', async t => {
  const { vigil, server } = await installedApp(t);
  await vigil.call('record', 'on', '--service', 'periodicBackgroundSync');
  assert.match(await vigil.call('record'), /backgroundSync +off\n.*periodicBackgroundSync +until 2/s);
  await vigil.inPage(server.url, sync('not recorded') + periodic('news', 24));
  await vigil.call('clock', 'advance', '24h');
  server.files['/answer'] = { body: 'no', status: 503 };
  await vigil.call('clock', 'advance', '24h');
  await vigil.inPage(server.url, 'await (await navigator.serviceWorker.ready).periodicSync.unregister("news")');
  assert.deepEqual((await events(vigil)).map(({ service, event, tag, metadata }) => ({ service, event, tag, metadata })), [
    { event: 'Got next event delay', metadata: { 'Next Attempt Delay (ms)': '86400000' } },
    { event: 'Registered periodicsync', metadata: { minInterval: '86400000' } },
    { event: 'Dispatched periodicsync event', metadata: {} },
    { event: 'periodicsync event completed', metadata: { 'Next Attempt Delay (ms)': '86400000' } },
    { event: 'Dispatched periodicsync event', metadata: {} },
    { event: 'periodicsync event failed', metadata: { 'Next Attempt Delay (ms)': '300000', 'Failure Reason': 'waitUntil rejected' } },
    { event: 'Unregistered periodicsync', metadata: {} },
  ].map(line => ({ service: 'periodicBackgroundSync', tag: 'news', ...line })));
  await vigil.call('log', '--clear', '--service', 'backgroundSync');
  assert.equal((await events(vigil)).length, 7);
  assert.equal((await events(vigil, '-n', '2')).length, 2);
  await vigil.call('log', '--clear');
  assert.deepEqual(await events(vigil), []);
});

test('a recording lasts three days over restarts; the event that finds it over is dropped, and who follows is told', async t => {
  const { vigil, server } = await installedApp(t);
  await vigil.call('record', 'on');
  await vigil.call('clock', 'advance', '71h');
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'online');
  assert.equal((await vigil.json('record')).on, true);
  await vigil.inPage(server.url, sync('recorded'));
  await eventually('it is recorded', () => names(vigil), list => list.includes('Sync completed'));
  const follow = vigil.begin('log', '--follow', '--json');
  t.after(() => follow.kill());
  await follow.line(/Sync completed/);
  await vigil.call('clock', 'advance', '1h');
  assert.equal((await vigil.json('record')).on, false, 'over is over, although no event came yet');
  await vigil.inPage(server.url, sync('too late'));
  const told = JSON.parse(await follow.line(/"type":"recording"/));
  assert.deepEqual([told.service, told.on, told.until], ['backgroundSync', false, null]);
  assert.deepEqual([...new Set((await events(vigil)).map(event => event.tag))], ['recorded']);
  assert.match(await vigil.call('record'), /off/);
  await vigil.call('record', 'on');
  await vigil.inPage(server.url, sync('again'));
  await eventually('it is recorded again', () => events(vigil), list => list.some(event => event.tag === 'again'));
});

test('tags that would act on a terminal are shown escaped, and are whole in JSON', async t => {
  const { vigil, server } = await installedApp(t);
  await vigil.call('record', 'on');
  const page = (await vigil.call('page', 'open', server.url, '--keep')).trim();
  await vigil.call('network', 'offline');
  const tags = ['\u001b[2J\u001b]0;owned\u0007', 'line\n2026-01-01 00:00:00 UTC  https://forged.example/  all is well',
    'abc\u202edef', 'nul\u0000nul', '\u009b31m red', 'back\\slash "quoted"', '', 'x'.repeat(10240)];
  await vigil.call('page', 'eval', page, tags.map(sync).join('\n'));
  const ordered = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  assert.deepEqual((await vigil.syncs()).map(one => one.tag).sort(ordered), [...tags].sort(ordered));
  assert.deepEqual((await events(vigil)).map(event => event.tag), tags);
  for (const command of [['log'], ['syncs'], ['log', '--json'], ['syncs', '--json']]) {
    const text = await vigil.call(...command);
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/, command.join(' '));
    assert.ok(text.trimEnd().split('\n').length <= tags.length + 2, 'no line is forged');
  }
  assert.match(await vigil.call('syncs'), /^"\\x1b\[2J\\x1b\]0;owned\\x07" /m);
  assert.match(await vigil.call('log'), /Registered sync "x{60}"… \(10240 bytes\)/);
});

test('rows that make no sense cost themselves only', async t => {
  const { vigil, server } = await installedApp(t);
  await vigil.call('record', 'on');
  await vigil.inPage(server.url, sync('before'));
  await eventually('it is recorded', () => names(vigil), list => list.includes('Sync completed'));
  await vigil.stop();
  const database = new DatabaseSync(join(vigil.data, 'log.db'));
  database.exec(`INSERT INTO events (at_us, service, origin, registration, name, instance, metadata) VALUES
    (9223372036854775807, 3, x'ff', -1, x'00ff', x'c328', x'00'), ('soon', 'what', 7, 'x', 1.5, x'00', 'odd'),
    (-9223372036854775808, 7, 'http://x', 1, 'n', 't', 'a' || char(0)), (1, 99, 'http://x', 1, 'n', 't', '')`);
  database.close();
  await vigil.start();
  await vigil.call('network', 'online');
  await vigil.inPage(server.url, sync('after'));
  await eventually('it is recorded', () => events(vigil), list => list.filter(event => event.event === 'Sync completed').length === 2);
  assert.ok((await vigil.call('log')).includes('Registered sync "before"'));
});

test('the log as CSV: a row for each line, formulas as text, and nothing that acts on a terminal', async t => {
  const { vigil, server } = await installedApp(t);
  const head = 'time,type,origin,service,tag,text';
  assert.equal(await vigil.call('log', '--csv'), `${head}\r`);
  await vigil.call('record', 'on');
  const page = (await vigil.call('page', 'open', server.url, '--keep')).trim();
  await vigil.call('network', 'offline');
  await vigil.call('page', 'eval', page, ['=1+1', 'a "b", c', '\u001b[2J', 'line\r\n-1'].map(sync).join('\n'));
  await vigil.call('clock', 'advance', '1min');
  await vigil.call('page', 'eval', page, 'console.warn("@SUM(A1)")');
  const csv = await vigil.call('log', '--csv', '--console');
  const origin = new URL(server.url).origin;
  assert.deepEqual(csv.replace(/\r$/, '').split('\r\n').map(row => row.replace(/^[0-9][0-9TZ:.-]+,/, '')), [
    head,
    `event,${origin},backgroundSync,'=1+1,Registered sync`,
    `event,${origin},backgroundSync,"a ""b"", c",Registered sync`,
    `event,${origin},backgroundSync,\\x1b[2J,Registered sync`,
    `event,${origin},backgroundSync,line\\r\\n-1,Registered sync`,
    `console,${origin},warn,,'@SUM(A1)`,
  ]);
  const both = await vigil.run('log', '--csv', '--json');
  assert.equal(both.status, 2, both.text());
  const follower = vigil.begin('log', '--csv', '--follow');
  t.after(() => follower.kill());
  await follower.line(/^time,type,origin,service,tag,text/);
  await follower.line(/line\\r\\n-1,Registered sync/);
  await vigil.call('page', 'eval', page, sync('later'));
  await follower.line(/,later,Registered sync/);
});
