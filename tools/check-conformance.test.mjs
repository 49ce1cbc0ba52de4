// The conformance check must notice what is missing, unknown, doubled, unexplained, not there and not run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRows, checkTests, elsewhere, readJunit, readNames, readRows, summary, titlesIn } from './check-conformance.mjs';

const kNames = readNames('# a remark\n\n## Alpha\nOne\nTwo\n## Beta\nOne\n');
const doc = (...lines) => readRows(['### Alpha', ...lines, '### Beta', '| `One` | none | | a window matter |'].join('\n'));
const kGood = ['| `One` | same | `engine.A.B` | |', '| `Two` | differs | `e2e.x › it’s a "title"`<br>`engine.A.C` | on purpose |'];
const kTests = new Map([['engine.A.B', []], ['engine.A.C', []], ['e2e.x', ['x.test.mjs']]]);
const kTitles = () => ['it’s a "title"'];

test('a whole table has no faults', () => {
  const rows = doc(...kGood);
  assert.deepEqual(checkRows(kNames, rows), []);
  assert.deepEqual(checkTests(rows, kTests, kTitles), []);
  assert.deepEqual(checkTests(rows, kTests, kTitles, () => 'passed'), []);
  assert.equal(summary(rows), 'conformance: 3 tests of the lists: 1 pinned, 1 differ on purpose, 1 not applicable');
});

for (const [what, lines, fault] of [
  ['a missing row', [kGood[0]], /Alpha › Two: has no row/],
  ['a doubled row', [kGood[0], ...kGood], /Alpha › One: has 2 rows/],
  ['an unknown name', [...kGood, '| `Three` | none | | why |'], /Alpha › Three: is not in the list/],
  ['a name without a test', ['| `One` | same | | |', kGood[1]], /Alpha › One: names no test/],
  ['a difference that is not explained', [kGood[0], '| `Two` | differs | `engine.A.B` | |'], /Alpha › Two: does not say why/],
  ['an unknown word', ['| `One` | nearly | `engine.A.B` | |', kGood[1]], /"nearly" is none of/],
  ['a cell too many', ['| `One` | same | `engine.A.B` | | |', kGood[1]], /has 5 cells/],
]) {
  test(`${what} is a fault`, () => assert.match(checkRows(kNames, doc(...lines)).join('\n'), fault));
}

test('a name that is listed twice is a fault', () => {
  assert.match(checkRows([...kNames, kNames[0]], doc(...kGood)).join('\n'), /Alpha › One: twice/);
});

test('tests that are not there are faults', () => {
  const rows = doc(...kGood);
  assert.match(checkTests(rows, new Map([...kTests].slice(1)), kTitles).join('\n'), /no test engine\.A\.B/);
  assert.match(checkTests(rows, kTests, () => ['another title']).join('\n'), /x\.test\.mjs has no test with that title/);
  assert.match(checkTests(doc('| `One` | same | `e2e.x` | |'), kTests, kTitles).join('\n'), /names no title/);
});

test('tests that failed, were skipped or did not run are faults', () => {
  const rows = doc(...kGood);
  for (const state of ['failed', 'not run', undefined]) {
    const faults = checkTests(rows, kTests, kTitles, (name, title) => (title ? state : 'passed'));
    assert.equal(faults.length, 1);
    assert.match(faults[0], new RegExp(state ?? 'did not run'));
  }
});

test('tests named in other tables are found', () => {
  const text = '| Situation | Error | Ours |\n| --- | --- | --- |\n| a `b.c` | | `engine.A.B`<br>`e2e.x › it` |\n| `Row` | same | `engine.C.D` | |';
  assert.deepEqual(elsewhere(text), [{ ours: ['engine.A.B', 'e2e.x › it'] }]);
});

test('results are read from both kinds of JUnit files', () => {
  const ctest = readJunit(`<testsuite tests="3">
    <testcase name="engine.A.B" classname="x" time="0" status="run"><system-out>a &lt;failure&gt; b</system-out></testcase>
    <testcase name="engine.A.C" status="fail"><failure message=""/><system-out></system-out></testcase>
    <testcase name="engine.A.D" status="disabled"><skipped message="Disabled"/></testcase>
  </testsuite>`);
  assert.deepEqual([...ctest.values()], ['passed', 'failed', 'not run']);
  const node = readJunit(`<testsuites>
    <testcase name="a &amp; &quot;b&quot; > c" time="0.1" classname="test" file="/x/y"/>
    <testsuite name="group"><testcase name="late" classname="test">
      <skipped type="skipped" message="offline"/></testcase></testsuite>
    <testcase name="bad" classname="test" failure="no">
      <failure type="testCodeFailure" message="no">text</failure></testcase></testsuites>`);
  assert.deepEqual([...node], [['a & "b" > c', 'passed'], ['late', 'not run'], ['bad', 'failed']]);
});

test('titles are found as they stand in the file', () => {
  const text = `test('one', async t => {});\n  test("it's two", () => {});\ntest(\`three \${x}\`, f);\ntest('\\'four\\'', f); latest('five');`;
  assert.deepEqual(titlesIn(text), ['one', "it's two", "'four'"]);
});
