// Pictures that tests leave behind, in build/screenshots: to be looked at, and for the documentation.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { kVigil } from './processes.mjs';

const kFolder = join(dirname(dirname(kVigil)), 'screenshots');

export async function keepScreenshot(page, name) {
  mkdirSync(kFolder, { recursive: true });
  await page.screenshot({ path: join(kFolder, `${name}.png`) });
}
