// Where the tests are: not in this repository (they are large, and other people's); fetch.sh brings them.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const kDefaultFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vigil/wpt');

export function checkoutFolder(given = process.env.WPT || undefined) {
  const folder = resolve(given ?? kDefaultFolder);
  if (existsSync(join(folder, 'resources/testharness.js'))) return folder;
  console.error(`wpt: ${folder} has no resources/testharness.js. Get the tests with tests/wpt/fetch.sh (700 MB are ` +
    'downloaded, 1 GB is kept), or name a checkout: make wpt WPT=DIR');
  process.exit(2);
}
