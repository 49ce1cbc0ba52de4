// A daemon of its own, with a data directory of its own, and the command line that talks to it.
import { join } from 'node:path';
import { Process, kVigil, makeFolder, run } from './processes.mjs';

// Without what the developer's shell may have set.
function environment() {
  const { VIGIL_DATA: _, ...rest } = process.env;
  return rest;
}

export class Vigil {
  // prefix: a command that the daemon runs under, for instance one that enters a network namespace.
  // binary, spawn: another program in the daemon's place, and how it is spawned.
  constructor({ data = join(makeFolder('data'), 'state'), options = [], prefix = [], binary = kVigil, spawn = {} } = {}) {
    this.data = data;
    this.options = options;
    this.prefix = prefix;
    this.binary = binary;
    this.spawn = spawn;
  }

  // Starts `vigil serve` and resolves when it accepts calls.
  static async start(parameters) {
    const vigil = new Vigil(parameters);
    await vigil.start();
    return vigil;
  }

  async start() {
    this.serve();
    await this.process.line(/^vigil: ready/);
    return this;
  }

  // Starts `vigil serve` without waiting.
  serve() {
    const command = [...this.prefix, this.binary, 'serve', '--data', this.data, ...this.options];
    const { env, ...spawn } = this.spawn;
    this.process = new Process(command[0], command.slice(1), { env: { ...environment(), ...env }, ...spawn });
    return this.process;
  }

  async stop() {
    await this.process.kill('SIGTERM');
    return this.process;
  }

  async kill() {
    await this.process.kill('SIGKILL');
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  #arguments(args) {
    return [...args, '--data', this.data];
  }

  // Runs a command whatever comes of it. Resolves with the ended process (status, text('stdout'), …).
  run(...args) {
    return run(kVigil, this.#arguments(args), { env: environment() });
  }

  // Runs a command that must succeed. Resolves with its standard output.
  async call(...args) {
    const process = await this.run(...args);
    if (process.status !== 0) {
      throw new Error(`vigil ${args.join(' ')}: exit status ${process.status}\n${process.text()}`);
    }
    return process.text('stdout');
  }

  // The same with --json. Resolves with the parsed document.
  async json(...args) {
    const text = await this.call(...args, '--json');
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`vigil ${args.join(' ')} --json is not JSON (${error.message}):\n${text}`);
    }
  }

  // A command that goes on, such as `page open` or `log --follow`.
  begin(...args) {
    return new Process(kVigil, this.#arguments(args), { env: environment() });
  }

  // Runs code in a new page of that URL and resolves with its console lines. Throws if the code fails.
  async inPage(url, code) {
    return (await this.call('page', 'open', url, '--eval', code)).split('\n');
  }

  // The value of an expression (or what its promise is fulfilled with) in a new page.
  async valueInPage(url, expression) {
    const { script } = await this.json('page', 'open', url, '--eval', `(${expression})`);
    return script.value;
  }

  // ---- what the commands print under --json, as lists
  async syncs(...url) {
    return this.json('syncs', ...url);
  }
  async log() {
    return this.json('log');
  }
  async engagement(url) {
    return this.json('engagement', url);
  }
}
