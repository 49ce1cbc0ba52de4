// Real processes for tests, the demo and the benchmark: each is ended and each temporary folder removed when the
// program ends, however it ends.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const kRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const kNode = process.execPath;
export const kVigil = process.env.VIGIL_BIN ?? join(kRoot, 'build/bin/vigil');

const running = new Set();
const folders = new Set();

export function makeFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `vigil-${name}-`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  folders.delete(folder);
}

// A child process whose output lines can be waited for.
export class Process {
  #lines = [];            // { stream: 'stdout' | 'stderr', text }
  #watchers = new Set();  // called after each line and at the end
  #buffers = { stdout: '', stderr: '' };
  status;                 // exit status, once it has ended
  signal;

  constructor(command, args, options = {}) {
    this.name = [command, ...args].join(' ');
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    running.add(this);
    for (const stream of ['stdout', 'stderr']) {
      this.child[stream].setEncoding('utf8');
      this.child[stream].on('data', text => this.#take(stream, text));
    }
    this.ended = new Promise(resolve => {
      this.child.on('error', error => this.#end(resolve, 127, null, error.message));
      this.child.on('close', (status, signal) => this.#end(resolve, status, signal));
    });
  }

  get pid() {
    return this.child.pid;
  }

  #take(stream, text) {
    const parts = (this.#buffers[stream] + text).split('\n');
    this.#buffers[stream] = parts.pop();
    for (const line of parts) this.#lines.push({ stream, text: line });
    this.#tell();
  }

  #end(resolve, status, signal, error) {
    if (this.status !== undefined) return;
    for (const stream of ['stdout', 'stderr']) {
      if (this.#buffers[stream] !== '') this.#lines.push({ stream, text: this.#buffers[stream] });
    }
    if (error) this.#lines.push({ stream: 'stderr', text: error });
    this.status = status ?? 128;
    this.signal = signal;
    running.delete(this);
    resolve(this);
    this.#tell();
  }

  #tell() {
    for (const watcher of [...this.#watchers]) watcher();
  }

  lines(stream) {
    return this.#lines.filter(line => !stream || line.stream === stream).map(line => line.text);
  }

  text(stream) {
    return this.lines(stream).join('\n');
  }

  // Resolves with the count-th line that matches (a text, an expression or a function), now or later. Rejects if the process ends, or says nothing of the
  // kind for a long time.
  line(pattern, { count = 1, seconds = 60 } = {}) {
    const matches = typeof pattern === 'function' ? pattern
      : text => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text));
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        this.#watchers.delete(look);
        clearTimeout(limit);
        settle(value);
      };
      const fail = why => finish(reject, new Error(`${this.name}: ${why} before a line like ${pattern}\n${this.text()}`));
      const look = () => {
        const found = this.lines().filter(matches);
        if (found.length >= count) finish(resolve, found[count - 1]);
        else if (this.status !== undefined) fail(`ended with ${this.signal ?? this.status}`);
      };
      const limit = setTimeout(() => fail(`nothing for ${seconds} s`), seconds * 1000);
      this.#watchers.add(look);
      look();
    });
  }

  // Sends the signal and resolves when the process has ended.
  async kill(signal = 'SIGTERM') {
    if (this.status === undefined) this.child.kill(signal);
    await this.ended;
    return this;
  }
}

// Resolves with the ended process.
export function run(command, args, { seconds = 120, ...options } = {}) {
  const process = new Process(command, args, options);
  const limit = setTimeout(() => process.kill('SIGKILL'), seconds * 1000);
  return process.ended.finally(() => clearTimeout(limit));
}

// Repeats an observation that takes its own time (a command, a call) until accept(observation) is true.
export async function eventually(what, observe, accept, { seconds = 60, signal } = {}) {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const observation = await observe();
    if (accept(observation)) return observation;
    if (performance.now() > deadline || signal?.aborted) {
      throw new Error(`not seen within ${seconds} s: ${what}; last: ${JSON.stringify(observation)}`);
    }
  }
}

function cleanUp() {
  for (const process of running) process.child.kill('SIGKILL');
  for (const folder of folders) removeFolder(folder);
}
process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(130));
}

// Process ids of the children of a process, as the kernel lists them.
export function childrenOf(pid) {
  const children = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ').at(-1).split(' ');
      if (Number(fields[1]) === pid) children.push(Number(entry));
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}

// Kills other processes at once. One that has just ended by itself is what was wanted.
export function killAll(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}
