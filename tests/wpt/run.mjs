// make wpt: runs web-platform-tests in Vigil and compares with what Chromium passes.
//
//   node tests/wpt/run.mjs [--wpt DIR] [--only PREFIX,…] [--jobs N] [--seconds N] [--messages] [--out FILE] [PREFIX…]
//
// Ends with status 1 if a test fails that tests/wpt/expected-failures does not name, or one passes that it names.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { kRoot } from '../e2e/support/processes.mjs';
import { Browser } from './browser.mjs';
import { checkoutFolder } from './checkout.mjs';
import { judge, readExpectations, shown } from './expectations.mjs';
import { addressOf, needsDom, readReference } from './reference.mjs';
import { startServer } from './server.mjs';
import { printTable, summarize } from './table.mjs';

const kHelp = `usage: node tests/wpt/run.mjs [options] [PREFIX…]

Runs the tests whose URL begins with one of the PREFIXes (IndexedDB/, fetch/api/cors/ …), or all that Chromium's results
list, in real workers and pages of build/bin/vigil, against the tests' own server.

  --wpt DIR      the checkout; without it the one that tests/wpt/fetch.sh made
  --jobs N       daemons at a time (2)
  --seconds N    how long a test may take (75)
  --messages     print each failing subtest with its message
  --dom          also run the tests that need a DOM
  --out FILE     every outcome as JSON lines (build/wpt.jsonl)
  --json         print the table as JSON
`;

const { values: options, positionals: prefixes } = parseArgs({
  allowPositionals: true,
  options: {
    wpt: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '75' },
    messages: { type: 'boolean', default: false },
    dom: { type: 'boolean', default: false },
    out: { type: 'string', default: join(kRoot, 'build/wpt.jsonl') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) {
  process.stdout.write(kHelp);
  process.exit(0);
}

const say = text => process.stderr.write(`${text}\n`);
const checkout = checkoutFolder(options.wpt);
const listed = readReference().filter(test => prefixes.length === 0 || prefixes.some(prefix => test.url.startsWith(prefix)));
const chosen = listed.filter(test => options.dom || !needsDom(checkout, test));
if (chosen.length === 0) {
  say(`wpt: no test begins with ${prefixes.join(' or ')}`);
  process.exit(2);
}
say(`wpt: ${chosen.length} tests${listed.length > chosen.length ? `; ${listed.length - chosen.length} more need a DOM (--dom)` : ''}`);

const server = await startServer(checkout);
const outcomes = [];

async function runTest(browser, test) {
  const result = await browser.run(server.url + addressOf(test.url, test.kind));
  const found = new Map((result.tests ?? []).map(([name, status, message]) => [server.nameInReference(name), { passed: status === 0, message }]));
  const why = result.error ?? result.message ?? 'the test did not report it';
  for (const subtest of test.tests) {
    const outcome = found.get(subtest) ?? { passed: false, message: why };
    outcomes.push({ url: test.url, subtest, ...outcome });
    if (options.messages && !outcome.passed) say(`  FAIL ${test.url} | ${shown(subtest)}: ${outcome.message}`);
  }
  return test.tests.filter(subtest => found.get(subtest)?.passed).length;
}

const queue = [...chosen];
let done = 0;
async function work() {
  const browser = new Browser(server.daemonOptions, Number(options.seconds));
  for (let test = queue.shift(); test; test = queue.shift()) {
    const passed = await runTest(browser, test);
    done += 1;
    if (passed < test.tests.length || done % 25 === 0) {
      say(`[${done}/${chosen.length}] ${test.url} ${passed}/${test.tests.length}`);
    }
  }
  await browser.close();
}
try {
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
} finally {
  await server.stop();
}

mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, outcomes.map(outcome => `${JSON.stringify(outcome)}\n`).join(''));

const rows = summarize(outcomes, listed, chosen);
if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
else printTable(rows);

const { failures, passes } = judge(outcomes, readExpectations(join(kRoot, 'tests/wpt/expected-failures')));
const few = 30;
for (const { key, message } of failures.slice(0, few)) say(`NEW FAILURE     ${key} (${message ?? ''})`);
if (failures.length > few) say(`… and ${failures.length - few} more new failures (${options.out})`);
for (const key of passes.slice(0, few)) say(`UNEXPECTED PASS ${key}`);
if (passes.length > few) say(`… and ${passes.length - few} more unexpected passes`);
const passed = outcomes.filter(outcome => outcome.passed).length;
console.log(`wpt: ${passed} of ${outcomes.length} subtests that Chromium passes; ${failures.length} new failures, ${passes.length} unexpected passes`);
process.exit(failures.length + passes.length > 0 ? 1 : 0);
