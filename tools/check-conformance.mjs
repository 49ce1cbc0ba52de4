// Holds docs/conformance.md against the list of other projects' tests and against our own tests: every name of the
// list has exactly one row, every test of ours that a row names exists, and, with --ran, it ran and passed.
// Exit status 1 and one line for each fault. See --help.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const kRoot = fileURLToPath(new URL('../', import.meta.url));
const kHelp = `usage: node tools/check-conformance.mjs [--build DIR] [--ran]
  --build DIR  the build whose tests are meant (default: build)
  --ran        also check that they ran: DIR/tests.xml (ctest --output-junit) and DIR/junit/ (written by node tests).
               Ends with a line "N passed, M failed" that counts the whole run of DIR/tests.xml and this check.
Checks docs/conformance.md against tools/conformance/names.txt and the tests of the build.`;
const kHow = ['same', 'differs', 'none'];

// "## Suite" lines, and below each the names of its tests, one a line → [{ suite, name }]
export function readNames(text) {
  const names = [];
  let suite = '';
  for (const line of text.split('\n').map(each => each.trim())) {
    if (line.startsWith('## ')) suite = line.slice(3);
    else if (line !== '' && !line.startsWith('#')) names.push({ suite, name: line });
  }
  return names;
}

// Rows "| `Name` | how | `test`<br>`test` | note |" below "### Suite" → [{ suite, name, how, ours, note, line }]
export function readRows(text) {
  const rows = [];
  let suite = '';
  text.split('\n').forEach((line, index) => {
    if (line.startsWith('### ')) suite = line.slice(4).trim();
    if (!line.startsWith('| `')) return;
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map(cell => cell.trim());
    const [name, how, ours = '', note = ''] = cells;
    rows.push({
      suite, how, note, line: index + 1, cells: cells.length,
      name: name.replaceAll('`', ''),
      ours: [...ours.matchAll(/`([^`]+)`/g)].map(match => match[1]),
    });
  });
  return rows;
}

// Other tables of the page name tests of ours too: `room.Suite.Test` and `room.file › title`, at the end of a row.
export function elsewhere(text) {
  const ours = text.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| `'))
    .flatMap(line => [...(line.split('|').at(-2) ?? '').matchAll(/`([\w-]+\.[^`]+)`/g)].map(match => match[1]));
  return [{ ours }];
}

const unescapeXml = text => text.replace(/&(lt|gt|quot|apos|amp|#(\d+)|#x([0-9a-f]+));/gi, (all, name, decimal, hex) =>
  (decimal || hex ? String.fromCodePoint(Number(decimal ?? `0x${hex}`)) : { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name]));

// name → 'passed' | 'failed' | 'not run', from the JUnit XML of ctest or of node.
export function readJunit(xml) {
  const results = new Map();
  for (const [, head, close, body = ''] of xml.matchAll(/<testcase\b((?:[^>"]|"[^"]*")*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g)) {
    const attributes = Object.fromEntries([...head.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, unescapeXml(value)]));
    const state = /<skipped\b/.test(body) || ['notrun', 'disabled'].includes(attributes.status) ? 'not run'
      : !close && /<(failure|error)\b/.test(body) ? 'failed' : 'passed';
    // Of two tests with one title the worse counts.
    if (results.get(attributes.name) !== 'failed') results.set(attributes.name, state);
  }
  return results;
}

// What is wrong with the table itself.
export function checkRows(names, rows) {
  const faults = [];
  const key = ({ suite, name }) => `${suite} › ${name}`;
  const count = new Map();
  for (const row of rows) count.set(key(row), (count.get(key(row)) ?? 0) + 1);
  const listed = new Set();
  for (const entry of names) {
    if (listed.has(key(entry))) faults.push(`${key(entry)}: twice in the list of names`);
    listed.add(key(entry));
    if (!count.has(key(entry))) faults.push(`${key(entry)}: has no row`);
  }
  for (const [each, times] of count) {
    if (!listed.has(each)) faults.push(`${each}: is not in the list of names`);
    if (times > 1) faults.push(`${each}: has ${times} rows`);
  }
  for (const row of rows) {
    const fault = text => faults.push(`${key(row)}: ${text} (line ${row.line})`);
    if (row.cells !== 4) fault(`has ${row.cells} cells, not 4`);
    if (!kHow.includes(row.how)) fault(`"${row.how}" is none of ${kHow.join(', ')}`);
    if (row.how !== 'none' && row.ours.length === 0) fault('names no test of ours');
    if (row.how !== 'same' && row.note === '') fault('does not say why');
  }
  return faults;
}

// What is wrong with the tests of ours that rows name. tests: name → files of titled tests, none for a test without
// titles. titles(file): those in it. results(name, title): what came of it; undefined: only existence is checked.
export function checkTests(rows, tests, titles, results) {
  const faults = [];
  for (const id of new Set(rows.flatMap(row => row.ours))) {
    const [name, title] = id.split(' › ');
    const files = tests.get(name);
    if (files === undefined) {
      faults.push(`${id}: the build has no test ${name}`);
    } else if (title !== undefined && !files.some(file => titles(file).includes(title))) {
      faults.push(`${id}: ${files[0] ?? name} has no test with that title`);
    } else if (title === undefined && files.length > 0) {
      faults.push(`${id}: names no title ("${name} › title")`);
    } else if (results) {
      const state = results(name, title);
      if (state !== 'passed') faults.push(`${id}: ${state ?? 'did not run'}`);
    }
  }
  return faults;
}

// The titles that stand in a test file as plain strings.
export function titlesIn(text) {
  const quoted = /\btest\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/g;
  return [...text.matchAll(quoted)].map(([, single, double]) => (single ?? double).replace(/\\(.)/g, '$1'));
}

export function summary(rows) {
  const count = how => rows.filter(row => row.how === how).length;
  return `conformance: ${rows.length} tests of the lists: ${count('same')} pinned, ${count('differs')} differ on purpose, ${count('none')} not applicable`;
}

function testsOf(build) {
  const shown = execFileSync('ctest', ['--test-dir', build, '--show-only=json-v1'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return new Map(JSON.parse(shown).tests.map(({ name, command = [] }) =>
    [name, command.filter(each => /\.test\.(mjs|ts)$/.test(each))]));
}

function resultsOf(build) {
  const ctest = readJunit(readFileSync(join(build, 'tests.xml'), 'utf8'));
  const titled = new Map();
  const of = name => {
    const file = join(build, 'junit', `${name}.xml`);
    if (!titled.has(name)) titled.set(name, existsSync(file) ? readJunit(readFileSync(file, 'utf8')) : new Map());
    return titled.get(name);
  };
  return { ctest, result: (name, title) => (title === undefined ? ctest.get(name) : of(name).get(title)) };
}

function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: join(kRoot, 'build') }, ran: { type: 'boolean' }, help: { type: 'boolean' },
  } });
  if (values.help) return console.log(kHelp);
  const build = resolve(values.build);
  const text = readFileSync(join(kRoot, 'docs/conformance.md'), 'utf8');
  const rows = readRows(text);
  const names = readNames(readFileSync(join(kRoot, 'tools/conformance/names.txt'), 'utf8'));
  const run = values.ran ? resultsOf(build) : undefined;
  const faults = [
    ...checkRows(names, rows),
    ...checkTests([...rows, ...elsewhere(text)], testsOf(build), file => titlesIn(readFileSync(file, 'utf8')), run?.result),
  ];
  for (const fault of faults) console.error(`conformance: ${fault}`);
  console.log(faults.length > 0 ? `conformance: ${faults.length} faults; mend docs/conformance.md or the tests it names`
    : `${summary(rows)}; all of ours exist${run ? ' and ran' : ''}`);
  if (run) {
    const states = [...run.ctest.values(), faults.length > 0 ? 'failed' : 'passed'];
    const count = state => states.filter(each => each === state).length;
    const idle = count('not run') > 0 ? `, ${count('not run')} not run` : '';
    console.log(`${count('passed')} passed, ${count('failed')} failed${idle}`);
  }
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`conformance: ${error.message}; was the build made, and with --ran its tests run by tools/test.sh?`);
    process.exitCode = 1;
  }
}
