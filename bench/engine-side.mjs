// The engine alone, in one process, without store and workers: vigil-engine-bench measures, this file asks it once.
import { join } from 'node:path';
import { kRoot, run } from '../tests/e2e/support/processes.mjs';

// [what the program calls it, unit, what it means]
const kFigures = [
  ['one_shot_bytes', 'B', 'memory for each registration that waits for the network'],
  ['periodic_bytes', 'B', 'memory for each registration that waits for its period'],
  ['register_ns', 'ns', 'register() to its acknowledgement, among so many others'],
  ['complete_ns', 'ns', 'an event ends'],
  ['idle_tick_ns', 'ns', 'a tick with nothing due'],
  ['next_wake_ns', 'ns', 'when is the next tick due?'],
  ['network_return_ms', 'ms', 'the network returns and all of them start'],
  ['complete_all_ms', 'ms', 'all of them end'],
];

// Measurements as bench.mjs lists them. sizes: { label: number of registrations }.
export function engineMeasurements(sizes) {
  let answers;
  const ask = () => (answers ??= measureAll(Object.values(sizes)));
  return Object.entries(sizes).map(([label, size]) => ({
    rows: kFigures.map(([what, unit]) => [`engine_${what}_${label}`, unit]),
    what: kFigures.map(([, , meaning]) => meaning),
    peerLacks: true,
    measure: async () => {
      const rows = (await ask()).filter(row => row.n === size);
      return kFigures.map(([what]) => rows.find(row => row.what === what).value);
    },
  }));
}

async function measureAll(sizes) {
  const bench = await run(join(kRoot, 'build/bin/vigil-engine-bench'), sizes.map(String), { seconds: 300 });
  if (bench.status !== 0) throw new Error(`vigil-engine-bench: ${bench.text()}`);
  return bench.lines('stdout').map(line => JSON.parse(line));
}
