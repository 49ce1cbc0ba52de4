// The figures for each row of the table.
import { kRows, rowOf } from './reference.mjs';

// outcomes: as run.mjs collects them. listed, chosen: tests of the reference, and those of them that ran.
export function summarize(outcomes, listed, chosen) {
  const rows = new Map();
  const row = url => {
    const name = rowOf(url);
    if (!rows.has(name)) {
      rows.set(name, { name, tests: 0, without: 0, subtests: 0, passed: 0, target: kRows.find(row => row.name === name)?.target });
    }
    return rows.get(name);
  };
  const ran = new Set(chosen);
  for (const test of listed) row(test.url)[ran.has(test) ? 'tests' : 'without'] += 1;
  for (const { url, passed } of outcomes) {
    row(url).subtests += 1;
    if (passed) row(url).passed += 1;
  }
  const order = name => (kRows.findIndex(row => row.name === name) + 1) || kRows.length + 1;
  return [...rows.values()]
    .map(entry => ({ ...entry, share: entry.subtests ? (100 * entry.passed) / entry.subtests : null }))
    .sort((a, b) => order(a.name) - order(b.name) || (a.name < b.name ? -1 : 1));
}

export function printTable(rows) {
  console.log(`${'TESTS'.padEnd(44)}${'FILES'.padStart(6)}${'NEED A DOM'.padStart(12)}${'CHROMIUM'.padStart(10)}${'VIGIL'.padStart(8)}${'SHARE'.padStart(9)}  TARGET`);
  for (const { name, tests, without, subtests, passed, share, target } of rows) {
    const reached = target === undefined ? '' : `${target} % ${share >= target ? 'reached' : 'MISSED'}`;
    console.log(
      name.padEnd(44) + String(tests).padStart(6) + String(without || '').padStart(12) + String(subtests).padStart(10) +
      String(passed).padStart(8) + (share === null ? '-' : `${share.toFixed(1)} %`).padStart(9) + `  ${reached}`,
    );
  }
}
