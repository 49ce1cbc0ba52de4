// The layer check must notice a break: copies of src/ with one forbidden include each must fail.
import test from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

function checkWith(file, include) {
  const root = mkdtempSync(join(tmpdir(), 'vigil-layers-'));
  try {
    cpSync('src', join(root, 'src'), { recursive: true });
    cpSync('sim', join(root, 'sim'), { recursive: true });
    cpSync('include', join(root, 'include'), { recursive: true });
    if (file) appendFileSync(join(root, file), `\n#include ${include}\n`);
    return spawnSync(process.execPath, ['tools/check-layers.mjs', root], { encoding: 'utf8' });
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('the sources as they are pass', () => assert.equal(checkWith().status, 0));

for (const [file, include] of [
  ['src/base/result.h', '<boost/asio.hpp>'],
  ['src/base/result.h', '<sqlite3.h>'],
  ['src/engine/forbidden.cc', '<v8.h>'],
  ['src/policy/forbidden.cc', '<sqlite3.h>'],
  ['src/engine/forbidden.cc', '<boost/container/flat_map.hpp>'],
  ['src/engine/forbidden.cc', '"store/database.h"'],
  ['src/engine/forbidden.cc', '<unistd.h>'],
  ['src/host/forbidden.cc', '<boost/beast/http.hpp>'],
  ['sim/forbidden.cc', '<sqlite3.h>'],
  ['src/engine/forbidden.cc', '"sim/model.h"'],
  ['include/vigil/time.h', '"base/result.h"'],
]) {
  test(`${include} in ${file} is refused`, () => {
    const run = checkWith(file, include);
    assert.equal(run.status, 1);
    assert.ok(run.stderr.includes(file), run.stderr);
  });
}
