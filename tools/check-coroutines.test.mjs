// The coroutine lint must find each kind of expression that g++ 12.2 miscompiles, and nothing else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

function lint(statement) {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-lint-'));
  try {
    const path = join(folder, 'x.cc');
    writeFileSync(path, `void f() {\n  ${statement}\n}\n`);
    return spawnSync(process.execPath, ['tools/check-coroutines.mjs', path], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const statement of [
  'auto a = co_await g(Options{.name = n});',
  'auto a = co_await g(1, {});',
  'auto a = co_await g([x, y](int) { return x + y; });',
  'auto a = co_await g([name = std::move(name)] { return name; });',
  'switch (co_await g()) {}',
]) {
  test(`finds: ${statement}`, () => assert.equal(lint(statement).status, 1));
}

for (const statement of [
  'auto a = co_await g(options);',
  'auto a = co_await g([this] { return Size(); });',
  'auto a = co_await g([&] { return size; });',
  'if (auto a = co_await g(); a) { Use(a); }',
  'switch (int a = co_await g(); a) { default: break; }',
  'auto a = co_await g("{not braces}");',
]) {
  test(`lets through: ${statement}`, () => assert.equal(lint(statement).status, 0, lint(statement).stderr));
}
