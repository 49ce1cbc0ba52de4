// Rows that make no sense in a database that SQLite finds sound: they are passed over with a warning, or their values
// are cut to what is possible, and everything else works.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { kVirtual, publish, startServer, startVigil } from './support/fixture.mjs';

const kMost = '9223372036854775807';
const kLeast = '-9223372036854775808';
// Each table's rows; what stands between backticks is this test's app's origin.
const kRows = `
  INSERT INTO sync_registrations (worker_registration, tag, kind, origin, min_interval_ms, attempts, max_attempts, due_us, delay_us, anchor_us, registered_at_us, lost_network, last_fired_us) VALUES
    (1, 'huge', 1, 'ORIGIN', ${kMost}, ${kMost}, ${kMost}, ${kMost}, ${kMost}, ${kMost}, ${kMost}, 1, ${kMost}),
    (1, 'tiny', 1, 'ORIGIN', ${kLeast}, ${kLeast}, ${kLeast}, ${kLeast}, ${kLeast}, ${kLeast}, ${kLeast}, 0, ${kLeast}),
    (1, 'overdue', 0, 'ORIGIN', 7, -5, 0, 1, -1, 0, 0, 1, NULL),
    (1, 'no such kind', 9, 'ORIGIN', -1, 0, 3, NULL, 0, 0, 0, 0, NULL),
    (1, x'ff', 0, 'ORIGIN', -1, 0, 3, NULL, 0, 0, 0, 0, NULL);
  INSERT INTO worker_registrations (id, origin, scope, update_via_cache, last_update_check_us) VALUES
    (50, 'ORIGIN', 'no URL', 'imports', ${kLeast}), (51, 'ORIGIN', 'https://elsewhere.example/', 'imports', 0), (52, 'ORIGIN', x'ff', x'fe', 0), (53, 'ORIGIN', 'ORIGIN/deep/', 'imports', 0);
  INSERT INTO worker_versions (id, registration, active, script_url, state, module, listeners, referrer_policy) VALUES
    (60, 53, 1, 'no URL either', 'what', 5, 'sync', ''), (61, 50, 1, 'ORIGIN/sw.js', 'activated', 0, '', '');
  UPDATE sqlite_sequence SET seq = ${kMost} WHERE name = 'worker_versions';
  INSERT INTO apps (id, origin, name, start_url, scope, manifest_url, manifest_json, install_url, installed_at_us) VALUES
    ('a', 'ORIGIN', x'ff', 'ORIGIN/', '', '', '', '', ${kLeast}), ('b', 'https://elsewhere.example', 'x', 'no URL', 'x', '', 'nonsense', '', ${kMost});
  INSERT INTO permissions VALUES ('ORIGIN', 'mind-reading', 7), (x'ff', x'ff', -1);
  INSERT OR REPLACE INTO engagement VALUES ('https://elsewhere.example', 9e999, -9e999, ${kMost}, ${kMost}), ('nowhere', -1, 1e300, ${kLeast}, ${kLeast});
  INSERT INTO known_networks VALUES (x'ff', x'00ff', ${kMost});
  INSERT INTO notifications (id, origin, registration, title, body, tag, icon, options_json, data, shown_at_us) VALUES
    ('n1', 'ORIGIN', 1, x'ff', '', '', '', '{', x'ff', ${kLeast}), ('n2', 'ORIGIN', 1, 'fine', '', '', '', 'not JSON', x'ff', ${kMost});
  INSERT INTO cookies VALUES ('ORIGIN', 'k', 'nonsense'), (x'ff', x'ff', x'ff'), ('ORIGIN', 'l', 'a' || char(9) || 'b' || char(9) || '127.0.0.1' || char(9) || '/' || char(9) || '1' || char(9) || '0' || char(9) || '0' || char(9) || '99' || char(9) || '${kLeast}' || char(9) || '${kMost}');
  INSERT OR REPLACE INTO settings VALUES ('clock.virtual_wall', 'yesterday');`;

test('a daemon whose records hold nonsense starts, says so, and works', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('permission', server.url, 'notifications', 'allow');
  await vigil.inPage(server.url, 'await registerPeriodicFeedUpdate()');
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'kept');
  await vigil.stop();
  const database = new DatabaseSync(join(vigil.data, 'vigil.db'));
  database.exec(kRows.replaceAll('ORIGIN', new URL(server.url).origin));
  database.close();

  await vigil.start();
  assert.match(vigil.process.text('stderr'), /sync registration of .* makes no sense/);
  assert.match(vigil.process.text('stderr'), /service worker of no URL makes no sense/);
  assert.match(vigil.process.text('stderr'), /app a makes no sense/);
  assert.match(vigil.process.text('stderr'), /notification of .* makes no sense/);
  assert.deepEqual((await vigil.json('apps')).map(app => app.start_url), [server.url]);
  assert.equal((await vigil.json('worker', 'list')).length, 1);
  assert.deepEqual((await vigil.syncs(server.url)).map(one => one.tag).sort(), ['huge', 'overdue', 'sync-post', 'tiny', 'update-feed-content']);
  for (const command of [['log'], ['notifications'], ['engagement'], ['permission'], ['storage', server.url]]) {
    await vigil.json(...command);
  }
  // Scripts are told what they can read.
  assert.deepEqual(await vigil.valueInPage(server.url,
    "navigator.serviceWorker.ready.then(registration => registration.getNotifications()).then(list => list.map(one => one.title))"), ['fine']);
  await vigil.call('network', 'online');
  await vigil.call('clock', 'advance', '48h');
  assert.deepEqual((await server.posts()).map(post => post.text), ['kept']);
  assert.ok((await server.requests('GET', '/api/feed')).length >= 1);
  assert.deepEqual((await vigil.syncs(server.url)).filter(one => one.kind === 'sync'), []);
  // What is new is stored, and found again.
  await vigil.call('worker', 'update', server.url);
  await vigil.call('remove', server.url);
  await vigil.restart();
  assert.deepEqual(await vigil.json('apps'), []);
});
