// The engine as a library: built from nothing but a C++20 compiler, fmt and tl-expected, installed, and used from
// outside by CMake, by pkg-config, from C++ and from C.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { kRoot, kVigil, makeFolder, run } from './support/processes.mjs';

const folder = makeFolder('embed');
const kinds = ['static', 'shared'];
const tree = kind => join(folder, `${kind}-tree`);
const installed = {};

async function succeed(command, args, options) {
  const ended = await run(command, args, { seconds: 240, ...options });
  assert.equal(ended.status, 0, `${ended.name}\n${ended.text()}`);
  return ended;
}

// Whoever needs these has no small library.
const kAbsent = ['Boost', 'SQLite3', 'Protobuf', 'CURL', 'OpenSSL', 'GTest', 'CLI11', 'Threads'];
const kForbidden = /\/(boost|sqlite3|v8|node|openssl|curl|google|gtest|CLI)[/.]/;
// What consumers may see of the machine besides the standard library and Vigil's own headers.
const kPrivate = /\/(fmt|tl|boost|sqlite3|google|gtest)[/.]/;

for (const kind of kinds) {
  test(`the engine alone builds ${kind}, without Boost, SQLite or V8, and installs`, async () => {
    const build = join(folder, kind);
    const prefix = join(folder, `${kind}-prefix`);
    await succeed('cmake', ['-S', kRoot, '-B', build, '-G', 'Ninja', '-DVIGIL_ENGINE_ONLY=ON', '-DCMAKE_BUILD_TYPE=Release',
      '-DCMAKE_C_COMPILER=gcc', '-DCMAKE_CXX_COMPILER=g++', `-DBUILD_SHARED_LIBS=${kind === 'shared' ? 'ON' : 'OFF'}`,
      `-DCMAKE_INSTALL_PREFIX=${prefix}`, ...kAbsent.map(name => `-DCMAKE_DISABLE_FIND_PACKAGE_${name}=ON`)]);
    await succeed('ninja', ['-C', build]);
    const headers = (await succeed('ninja', ['-C', build, '-t', 'deps'])).lines().filter(line => line.startsWith('    '));
    assert.ok(headers.some(line => line.includes('vigil/engine.h')), 'the list of headers is there');
    assert.deepEqual(headers.filter(line => kForbidden.test(line)), []);
    await succeed('cmake', ['--install', build, '--component', 'engine']);
    renameSync(prefix, tree(kind));  // an installed tree may move
    const libraries = join(tree(kind), readdirSync(tree(kind)).find(name => name.startsWith('lib')));
    installed[kind] = { libraries, pkgconfig: join(libraries, 'pkgconfig') };
  });
}

test('the libraries need the C++ standard library and nothing else', async () => {
  const needed = (await succeed('readelf', ['-d', join(installed.shared.libraries, 'libvigil.so')])).lines()
    .map(line => /Shared library: \[(.*?)\]/.exec(line)?.[1]).filter(Boolean);
  assert.deepEqual(needed.filter(name => !/^(libstdc\+\+|libm|libgcc_s|libc)\.so\./.test(name)), []);
  const open = (await succeed('nm', ['-C', '--undefined-only', join(installed.static.libraries, 'libvigil.a')])).lines()
    .filter(line => / U /.test(line)).map(line => line.split(' U ')[1]);
  assert.ok(open.length > 50, 'the list of symbols is there');
  assert.deepEqual(open.filter(name => /fmt::|boost|sqlite|tl::/.test(name)), []);
});

test('the shared library exports the public headers and nothing of its insides', async () => {
  const exported = (await succeed('nm', ['-DC', '--defined-only', join(installed.shared.libraries, 'libvigil.so')])).lines()
    .map(line => line.replace(/^\S+ \S /, ''));
  for (const name of ['vigil_register', 'vigil_abi_version', 'vigil::Driver::Tick()', 'vigil::Engine::size() const']) {
    assert.ok(exported.includes(name), name);
  }
  const known = /^(vigil_|vigil::(Engine::|Driver::|policy::|Encode|Decode|TrySetParameter|ListParameters|\w+Name\()|(typeinfo|vtable|guard|construction).* std::|std::|.*\bstd::)/;
  assert.deepEqual(exported.filter(name => !known.test(name) || /Impl|capi|fmt::/.test(name)), []);
  const soname = (await succeed('readelf', ['-d', join(installed.shared.libraries, 'libvigil.so')])).text();
  assert.match(soname, /SONAME.*libvigil\.so\.0\.1/);
});

test('every installed header compiles alone, as strictly as compilers go, and pulls nothing in', async () => {
  const include = join(tree('static'), 'include');
  const headers = readdirSync(join(include, 'vigil'));
  assert.ok(headers.includes('vigil.h') && headers.includes('driver.h') && headers.length > 10);
  const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', `-I${include}`, '-fsyntax-only', '-MD', '-MF'];
  const jobs = [];
  for (const header of headers) {
    for (const compiler of ['g++', 'clang++']) jobs.push([compiler, 'c++', '-std=c++20', header]);
  }
  for (const compiler of ['gcc', 'clang']) {
    for (const standard of ['-std=c99', '-std=c11']) {
      for (const header of ['vigil.h', 'export.h']) jobs.push([compiler, 'c', standard, header]);
    }
  }
  const compile = async ([compiler, language, standard, header], index) => {
    const source = join(folder, `header-${index}.${language === 'c' ? 'c' : 'cc'}`);
    const list = join(folder, `header-${index}.d`);
    writeFileSync(source, `#include <vigil/${header}>\n#include <vigil/${header}>\nint vigil_header_test;\n`);
    await succeed(compiler, [...strict, list, '-x', language, standard, '-pedantic-errors', source]);
    const dependencies = (await succeed('cat', [list])).text();
    assert.doesNotMatch(dependencies, kPrivate, `${compiler} ${header}`);
  };
  const worker = async start => {
    for (let i = start; i < jobs.length; i += 2) await compile(jobs[i], i);
  };
  await Promise.all([worker(0), worker(1)]);
});

const kStory = ['-- offline', 'register: on the disk', '"send-post" is pending: offline: waiting for the network',
  '-- restarted', '"send-post" is pending: offline: waiting for the network',
  '-- online', 'sync event "send-post" runs, lastChance=false: fails',
  '"send-post" is waiting: waiting for retry: attempt 2 of 3 at 2026-11-25T00:05:00.000Z',
  /^-- .*later$/, 'sync event "send-post" runs, lastChance=false: succeeds', 'nothing is registered'];

async function tellsItsStory(program, environment = {}) {
  const cwd = makeFolder('embed-run');
  const ended = await succeed(program, [], { cwd, env: { ...process.env, ...environment } });
  const lines = ended.lines();
  assert.equal(lines.length, kStory.length, ended.text());
  kStory.forEach((expected, i) => (expected instanceof RegExp ? assert.match(lines[i], expected) : assert.equal(lines[i], expected)));
  assert.ok(existsSync(join(cwd, 'embed.registrations')));
}

for (const kind of kinds) {
  for (const language of ['cpp', 'c']) {
    test(`an outside CMake project in ${language} finds and links the ${kind} library`, async () => {
      const source = join(tree(kind), 'share/doc/vigil/examples/embed', language);
      const build = join(folder, `${kind}-${language}`);
      await succeed('cmake', ['-S', source, '-B', build, '-G', 'Ninja', `-DCMAKE_PREFIX_PATH=${tree(kind)}`,
        '-DCMAKE_C_COMPILER=gcc', '-DCMAKE_CXX_COMPILER=g++', '-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror',
        '-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror']);
      await succeed('ninja', ['-C', build]);
      const headers = (await succeed('ninja', ['-C', build, '-t', 'deps'])).text();
      assert.match(headers, /vigil\/export\.h/);
      assert.doesNotMatch(headers, kPrivate);
      await tellsItsStory(join(build, `embed_${language}`));
    });
  }

  for (const flags of kind === 'static' ? [[], ['--static']] : [[]]) {
    test(`a plain C compiler links the ${kind} library by pkg-config ${flags.join(' ')}`, async () => {
      const env = { ...process.env, PKG_CONFIG_PATH: installed[kind].pkgconfig };
      const words = (await succeed('pkg-config', [...flags, '--cflags', '--libs', 'vigil'], { env })).text().trim().split(/\s+/);
      const program = join(makeFolder('embed-cc'), 'embed_c');
      await succeed('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', join(kRoot, 'examples/embed/c/main.c'), ...words, '-o', program]);
      await tellsItsStory(program, { LD_LIBRARY_PATH: installed[kind].libraries });
    });
  }
}

test('the whole build installs the engine too', async () => {
  const prefix = join(folder, 'whole');
  await succeed('cmake', ['--install', dirname(dirname(kVigil)), '--component', 'engine', '--prefix', prefix]);
  assert.deepEqual(readdirSync(prefix).sort(), ['include', 'lib', 'share']);
  assert.deepEqual(readdirSync(join(prefix, 'include/vigil')).sort(), readdirSync(join(tree('static'), 'include/vigil')).sort());
  assert.ok(existsSync(join(prefix, 'share/doc/vigil/embedding.md')));
});
