// make torture: kills, power cuts and failing disks against the real daemon. Exit status 1 if a promise was broken.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kRoot } from '../e2e/support/processes.mjs';
import { campaign } from './campaigns.mjs';

const kHelp = `make torture [SEED=n] [KILLS=n] [CUTS=n] [FAULTS=n] [LANES=n]

Plays with real daemons, workers and apps, and hurts them:
  kills    kill -9 at random moments, while starting too
  cuts     the same on a disk that forgets what was not synced (a SQLite VFS of ours)
  faults   writes and syncs fail or the disk is full, at random moments, and heal later
Meanwhile posts are published, one-shot and periodic syncs come and go, permissions and the network change, and an app
is installed and removed. Then: nothing acknowledged may be lost, nothing may run twice without a cause, nothing may be
stuck, and the records must be readable at every start.

  --seed N          repeats the moments and choices of a run as far as processes allow (default: the clock)
  --kills N         (default 1000)   --cuts N (default 300)   --faults N (default 300)
  --lanes N         daemons at the same time (default 2)
  --json FILE       the figures (default build/torture.json)
  --help`;

function readArguments() {
  const number = { type: 'string' };
  const { values } = parseArgs({
    options: { seed: number, kills: number, cuts: number, faults: number, lanes: number, json: number, help: { type: 'boolean' } },
  });
  const count = (name, otherwise) => {
    const text = values[name] || String(otherwise);
    if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text} is not a number; see --help`);
    return Number(text);
  };
  return {
    help: values.help,
    seed: count('seed', Date.now() % 1_000_000),
    lanes: Math.max(1, count('lanes', 2)),
    json: values.json || join(kRoot, 'build/torture.json'),
    rounds: { kills: count('kills', 1000), cuts: count('cuts', 300), faults: count('faults', 300) },
  };
}

function showProgress(name, rounds) {
  const began = performance.now();
  return done => {
    if (!process.stderr.isTTY) return;
    const rate = done / ((performance.now() - began) / 1000);
    const left = Math.ceil((rounds - done) / rate);
    process.stderr.write(`\r\x1b[K${name}: ${done} of ${rounds}, ${rate.toFixed(1)}/s, ${left} s left`);
    if (done === rounds) process.stderr.write('\r\x1b[K');
  };
}

const kColumns = [
  ['rounds', 'rounds'], ['killed', 'deaths'], ['failures', 'faults'], ['starts', 'starts'], ['acknowledged', 'acknowledged'],
  ['refused', 'refused'], ['delivered', 'delivered'], ['re-runs', 'reruns'], ['posts', 'posts'],
  ['lost', 'lost'], ['stuck', 'stuck'], ['violations', 'violation_count'], ['seconds', 'seconds'],
];

function printTable(figures) {
  const rows = [['', ...kColumns.map(([title]) => title)],
    ...figures.map(figure => [figure.name, ...kColumns.map(([, key]) => String(figure[key]))])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '));
  }
}

async function main() {
  const options = readArguments();
  if (options.help) return console.log(kHelp);
  console.log(`torture: seed ${options.seed}`);
  const figures = [];
  for (const [name, rounds] of Object.entries(options.rounds)) {
    if (rounds === 0) continue;
    const figure = await campaign(name, {
      rounds, seed: options.seed, lanes: Math.min(options.lanes, rounds), progress: showProgress(name, rounds),
    });
    figures.push({ ...figure, violation_count: figure.violations.length });
  }
  printTable(figures);
  writeFileSync(options.json, `${JSON.stringify({ seed: options.seed, campaigns: figures }, undefined, 2)}\n`);
  console.log(`figures: ${options.json}`);
  const violations = figures.flatMap(figure => figure.violations);
  for (const violation of violations.slice(0, 20)) console.error(`broken promise: ${violation}`);
  if (violations.length === 0) return undefined;
  console.error(`torture: ${violations.length} broken promises; repeat with SEED=${options.seed}`);
  process.exitCode = 1;
  return undefined;
}

try {
  await main();
} catch (error) {
  console.error(`torture: ${error.message}`);
  process.exitCode = 2;
}
process.exit();
