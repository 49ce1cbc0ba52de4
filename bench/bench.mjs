// make bench: measures Vigil, and Debian's Chromium with the same work in the same run, prints a table and writes
// build/bench.json.
//
//   node bench/bench.mjs [--quick] [--only NAME,…] [--no-peer] [--out FILE]
//
// A row: { name, value, unit, peer: { name, value } or null, ratio }. A ratio above 1 means that Vigil is better. A value
// that could not be measured is null, and `why` says why.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { kChromium, whyNoChromium } from '../tests/e2e/support/chromium.mjs';
import { kRoot } from '../tests/e2e/support/processes.mjs';
import { engineMeasurements } from './engine-side.mjs';
import * as chromiumSide from './chromium-side.mjs';
import { NetworkNamespace } from './network-namespace.mjs';
import { median, round } from './statistics.mjs';
import * as vigilSide from './vigil-side.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    'no-peer': { type: 'boolean', default: false },
    out: { type: 'string', default: join(kRoot, 'build/bench.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) {
  console.log('usage: node bench/bench.mjs [--quick] [--only NAME,…] [--no-peer] [--out build/bench.json]');
  process.exit(0);
}
const pick = (full, quick) => (options.quick ? quick : full);

// One network namespace serves both sides, one after the other.
async function inNamespace(work) {
  const network = new NetworkNamespace();
  try {
    return await work(network);
  } finally {
    network.remove();
  }
}

// Each measurement gives the values of its rows, for one side. `peerLacks`: the peer has no such number. `rounds`: how
// often both sides are measured, one after the other; the median counts. For what is over in a second or two, in which
// the machine may be at its best or at its worst.
const kMeasurements = [
  {
    rows: [['cold_start_p50_ms', 'ms'], ['cold_start_p95_ms', 'ms']],
    what: 'event to a stopped worker → first line of its handler',
    measure: async side => {
      const { p50, p95 } = await side.coldStart(pick(200, 5));
      return [p50, p95];
    },
  },
  {
    rows: [['cold_start_workbox_p50_ms', 'ms']],
    what: 'the same, with Workbox imported',
    measure: async side => [(await side.coldStart(pick(100, 3), 'workbox.html')).p50],
  },
  { rows: [['warm_dispatch_p50_ms', 'ms']], what: 'event to a running worker → first line', measure: async side => [await side.warmDispatch(pick(200, 5))] },
  { rows: [['registrations_per_s_1', '1/s']], what: 'durable registrations, one caller', measure: async side => [await side.registrations(pick(1000, 50), 1)] },
  { rows: [['registrations_per_s_64', '1/s']], what: 'durable registrations, 64 callers', measure: async side => [await side.registrations(pick(4000, 200), 64)] },
  { rows: [['drain_1000_per_s', '1/s']], what: '1,000 queued posts by one sync', measure: async side => [await side.drain(pick(1000, 50))] },
  { rows: [['drain_5000_per_s', '1/s']], what: '5,000 queued posts by one sync', measure: async side => [await side.drain(pick(5000, 60))] },
  { rows: [['workbox_replay_per_s', '1/s']], what: 'replayRequests() of 5,000 requests', measure: async side => [await side.workboxReplay(pick(5000, 20))] },
  ...[
    ['idb_strict_per_s', '1/s', 'IndexedDB: one record per strict transaction', 'singlePuts', pick(3000, 50), 'strict'],
    ['idb_relaxed_per_s', '1/s', 'IndexedDB: one record per relaxed transaction', 'singlePuts', pick(3000, 50), 'relaxed'],
    ['idb_get_per_s', '1/s', 'IndexedDB: one get per transaction', 'singleGets', pick(5000, 50)],
    ['idb_put_10000_ms', 'ms', 'IndexedDB: 10,000 puts in one transaction', 'manyPuts', pick(10_000, 100)],
    ['idb_cursor_10000_ms', 'ms', 'IndexedDB: a cursor walks over 10,000 records', 'cursorWalk', pick(10_000, 100)],
    ['cache_put_per_s', '1/s', 'Cache: put of small responses', 'cachePuts', pick(1500, 50)],
    ['cache_match_per_s', '1/s', 'Cache: match of small responses', 'cacheMatches', pick(3000, 50)],
  ].map(([name, unit, what, ...work]) => ({ rows: [[name, unit]], what, rounds: pick(3, 1), measure: async side => [await side.storage(...work)] })),
  ...[1, 20, 100].map(origins => ({
    rows: [[`worker_private_kb_${origins}`, 'kB']],
    what: `private memory per idle worker, ${origins} origin${origins > 1 ? 's' : ''}`,
    measure: async side => [await side.workerMemory(pick(origins, Math.min(origins, 3)))],
  })),
  {
    rows: [['workers_200_mb', 'MB'], ['workers_200_delivered', '']],
    what: 'a running worker in each of 200 origins: all memory, and events delivered',
    measure: async side => {
      const { mb, delivered } = await side.manyWorkers(pick(200, 3));
      return [mb, delivered];
    },
    peerLacks: true,
  },
  ...[['100k', 100_000], ['1m', 1_000_000]].map(([label, count]) => ({
    rows: [[`daemon_start_${label}_ms`, 'ms']],
    what: `start of the daemon with ${count.toLocaleString('en-US')} registrations`,
    measure: async side => [await side.daemonStart(pick(count, 1000), pick(5, 1))],
    peerLacks: true,
  })),
  {
    rows: [['network_up_to_request_ms', 'ms']],
    what: 'a link comes up → first request',
    measure: side => inNamespace(async network => [await side.networkUp(network, pick(side === vigilSide ? 15 : 5, 2))]),
  },
  ...engineMeasurements({ '1e3': pick(1_000, 100), '1e5': pick(100_000, 200), '1e6': pick(1_000_000, 300) }),
];

function peerName() {
  if (options['no-peer']) return undefined;
  const why = whyNoChromium();
  if (why) {
    console.log(`No peer: ${why}.`);
    return undefined;
  }
  return execFileSync(kChromium, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(' ').slice(0, 2).join(' ');
}

const betterIsMore = unit => unit === '1/s';

// The values, or the reason why there are none.
async function attempt(measure, side) {
  try {
    return { values: await measure(side) };
  } catch (error) {
    return { why: error.message.split('\n')[0] };
  }
}

function rowOf(name, unit, own, theirs, peer) {
  const row = { name, value: own === undefined ? null : round(own), unit, peer: null, ratio: null };
  if (peer && theirs !== undefined && own !== undefined) {
    row.peer = { name: peer, value: round(theirs) };
    row.ratio = round(betterIsMore(unit) ? own / theirs : theirs / own);
  }
  return row;
}

function print(row, what) {
  const number = value => (value === null || value === undefined ? '–' : value.toLocaleString('en-US', { maximumSignificantDigits: 4 }));
  const cells = [row.name.padEnd(29), number(row.value).padStart(10), row.unit.padEnd(4), number(row.peer?.value).padStart(10), (row.ratio ? `× ${number(row.ratio)}` : '').padEnd(9)];
  console.log(`${cells.join(' ')} ${row.why ?? what}`);
}

// What both sides measure, round after round: a list of values for each, or the reason why there is none.
async function measureSides({ measure, rounds = 1, peerLacks }) {
  const sides = { own: vigilSide, ...(peer && !peerLacks ? { theirs: chromiumSide } : {}) };
  const results = { own: {}, theirs: {} };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, side] of Object.entries(sides)) {
      if (results[name].why || results.own.why) continue;
      const { values, why } = await attempt(measure, side);
      results[name] = why ? { why } : { all: [...(results[name].all ?? []), values] };
    }
  }
  for (const result of Object.values(results)) {
    if (result.all) result.values = result.all[0].map((_, index) => median(result.all.map(values => values[index])));
  }
  return results;
}

const peer = peerName();
const wanted = options.only?.split(',');
const rows = [];
let failed = false;
console.log(`${'name'.padEnd(29)} ${'Vigil'.padStart(10)} ${''.padEnd(4)} ${(peer ?? 'no peer').padStart(10)}`);
for (const measurement of kMeasurements) {
  const { rows: names, what } = measurement;
  if (wanted && !names.some(([name]) => wanted.includes(name))) continue;
  const { own, theirs } = await measureSides(measurement);
  names.forEach(([name, unit], index) => {
    const row = rowOf(name, unit, own.values?.[index], theirs.values?.[index], peer);
    const why = own.why ?? (theirs.why && `no peer: ${theirs.why}`);
    if (why) row.why = why;
    rows.push(row);
    print(row, Array.isArray(what) ? what[index] : what);
  });
  if (own.why && !own.why.includes('namespace')) failed = true;
}
mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, `[\n${rows.map(row => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`);
console.log(`\nWritten to ${options.out}. A ratio above 1 means that Vigil is better.`);
process.exit(failed ? 1 : 0);
