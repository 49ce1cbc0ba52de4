// The layer rule: a room (folder) includes only the rooms that its vigil_room(... DEPS ...) names, and only the rooms
// listed here may see a given third-party header. Exit status 1 and one line for each break.
//   node tools/check-layers.mjs [ROOT]
import { readFileSync, readdirSync, existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = resolve(process.argv[2] ?? '.');

// Third-party headers and the only places that may include them; a reason for each.
const outside = [
  { header: /^boost\/beast/, rooms: ['server'], why: 'Beast costs 8 to 11 seconds a file' },
  { header: /^boost\/json/, rooms: ['host', 'control', 'server', 'daemon', 'cli'], why: 'JSON is the language of the local API and of manifests' },
  { header: /^boost\//, rooms: ['net', 'host', 'control', 'server', 'daemon'], why: 'the core and the stores know no event loop' },
  { header: /^sqlite3/, rooms: ['store', 'storage'], why: 'others use store/database.h' },
  { header: /^(v8|cppgc|node|libplatform|uv\.)/, rooms: ['worker'], why: 'only the sandboxed process runs scripts' },
  { header: /^openssl\//, rooms: ['net', 'worker'], why: 'digests are wanted there only: integrity and Web Crypto' },
  { header: /^curl\//, rooms: ['net'], why: 'others use net/' },
  { header: /^CLI\//, rooms: ['cli'], why: 'the command line is one room' },
  { header: /^(sys|linux|netinet|arpa)\/|^unistd\.h|^fcntl\.h|^poll\.h|^pthread\.h|^thread$|^mutex$/, not: ['engine', 'policy'], why: 'the core does no I/O and has no threads' },
];

function files(dir, out = []) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) files(path, out);
    else if (/\.(h|cc)$/.test(name)) out.push(path);
  }
  return out;
}

function rule(cmake, word) {
  const text = readFileSync(cmake, 'utf8').replace(/#.*$/gm, '');
  const call = /vigil_room\(([^)]*)\)/.exec(text);
  if (!call) return [];
  const words = call[1].split(/\s+/).filter(Boolean);
  const start = words.indexOf(word);
  if (start < 0) return [];
  const end = words.findIndex((w, i) => i > start && /^[A-Z_]+$/.test(w));
  return words.slice(start + 1, end < 0 ? undefined : end);
}

// Most rooms are folders of src/; sim/ stands beside it.
const folders = new Map(readdirSync(join(root, 'src')).map((name) => [name, join(root, 'src', name)]));
folders.set('sim', join(root, 'sim'));
const rooms = [...folders.keys()].filter((room) => existsSync(join(folders.get(room), 'CMakeLists.txt')));
const deps = new Map(rooms.map((room) => [room, rule(join(folders.get(room), 'CMakeLists.txt'), 'DEPS')]));
const testDeps = new Map(rooms.map((room) => [room, rule(join(folders.get(room), 'CMakeLists.txt'), 'TEST_DEPS')]));

function reachable(room, seen = new Set()) {
  for (const dep of deps.get(room) ?? []) {
    if (!seen.has(dep)) {
      seen.add(dep);
      reachable(dep, seen);
    }
  }
  return seen;
}

const breaks = [];
for (const room of rooms) {
  if (reachable(room).has(room)) breaks.push(`${relative(root, folders.get(room))}: depends on itself in a circle`);
}

function check(path, room) {
  const isTest = path.endsWith('_test.cc');
  const allowed = new Set([room, ...(deps.get(room) ?? []), ...(isTest ? testDeps.get(room) ?? [] : [])]);
  readFileSync(path, 'utf8').split('\n').forEach((line, index) => {
    const include = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1];
    if (!include) return;
    const where = `${relative(root, path)}:${index + 1}`;
    const target = include.split('/')[0];
    if (deps.has(target) && include.includes('/') && !allowed.has(target)) {
      breaks.push(`${where}: room ${room} may not include ${include} (its DEPS: ${[...allowed].join(' ')})`);
    }
    for (const { header, rooms: only, not, why } of outside) {
      if (isTest && not) continue;
      if (!header.test(include)) continue;
      if (only ? !only.includes(room) : not.includes(room)) breaks.push(`${where}: ${room} may not include ${include} (${why})`);
      break;
    }
  });
}

for (const room of rooms) for (const path of files(folders.get(room))) check(path, room);
// Installed headers belong to the engine's users: the standard library and each other, nothing else.
if (existsSync(join(root, 'include'))) {
  for (const path of files(join(root, 'include'))) {
    readFileSync(path, 'utf8').split('\n').forEach((line, index) => {
      const include = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1];
      if (include && !include.startsWith('vigil/') && /[/.]/.test(include) && !/^(stddef|stdint|stdbool)\.h$/.test(include)) {
        breaks.push(`${relative(root, path)}:${index + 1}: a public header may not include ${include}`);
      }
    });
  }
}

if (breaks.length > 0) {
  console.error(breaks.join('\n'));
  console.error(`layers: ${breaks.length} forbidden include${breaks.length > 1 ? 's' : ''}`);
  process.exit(1);
}
console.log(`layers: ${rooms.length} rooms keep to their DEPS`);
