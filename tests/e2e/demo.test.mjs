// make demo: exits 0, says what it proved, and leaves nothing behind.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kNode, kRoot, run } from './support/processes.mjs';

test('the demo tells a true story', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'demo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const demo = await run(kNode, [join(kRoot, 'tools/demo/main.mjs')], { env: { ...process.env, TMPDIR: folder }, seconds: 170 });
  assert.equal(demo.status, 0, demo.text());
  assert.match(demo.text('stdout'), /Proved, \d+ statements/);
  assert.match(demo.text('stdout'), /to the first request at the server: [\d.]+ ms/);
  assert.deepEqual(readdirSync(folder), [], 'no temporary folder is left');
});
