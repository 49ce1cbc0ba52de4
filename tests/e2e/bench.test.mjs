// make bench, in its quick form: the file has every number, in the promised form.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kNode, kRoot, makeFolder, run } from './support/processes.mjs';

const kNames = [
  'cold_start_p50_ms', 'cold_start_p95_ms', 'cold_start_workbox_p50_ms', 'warm_dispatch_p50_ms', 'registrations_per_s_1', 'registrations_per_s_64',
  'drain_1000_per_s', 'drain_5000_per_s', 'workbox_replay_per_s',
  'idb_strict_per_s', 'idb_relaxed_per_s', 'idb_get_per_s', 'idb_put_10000_ms', 'idb_cursor_10000_ms', 'cache_put_per_s', 'cache_match_per_s',
  'worker_private_kb_1', 'worker_private_kb_20', 'worker_private_kb_100', 'workers_200_mb', 'workers_200_delivered',
  'daemon_start_100k_ms', 'daemon_start_1m_ms', 'network_up_to_request_ms',
  ...['1e3', '1e5', '1e6'].flatMap(size => [
    'one_shot_bytes', 'periodic_bytes', 'register_ns', 'complete_ns', 'idle_tick_ns', 'next_wake_ns', 'network_return_ms', 'complete_all_ms',
  ].map(what => `engine_${what}_${size}`)),
];

test('the quick benchmark writes every number', async () => {
  const file = join(makeFolder('bench'), 'bench.json');
  const bench = await run(kNode, [join(kRoot, 'bench/bench.mjs'), '--quick', '--out', file], { seconds: 280 });
  assert.equal(bench.status, 0, bench.text());
  const rows = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(rows.map(row => row.name), kNames);
  for (const row of rows) {
    assert.equal(typeof row.unit, 'string', row.name);
    assert.ok(row.value > 0 || (row.value === null && row.why), `${row.name}: ${JSON.stringify(row)}`);
    assert.ok(row.peer === null || (typeof row.peer.name === 'string' && row.peer.value > 0), row.name);
    assert.ok(row.peer === null ? row.ratio === null : row.ratio > 0, row.name);
  }
});
