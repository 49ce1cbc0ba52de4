// A network namespace with one real link (a veth pair) that can be cut and mended. Needs root.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../tests/e2e/support/processes.mjs';
import { monotonicUs } from './statistics.mjs';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

export class NetworkNamespace {
  // Throws, with the reason, where it is not allowed.
  constructor() {
    const id = process.pid;
    this.name = `vigil-bench-${id}`;
    this.inner = `vgi${id}`.slice(0, 15);
    this.outer = `vgo${id}`.slice(0, 15);
    if (process.getuid() !== 0) throw new Error('a network namespace needs root');
    try {
      ip('netns', 'add', this.name);
      ip('link', 'add', this.outer, 'type', 'veth', 'peer', 'name', this.inner, 'netns', this.name);
      ip('addr', 'add', '192.0.2.1/30', 'dev', this.outer);
      ip('link', 'set', this.outer, 'up');
      ip('-n', this.name, 'addr', 'add', '192.0.2.2/30', 'dev', this.inner);
      ip('-n', this.name, 'link', 'set', 'lo', 'up');
    } catch (error) {
      this.remove();
      throw new Error(`no network namespace: ${String(error.stderr ?? error.message).trim()}`);
    }
    this.batch = join(makeFolder('network'), 'up');
    writeFileSync(this.batch, `link set ${this.inner} up\nroute add default via 192.0.2.1\n`);
    this.enter = ['ip', 'netns', 'exec', this.name];
  }

  // Mends the link. Returns the moment before it was mended (µs, CLOCK_MONOTONIC).
  up() {
    const at = monotonicUs();
    ip('-n', this.name, '-batch', this.batch);
    return at;
  }

  down() {
    ip('-n', this.name, 'link', 'set', this.inner, 'down');
  }

  remove() {
    for (const command of [['link', 'del', this.outer], ['netns', 'del', this.name]]) {
      try {
        ip(...command);
      } catch {
        // It was not made.
      }
    }
  }
}
