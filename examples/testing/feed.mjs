// The social feed's server and a daemon of its own, for one test. VIGIL names the program; else it is on the PATH.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const kVigil = process.env.VIGIL ?? 'vigil';
const kServer = fileURLToPath(new URL('../social-feed/server.mjs', import.meta.url));

// Resolves with the first line that the program prints and that matches.
async function lineOf(child, pattern) {
  for await (const line of createInterface({ input: child.stdout })) {
    const match = pattern.exec(line);
    if (match) return match;
  }
  throw new Error(`${child.spawnfile} ended without saying ${pattern}`);
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

// Time stands still until the test moves it; the network is up or down as the test says.
export async function startFeed(t) {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-example-'));
  const data = join(folder, 'vigil');
  const server = spawn(process.execPath, [kServer, '--port', '0', '--data', join(folder, 'feed')],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const daemon = spawn(kVigil, ['serve', '--data', data, '--clock', 'virtual', '--network', 'manual', '--devtools', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    await end(daemon);
    await end(server);
    rmSync(folder, { recursive: true, force: true });
  });
  const [url] = await lineOf(server, /http:\/\/\S+/);
  const [, devtools] = await lineOf(daemon, /developer tools on ([^\s)]+)/);
  const vigil = async (...args) => (await promisify(execFile)(kVigil, [...args, '--data', data])).stdout;
  await vigil('network', 'online');
  await vigil('install', url);
  return {
    url,
    vigil,
    devtools: `http://${devtools}`,
    // What has arrived at the server.
    posts: async () => (await (await fetch(new URL('record', url))).json()).posts,
  };
}
