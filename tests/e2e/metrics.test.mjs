// What a monitoring system reads: /metrics, held against the rules of OpenMetrics 1.0.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kManual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';

const kWorker = `self.addEventListener('sync', event => event.waitUntil(
  event.tag === 'fail' ? Promise.reject(new Error('no')) : fetch('ran', { method: 'POST' })));`;

// Families by name: { type, unit, help, samples: [{ name, labels, value }] }. Throws at what the format forbids.
function parse(text) {
  const families = new Map();
  const suffixes = { gauge: [''], counter: ['_total', '_created'], histogram: ['_bucket', '_count', '_sum', '_created'] };
  let current;
  assert.ok(text.endsWith('\n# EOF\n'));
  for (const line of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line);
    if (meta) {
      const [, what, name, value] = meta;
      if (what === 'TYPE') {
        assert.ok(!families.has(name), `${name} comes twice`);
        families.set(name, current = { name, type: value, samples: [] });
      }
      assert.equal(name, current.name, 'families are not interleaved');
      assert.equal(current.samples.length, 0, 'what is said of a family stands before its samples');
      if (what === 'UNIT') assert.ok(name.endsWith(`_${value}`), `${name} ends with its unit`);
      current[what.toLowerCase()] = value;
      continue;
    }
    const sample = /^([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (\S+)$/.exec(line);
    assert.ok(sample, line);
    const suffix = sample[1].slice(current.name.length);
    assert.ok(sample[1].startsWith(current.name) && suffixes[current.type].includes(suffix), line);
    const value = Number(sample[3]);
    assert.ok(Number.isFinite(value) && value >= 0, line);
    const labels = Object.fromEntries([...(sample[2] ?? '').matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    current.samples.push({ name: sample[1], suffix, labels, value });
  }
  for (const family of families.values()) {
    if (family.type !== 'histogram') continue;
    for (const { labels, value: count } of family.samples.filter(({ suffix }) => suffix === '_count')) {
      const buckets = family.samples.filter(({ suffix, labels: own }) => suffix === '_bucket' && own.kind === labels.kind);
      assert.equal(buckets.at(-1).labels.le, '+Inf');
      assert.equal(buckets.at(-1).value, count);
      for (const bucket of buckets.slice(0, -1)) assert.match(bucket.labels.le, /^\d+\.\d+$/, 'bounds are written as fractions');
      buckets.reduce((before, { value }) => { assert.ok(value >= before); return value; }, 0);
    }
  }
  return families;
}

test('events, registrations and workers are counted as OpenMetrics says', async t => {
  const vigil = await startVigil(t, [...kManual, '--listen', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp(kWorker, { '/ran': { body: '', status: 200 } }));
  await vigil.call('install', app.url);
  for (const tag of ['one', 'two', 'fail']) {
    assert.equal(await outcomeInPage(vigil, app.url, `registration.sync.register('${tag}')`), 'ok');
  }
  await app.requests('/ran', 2);
  const waiting = async () => (await vigil.json('syncs')).filter(({ attempts }) => attempts === 1).length === 1;
  while (!(await waiting())) await new Promise(resolve => setImmediate(resolve));

  const panel = new URL((await vigil.call('panel')).trim());
  const address = new URL('/metrics', panel).href;
  assert.equal((await fetch(address)).status, 403);
  const answer = await fetch(address, { headers: { Authorization: `Bearer ${panel.hash.slice('#token='.length)}` } });
  assert.equal(answer.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const families = parse(await answer.text());
  const value = (name, labels = {}) => families.get(name).samples
    .find(sample => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))?.value;
  assert.equal(value('vigil_events', { kind: 'sync', outcome: 'succeeded' }), 2);
  assert.equal(value('vigil_events', { kind: 'sync', outcome: 'rejected' }), 1);
  assert.equal(families.get('vigil_registrations').samples.reduce((sum, sample) => sum + sample.value, 0), 1);
  assert.equal(value('vigil_events', { kind: 'periodicsync', outcome: 'timeout' }), 0);
  assert.equal(value('vigil_registrations', { kind: 'sync', state: 'waiting' }), 1);
  assert.equal(value('vigil_registrations', { kind: 'periodicsync', state: 'suspended' }), 0);
  assert.equal(value('vigil_workers', { state: 'running' }), 1);
  assert.equal(value('vigil_apps'), 1);
  assert.equal(value('vigil_network_online'), 1);
  assert.ok(value('vigil_memory_bytes', { of: 'daemon' }) > 1e6);
  assert.ok(value('vigil_open_descriptors') > 3);
  assert.equal(families.get('vigil_event_run_seconds').samples.find(({ suffix, labels }) => suffix === '_count' && labels.kind === 'sync').value, 3);

  assert.equal(parse(`${(await vigil.call('metrics')).trimEnd()}\n`).size, families.size);
  const { families: listed } = await vigil.json('metrics');
  assert.deepEqual(listed.map(({ name }) => name), [...families.keys()]);
});
