// Every odd tag and every odd minInterval, from a page and from a service worker, with its result. docs/limits.md
// has the same tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kVirtual, startFiles, startVigil } from './support/fixture.mjs';

const kBound = 'DOMException InvalidAccessError: Attempted to register a sync event without a window or registration tag too long.';
const kRead = "TypeError TypeError: Failed to execute 'register' on 'PeriodicSyncManager': Failed to read the 'minInterval' property from 'BackgroundSyncOptions': ";
const kRange = `${kRead}Value is outside the 'unsigned long long' value range.`;
const kNoNumber = `${kRead}Value is not of type 'unsigned long long'.`;
const kInfinite = `${kRead}Value is infinite and not of type 'unsigned long long'.`;

// [expression, result, tag as registered]
const kTags = [
  ["''", 'ok', ''],
  ["'a'.repeat(10240)", 'ok', 'a'.repeat(10240)],
  ["'a'.repeat(10241)", kBound],
  ["'ä'.repeat(5120)", 'ok', 'ä'.repeat(5120)],
  ["'ä'.repeat(5120) + 'a'", kBound],
  ["'\u{1F680}'.repeat(2560)", 'ok', '\u{1F680}'.repeat(2560)],
  ["'\u{1F680}'.repeat(2560) + 'a'", kBound],
  ["'nul' + String.fromCharCode(0) + 'nul'", 'ok', 'nul\u0000nul'],
  // Not a character: it becomes U+FFFD, as in every text that leaves JavaScript. Two of them are one tag.
  ["'lone' + String.fromCharCode(0xD800)", 'ok', 'lone\uFFFD'],
  ["'lone' + String.fromCharCode(0xDFFF)", 'ok', 'lone\uFFFD'],
  ["String.fromCharCode(0xD800).repeat(3414)", kBound],
  ['null', 'ok', 'null'],
  ['undefined', 'ok', 'undefined'],
  ['7', 'ok', '7'],
  ['-0', 'ok', '0'],
  ['1n', 'ok', '1'],
  ['{}', 'ok', '[object Object]'],
  ["Symbol('s')", 'TypeError TypeError: Cannot convert a Symbol value to a string'],
  ["{ toString() { throw new RangeError('mine'); } }", 'RangeError RangeError: mine'],
];
// [expression, result, minInterval as registered]
const kIntervals = [
  ['undefined', 'ok', 0],
  ['null', 'ok', 0],
  ['0', 'ok', 0],
  ['-0', 'ok', 0],
  ['-0.9', 'ok', 0],
  ['0.9', 'ok', 0],
  ['1.9', 'ok', 1],
  ['true', 'ok', 1],
  ["''", 'ok', 0],
  ["' 12 '", 'ok', 12],
  ["'0x10'", 'ok', 16],
  ['[]', 'ok', 0],
  ['[5]', 'ok', 5],
  ['{ valueOf: () => 42 }', 'ok', 42],
  ['new Date(86400000)', 'ok', 86400000],
  ['2 ** 53 - 1', 'ok', 2 ** 53 - 1],
  ['-1', kRange],
  ['-(2 ** 53)', kRange],
  ['2 ** 53', kRange],
  ['2 ** 64', kRange],
  ['1e300', kRange],
  ['Infinity', kInfinite],
  ['-Infinity', kInfinite],
  ['NaN', kNoNumber],
  ["'abc'", kNoNumber],
  ['{}', kNoNumber],
  ['() => 1', kNoNumber],
  ['1n', 'TypeError TypeError: Cannot convert a BigInt value to a number'],
  ["Symbol('s')", 'TypeError TypeError: Cannot convert a Symbol value to a number'],
  ["{ valueOf() { throw new RangeError('mine'); } }", 'RangeError RangeError: mine'],
];
// The options as a whole. `get` is a property that throws.
const kOptions = [
  ['undefined', 'ok'],
  ['null', 'ok'],
  ['{}', 'ok'],
  ['() => {}', 'ok'],
  ['{ get minInterval() { throw new RangeError("mine"); } }', 'RangeError RangeError: mine'],
  ['7', "TypeError TypeError: Failed to execute 'register' on 'PeriodicSyncManager': The provided value is not of type 'BackgroundSyncOptions'."],
];

// Runs in both scopes: calls `call` with the value of each expression in turn, and lists how it ended.
const kProbe = `
  const outcome = async call => {
    try {
      const value = await call();
      return value === undefined ? 'ok' : 'resolved with ' + String(value);
    } catch (error) {
      return error.constructor.name + ' ' + error.name + ': ' + error.message;
    }
  };
  const probe = async registration => {
    const sync = registration.sync, periodic = registration.periodicSync;
    const found = { tags: [], periodicTags: [], intervals: [], options: [] };
    for (const value of [${kTags.map(([text]) => `() => (${text})`).join(', ')}]) {
      found.tags.push(await outcome(() => sync.register(value())));
      found.periodicTags.push(await outcome(() => periodic.register(value())));
    }
    for (const [i, value] of [${kIntervals.map(([text]) => `() => (${text})`).join(', ')}].entries())
      found.intervals.push(await outcome(() => periodic.register('interval ' + i, { minInterval: value() })));
    for (const [i, value] of [${kOptions.map(([text]) => `() => (${text})`).join(', ')}].entries())
      found.options.push(await outcome(() => periodic.register('options ' + i, value())));
    return { ...found, registered: await sync.getTags(), registeredPeriodic: await periodic.getTags() };
  };`;

const kWorker = `${kProbe}
  addEventListener('message', event => event.waitUntil(probe(registration).then(found => event.source.postMessage(found))));`;

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

for (const scope of ['page', 'worker']) {
  test(`odd tags and intervals from a ${scope}`, async t => {
    const vigil = await startVigil(t, kVirtual);
    const server = await startFiles(t, minimalApp(kWorker));
    await vigil.call('install', server.url);
    await vigil.call('record', 'on');
    const page = (await vigil.call('page', 'open', server.url, '--keep')).trim();
    await vigil.call('network', 'offline');
    const { value: found } = await vigil.json('page', 'eval', page, scope === 'page'
      ? `(async () => { ${kProbe} return probe(await navigator.serviceWorker.ready); })()`
      : `new Promise(async resolve => {
           navigator.serviceWorker.onmessage = event => resolve(event.data);
           (await navigator.serviceWorker.ready).active.postMessage(0);
         })`);
    const pairs = (cases, results) => cases.map(([text], i) => [text.slice(0, 60), results[i]]);
    const expected = cases => cases.map(([text, result]) => [text.slice(0, 60), result]);
    assert.deepEqual(pairs(kTags, found.tags), expected(kTags));
    assert.deepEqual(pairs(kTags, found.periodicTags), expected(kTags));
    assert.deepEqual(pairs(kIntervals, found.intervals), expected(kIntervals));
    assert.deepEqual(pairs(kOptions, found.options), expected(kOptions));

    const tags = [...new Set(kTags.filter(([, result]) => result === 'ok').map(([, , tag]) => tag))].sort(byBytes);
    assert.deepEqual(found.registered, tags, 'getTags() has them in the order of their bytes');
    const syncs = await vigil.syncs(server.url);
    assert.deepEqual(syncs.filter(one => one.kind === 'sync').map(one => one.tag), tags);
    // As given, to the millisecond: also the longest.
    const intervals = Object.fromEntries(syncs.filter(one => one.tag.startsWith('interval ')).map(one => [one.tag, one.min_interval_ms]));
    assert.deepEqual(intervals, Object.fromEntries(kIntervals.flatMap(([, result, ms], i) => result === 'ok' ? [[`interval ${i}`, ms]] : [])));
    const logged = (await vigil.json('log', '-n', '10000', '--service', 'periodicBackgroundSync'))
      .filter(line => line.event === 'Registered periodicsync' && line.tag.startsWith('interval '));
    assert.deepEqual(Object.fromEntries(logged.map(line => [line.tag, Number(line.metadata.minInterval)])), intervals);

    // They survive a restart, and what can run does.
    await vigil.restart();
    assert.deepEqual((await vigil.syncs(server.url)).map(one => [one.tag, one.min_interval_ms]), syncs.map(one => [one.tag, one.min_interval_ms]));
    await vigil.call('network', 'online');
    await vigil.call('clock', 'advance', '48h');
    const left = await vigil.syncs(server.url);
    assert.deepEqual(left.filter(one => one.kind === 'sync'), []);
    const longest = left.find(one => one.min_interval_ms === 2 ** 53 - 1);
    assert.equal(longest.reason, 'waiting-for-period');
    assert.ok(new Date(longest.next_time).getUTCFullYear() >= 2120, 'waits are cut to a hundred years');
  });
}
