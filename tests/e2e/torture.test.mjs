// The short form of `make torture`: a hundred deaths and failures against real daemons, at moments drawn by chance. What was
// acknowledged arrives, nothing runs twice without a cause, nothing gets stuck, and the records open every time.
//
// VIGIL_TORTURE_SEED repeats a run's moments and choices as far as processes allow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from '../torture/campaigns.mjs';

const kSeed = Number(process.env.VIGIL_TORTURE_SEED ?? Date.now() % 1_000_000);

function report(t, figures) {
  const { violations, name, ...rest } = figures;
  t.diagnostic(`seed ${kSeed}: ${JSON.stringify(rest)}`);
  return violations;
}

for (const [name, rounds] of [['kills', 50], ['cuts', 25], ['faults', 25]]) {
  test(`${rounds} rounds of ${name} (seed ${kSeed})`, { timeout: 280_000 }, async t => {
    const figures = await campaign(name, { rounds, seed: kSeed });
    assert.deepEqual(report(t, figures), []);
    assert.equal(figures.rounds, rounds);
    assert.ok(figures.acknowledged > 0 && figures.delivered > 0 && figures.posts > 0, 'something was at stake');
    if (name === 'faults') assert.ok(figures.faults > 0 && figures.degraded > 0, 'something failed');
  });
}

test('a disk that only pretends to sync is noticed', { timeout: 280_000 }, async t => {
  let noticed = [];
  for (let attempt = 0; attempt < 3 && noticed.length === 0; attempt += 1) {
    noticed = report(t, await campaign('cuts', { rounds: 20, seed: kSeed + attempt, lies: true }));
  }
  assert.notDeepEqual(noticed, []);
});
