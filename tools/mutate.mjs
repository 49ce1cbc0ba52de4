// The mutation check: breaks one rule at a time on purpose and expects the tests to notice.
//   node tools/mutate.mjs [--only NAME]… [--list] [--check] [--json] [--jobs N] [--help]
// The rules are in sim/mutations.json (sim/README.md says how to add one).
import {
  existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const help = `mutate: applies each mutation of sim/mutations.json to a copy of the sources, builds the engine with it and runs
the simulation, then the engine's and, where the store is touched, the store's tests. Each must be noticed.

  node tools/mutate.mjs [--only NAME]… [--jobs N] [--json]
  node tools/mutate.mjs --list      names, files and rules
  node tools/mutate.mjs --check     only whether each text is still in its file, once; quick

  --only NAME   only this mutation; may be repeated
  --jobs N      copies that are built side by side (default 2)
  --json        one JSON object at the end instead of lines

Exit status: 0 all were noticed, 1 one survived or no longer applies, 2 wrong arguments or the sources do not build.
`;

// Enough for every mutation of the list, few enough for a sensible duration. The simulation stops at the first violation.
const simulation = { seeds: [1, 2, 3], steps: 150_000 };
const seconds = { build: 600, run: 120 };

function fail(message) {
  console.error(`mutate: ${message}`);
  process.exit(2);
}

function readArguments(words) {
  const options = { only: [], jobs: 2, json: false, list: false, check: false };
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '--help') {
      console.log(help);
      process.exit(0);
    } else if (['--json', '--list', '--check'].includes(words[i])) options[words[i].slice(2)] = true;
    else if (words[i] === '--only' && words[i + 1]) options.only.push(words[++i]);
    else if (words[i] === '--jobs' && Number(words[i + 1]) >= 1) options.jobs = Math.floor(Number(words[++i]));
    else fail(`wrong argument ${words[i]}\n\n${help}`);
  }
  return options;
}

const occurrences = (text, part) => text.split(part).length - 1;

// Why it cannot be applied; undefined: it can.
function misfit(mutation) {
  if (!existsSync(join(root, mutation.file))) return `there is no file ${mutation.file}`;
  const count = occurrences(readFileSync(join(root, mutation.file), 'utf8'), mutation.find);
  return count === 1 ? undefined : `its text is ${count} times in ${mutation.file}, not once`;
}

// { status, out }; status is a number, or words for what else ended it.
function run(command, args, { env, limit }) {
  return new Promise((done) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit * 1000);
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (out += data));
    child.on('error', (error) => (out += error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({ status: late ? `no end within ${limit} s` : (code ?? `ended by ${signal}`), out });
    });
  });
}

// Copies what differs, and only that: a file that is written anew is built anew, whatever its time was before.
function mirror(from, to) {
  if (statSync(from).isFile()) {
    const content = readFileSync(from);
    if (!existsSync(to) || !content.equals(readFileSync(to))) writeFileSync(to, content, { mode: statSync(from).mode });
    return;
  }
  mkdirSync(to, { recursive: true });
  const names = readdirSync(from);
  for (const name of readdirSync(to)) if (!names.includes(name)) rmSync(join(to, name), { recursive: true });
  for (const name of names) mirror(join(from, name), join(to, name));
}

// A copy of the sources with a build tree of its own, both kept from run to run so that little is built.
class Lane {
  constructor(number) {
    this.dir = join(root, 'build', 'mutants', `copy-${number}`);
    this.build = join(this.dir, 'build');
  }
  async prepare() {
    mkdirSync(this.dir, { recursive: true });
    const parts = ['CMakeLists.txt', 'cmake', 'include', 'src', 'sim', 'runtime', 'tests', 'fuzz', 'tools', 'examples',
      'package.json', 'package-lock.json', 'docs', 'bench'];
    for (const part of parts.filter((name) => existsSync(join(root, name)))) {
      mirror(join(root, part), join(this.dir, part));
    }
    if (!existsSync(join(this.dir, 'node_modules'))) symlinkSync(join(root, 'node_modules'), join(this.dir, 'node_modules'));
    const flags = ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=', '-DCMAKE_C_COMPILER=gcc', '-DCMAKE_CXX_COMPILER=g++',
      '-DCMAKE_CXX_FLAGS=-O1 -w'];
    const configured = await run('cmake', [...flags, '-S', this.dir, '-B', this.build], { limit: seconds.build });
    if (configured.status !== 0) fail(`configuring failed (make setup installs what is missing):\n${configured.out}`);
  }
  compile(targets) {
    // So that ccache finds for one copy what it compiled for another.
    const env = { CCACHE_BASEDIR: this.dir, CCACHE_NOHASHDIR: '1' };
    return run('nice', ['ninja', '-C', this.build, ...targets], { env, limit: seconds.build });
  }
  async simulate() {
    for (const seed of simulation.seeds) {
      const args = ['--seed', String(seed), '--steps', String(simulation.steps)];
      const { status, out } = await run(join(this.build, 'bin/vigil-sim'), args, { limit: seconds.run });
      if (status === 0) continue;
      return `sim, seed ${seed}: ${/VIOLATION: (.*)/.exec(out)?.[1] ?? `it crashed (${status})`}`;
    }
    return undefined;
  }
  async test(name) {
    const { status, out } = await run(join(this.build, 'bin', name), ['--gtest_brief=1'], { limit: seconds.run });
    if (status === 0) return undefined;
    return `${name}: ${/\[ {2}FAILED {2}\] (\S+)/.exec(out)?.[1] ?? `it crashed (${status})`}`;
  }
  // What notices the sources as they stand in this copy, first of all; undefined: nothing.
  async notice(withStore) {
    const found = (await this.simulate()) ?? (await this.buildAndTest('engine_test'));
    return found ?? (withStore ? this.buildAndTest('store_test') : undefined);
  }
  async buildAndTest(name) {
    const built = await this.compile([name]);
    if (built.status !== 0) return `${name} does not build`;
    return this.test(name);
  }
  async judge(mutation) {
    const path = join(this.dir, mutation.file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(mutation.find, () => mutation.replace));
    try {
      const built = await this.compile(['vigil-sim']);
      if (built.status !== 0) return { problem: `it does not compile:\n${/.*error.*/.exec(built.out)?.[0] ?? built.out.slice(-500)}` };
      return { killer: await this.notice(mutation.file.startsWith('src/store/')) };
    } finally {
      writeFileSync(path, text);
    }
  }
}

function report(mutation, { killer, problem }, took) {
  const words = problem ? 'BROKEN  ' : killer ? 'killed  ' : 'SURVIVED';
  const why = problem ?? (killer ? `by ${killer}` : `nothing noticed: ${mutation.rule}`);
  return `${words} ${mutation.name}  ${why}  (${took.toFixed(1)} s)`;
}

async function work(lane, queue, options, results) {
  for (let mutation = queue.shift(); mutation; mutation = queue.shift()) {
    const started = Date.now();
    const problem = misfit(mutation);
    const result = problem ? { problem } : await lane.judge(mutation);
    const took = (Date.now() - started) / 1000;
    results.push({ name: mutation.name, file: mutation.file, rule: mutation.rule, seconds: took, ...result });
    if (!options.json) console.log(report(mutation, result, took));
  }
}

const options = readArguments(process.argv.slice(2));
const all = JSON.parse(readFileSync(join(root, 'sim/mutations.json'), 'utf8'));
if (options.list) {
  for (const { name, file, rule } of all) console.log(`${name.padEnd(44)} ${file.padEnd(34)} ${rule}`);
  process.exit(0);
}
if (options.check) {
  const wrong = all.filter(misfit).map((mutation) => `${mutation.name}: ${misfit(mutation)}`);
  const names = new Set(all.map(({ name }) => name));
  if (names.size !== all.length) wrong.push('two mutations have one name');
  for (const line of wrong) console.log(line);
  console.log(`${all.length - wrong.length} passed, ${wrong.length} failed`);
  process.exit(wrong.length === 0 ? 0 : 1);
}
for (const name of options.only) if (!all.some((mutation) => mutation.name === name)) fail(`no mutation ${name} (--list shows all)`);
const queue = all.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
const started = Date.now();
const lanes = Array.from({ length: Math.min(options.jobs, queue.length) }, (_, number) => new Lane(number + 1));
if (!options.json) console.log(`${queue.length} mutations; first the sources as they are …`);
for (const lane of lanes) {
  await lane.prepare();
  const built = await lane.compile(['vigil-sim', 'engine_test', 'store_test']);
  if (built.status !== 0) fail(`the sources do not build:\n${built.out.slice(-3000)}`);
}
const innocent = await lanes[0].notice(true);
if (innocent) fail(`the sources as they are do not pass: ${innocent}`);
const results = [];
await Promise.all(lanes.map((lane) => work(lane, queue, options, results)));
const broken = results.filter(({ problem }) => problem).length;
const survived = results.filter(({ problem, killer }) => !problem && !killer).length;
const passed = results.length - broken - survived;
const took = Math.round((Date.now() - started) / 1000);
if (options.json) console.log(JSON.stringify({ passed, survived, broken, seconds: took, results }, null, 2));
else console.log(`${passed} passed, ${survived + broken} failed (${survived} survived, ${broken} do not apply) in ${took} s`);
process.exitCode = survived + broken === 0 ? 0 : 1;
