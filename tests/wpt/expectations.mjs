// tests/wpt/expected-failures: what fails, and why, a line each:
//
//   URL | SUBTEST | REASON
//
// SUBTEST as one JSON string without its quotes, or * for the whole test. Lines that begin with # are comments.
import { existsSync, readFileSync } from 'node:fs';

export const shown = name => JSON.stringify(name).slice(1, -1).replaceAll('|', '\\u007c');

export function readExpectations(file) {
  const expected = new Map();  // `URL | SUBTEST` → reason
  if (!existsSync(file)) return expected;
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [url, subtest, reason, ...more] = line.split(' | ');
    if (!reason || more.length > 0) throw new Error(`${file}:${index + 1}: not "URL | SUBTEST | REASON"`);
    const key = `${url} | ${subtest}`;
    if (expected.has(key)) throw new Error(`${file}:${index + 1}: a second line for ${key}`);
    expected.set(key, reason);
  }
  return expected;
}

// outcomes: [{ url, subtest, passed }]. Gives what is new: failures without a line, and lines whose test passes or does
// not exist. Only tests that ran are judged.
export function judge(outcomes, expected) {
  const failures = [];
  const used = new Set();
  const failing = new Set();
  const ran = new Set();
  for (const { url, subtest, passed, message } of outcomes) {
    ran.add(url);
    const key = `${url} | ${shown(subtest)}`;
    const line = expected.has(key) ? key : `${url} | *`;
    if (passed) continue;
    failing.add(line);
    if (expected.has(line)) used.add(line);
    else failures.push({ key, message });
  }
  const passes = [...expected.keys()].filter(key => ran.has(key.split(' | ')[0]) && !failing.has(key) && !used.has(key));
  return { failures, passes };
}
