// make soak: a day of virtual time and 100,000 events through one daemon; its memory and descriptors must stay flat.
//
//   node tests/soak/soak.mjs [--hours N] [--events N] [--origins N] [--out FILE]
//
// Each virtual minute some apps register tags while the network is down; it comes up, all are fired, the minute passes
// (workers stop after half of it) and now and then a server fails, so that retries run too. Prints a line an hour; ends
// with status 1 if an event is missing, or memory or descriptors grew.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandOf, descendantsOf, privateKb } from '../../bench/memory.mjs';
import { Api } from '../e2e/support/api.mjs';
import { startCountingApp } from '../e2e/support/counting-app.mjs';
import { kVirtual } from '../e2e/support/fixture.mjs';
import { kRoot } from '../e2e/support/processes.mjs';
import { Vigil } from '../e2e/support/vigil.mjs';

const { values: options } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    events: { type: 'string', default: '100000' },
    origins: { type: 'string', default: '20' },
    out: { type: 'string', default: join(kRoot, 'build/soak.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) {
  console.log('usage: node tests/soak/soak.mjs [--hours 24] [--events 100000] [--origins 20] [--out build/soak.json]');
  process.exit(0);
}
const minutes = Number(options.hours) * 60;
const wanted = Number(options.events);
const kTagsPerApp = 10;
const kBusyApps = Math.max(1, Math.round(wanted / minutes / kTagsPerApp));
// Of these minutes every one in thirty finds a server that fails.
const kFailEvery = 30;
// What a daemon may grow between the first quarter of the day and its end.
const kAllowedGrowth = 1.1;

const ran = new Map();  // tag → how often its run reached the server and was answered
let failing = false;
function onRun(_kind, tag) {
  if (failing) return 503;
  ran.set(tag, (ran.get(tag) ?? 0) + 1);
  return 204;
}

const vigil = await Vigil.start({ options: kVirtual });
const api = new Api(vigil.data);
const apps = [];
for (let number = 0; number < Number(options.origins); number += 1) {
  const server = await startCountingApp(onRun, { host: `127.0.0.${number + 1}` });
  apps.push({ server });
}
await api.post('/v1/network', { mode: 'online' });
for (const app of apps) {
  await vigil.call('install', app.server.url);
  app.page = await api.openPage(app.server.url);
  await api.evaluate(app.page, 'navigator.serviceWorker.ready.then(() => 0)');
}

function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function measure(hour) {
  const daemon = vigil.process.pid;
  const zygote = descendantsOf(daemon).find(pid => commandOf(pid).includes('vigil-worker'));
  return {
    hour,
    events: [...ran.values()].reduce((total, count) => total + count, 0),
    daemon_kb: privateKb(daemon),
    daemon_descriptors: descriptors(daemon),
    zygote_kb: zygote ? privateKb(zygote) : 0,
    zygote_descriptors: zygote ? descriptors(zygote) : 0,
    processes: descendantsOf(daemon).length,
  };
}

// Registers tags in one page; resolves when each is durable.
function register(app, tags) {
  return api.evaluate(app.page, `navigator.serviceWorker.ready.then(registration =>
    Promise.all(${JSON.stringify(tags)}.map(tag => registration.sync.register(tag)))).then(() => 'ok')`);
}

const asked = [];
const samples = [];
const started = performance.now();
console.log('HOUR    EVENTS  DAEMON kB  FDs  ZYGOTE kB  FDs  PROCESSES');
for (let minute = 0; minute < minutes; minute += 1) {
  await api.post('/v1/network', { mode: 'offline' });
  const busy = Array.from({ length: kBusyApps }, (_, index) => apps[(minute * kBusyApps + index) % apps.length]);
  await Promise.all([...new Set(busy)].map(app => {
    const tags = Array.from({ length: kTagsPerApp * busy.filter(other => other === app).length }, (_, index) => `${minute}-${index}-${apps.indexOf(app)}`);
    asked.push(...tags);
    return register(app, tags);
  }));
  failing = minute % kFailEvery === kFailEvery - 1;
  await api.post('/v1/network', { mode: 'online' });
  await api.post('/v1/clock/advance', { by: '30s' });
  failing = false;
  await api.post('/v1/clock/advance', { by: '30s' });
  if (minute % 60 !== 59) continue;
  const sample = measure((minute + 1) / 60);
  samples.push(sample);
  console.log([[sample.hour, 4], [sample.events, 10], [sample.daemon_kb, 11], [sample.daemon_descriptors, 5], [sample.zygote_kb, 11],
    [sample.zygote_descriptors, 5], [sample.processes, 11]].map(([value, width]) => String(value).padStart(width)).join(''));
}
// What failed has its retries within twenty minutes.
await api.post('/v1/clock/advance', { by: '30m' });
const seconds = Math.round((performance.now() - started) / 1000);

const problems = [];
const missing = asked.filter(tag => !ran.has(tag));
const twice = asked.filter(tag => ran.get(tag) > 1);
if (missing.length > 0) problems.push(`${missing.length} of ${asked.length} tags never ran, for instance ${missing[0]}`);
if (twice.length > 0) problems.push(`${twice.length} tags succeeded twice, for instance ${twice[0]}`);
const early = samples[Math.floor(samples.length / 4)];
const last = samples.at(-1);
for (const name of ['daemon_kb', 'zygote_kb', 'daemon_descriptors', 'zygote_descriptors']) {
  if (early && last[name] > early[name] * kAllowedGrowth) problems.push(`${name} grew from ${early[name]} to ${last[name]}`);
}
api.close();
await vigil.stop();
for (const { server } of apps) await server.close();

mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, `${JSON.stringify({ minutes, asked: asked.length, ran: ran.size, seconds, samples, problems }, null, 2)}\n`);
for (const problem of problems) console.log(`soak: ${problem}`);
console.log(`soak: ${ran.size} of ${asked.length} tags ran in ${minutes / 60} h of virtual time (${seconds} s): ${problems.length === 0 ? 'flat' : 'NOT flat'}`);
process.exit(problems.length === 0 ? 0 : 1);
