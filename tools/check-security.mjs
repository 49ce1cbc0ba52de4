// Holds docs/security.md against the tests: whatever test a row of its tables names must be there. A letter stands for
// the file that the page says ("E2 = `path`"); after it come names of tests, of which "…" leaves out the rest.
// Exit status 1 and one line for each name that no test has.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kRoot = fileURLToPath(new URL('../', import.meta.url));
// Where a file that is named without its folder lies.
const kFolders = ['', 'src/host/', 'src/'];

const find = path => kFolders.map(folder => join(kRoot, folder, path)).find(existsSync);

// "E2" → path
export function letters(text) {
  return new Map([...text.matchAll(/\b([A-Z][0-9]?) = `([^`]+)`/g)].map(([, letter, path]) => [letter, path]));
}

// The last cell of each row → [{ path, name }]; no name: the file alone.
export function named(text, files) {
  const found = [];
  let tests = false;  // this table has a column of tests
  for (const line of text.split('\n')) {
    if (!/^\| .* \|$/.test(line)) {
      tests = tests && line.startsWith('|');
      continue;
    }
    if (line.endsWith('| Test |')) tests = true;
    if (!tests || line.endsWith('| Test |')) continue;
    let path;
    for (const [, quoted, code, word] of line.split('|').at(-2).matchAll(/"([^"]+)"|`([^`]+)`|([A-Za-z0-9_]+)(?:…|(?=[,;) ]|$))/g)) {
      if (code?.includes('.')) path = code;
      else if (files.has(word)) path = files.get(word);
      else if (quoted || word?.length > 6) found.push({ path, name: (quoted ?? word).replace(/ *….*/, '') });
      if (code?.includes('.') || files.has(word)) found.push({ path, name: '' });
    }
  }
  return found;
}

function isThere({ path, name }) {
  const file = path && find(path);
  if (!file) return false;
  const source = readFileSync(file, 'utf8');
  return name === '' || (file.endsWith('.mjs') ? [`'${name}`, `\`${name}`] : [`, ${name}`]).some(part => source.includes(part));
}

const text = readFileSync(join(kRoot, 'docs/security.md'), 'utf8');
const all = named(text, letters(text));
const missing = all.filter(one => !isThere(one));
for (const { path, name } of missing) console.error(`docs/security.md names a test that is not there: ${path ?? '(no file)'} ${name}`);
console.log(`security: ${all.length} tests named in docs/security.md`);
process.exitCode = missing.length > 0 || all.length === 0 ? 1 : 0;
