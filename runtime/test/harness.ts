// One scope of the runtime in a real worker process, for tests: its messages as objects, a virtual clock, answers to
// requests from the test. Nothing here waits for time: the worker says when it has nothing left to run (Quiescent).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with ctest`);
  return value;
}
const { ToWorker, ToDaemon } = await loadMessages(required("VIGIL_RUNTIME_OUT"));

// The generated messages are TypeScript without extensions in their imports; the bundler makes a module of them.
async function loadMessages(output: string): Promise<any> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [join(output, "ipc/vigil.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    nodePaths: [join(import.meta.dirname, "../../node_modules")],
  });
  const code = Buffer.from(result.outputFiles[0]!.contents).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

// One zygote for all scopes of a test file; it ends with this process.
const directory = mkdtempSync(join(tmpdir(), "vigil-runtime-"));
const socketPath = join(directory, "socket");
await startBridge();
async function startBridge(): Promise<void> {
  const bundle = process.env["VIGIL_RUNTIME_BUNDLE"];
  const args = [socketPath, required("VIGIL_WORKER"), ...(bundle ? [bundle] : [])];
  const bridge = spawn(required("VIGIL_RUNTIME_BRIDGE"), args, { stdio: ["pipe", "pipe", "inherit"] });
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  await new Promise<void>((resolve, reject) => {
    bridge.stdout.once("data", () => resolve());
    bridge.once("close", (status) => reject(new Error(`the bridge ended with status ${status}`)));
  });
  bridge.unref();
  (bridge.stdin as unknown as Socket).unref();
  (bridge.stdout as unknown as Socket).unref();
}

// "little memory": 16 MiB for its ArrayBuffers.
export type Memory = "enough" | "little memory";

// The body of a Reply, or undefined: no answer comes by itself. With synchronous: true it answers a blocking request
// (only needed where the request's kind does not say so).
export type Answer = (request: any) => object | undefined;

export const origin = "https://app.example";
export const registration = {
  id: 5,
  scope: `${origin}/`,
  updateViaCache: "imports",
  active: { versionId: 9, scriptUrl: `${origin}/sw.js`, state: "activated" },
};
const clock = { virtualTime: true, wallUs: 1_700_000_000_000_000, monoUs: 1_000_000 };

export class Scope {
  readonly sent: any[] = [];
  answer: Answer = () => ({ ok: {} });
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #seq = 0;
  #awaitedSeq = 0;
  #quietSeq = -1;
  #waiters: (() => void)[] = [];
  #ended = false;
  #clock = { ...clock };
  #evaluations = 0;

  private constructor(memory: Memory = "enough") {
    this.#socket = connect(memory === "enough" ? socketPath : `${socketPath}.small`);
    this.#socket.on("data", (data: Buffer) => this.#onData(data));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#ended = true;
      this.#wakeAll();
    });
  }

  // before: sends something ahead of the start, and says whether to wait for its end.
  static async serviceWorker(
    script: string,
    edit: (start: any) => void = () => {},
    before: (scope: Scope) => boolean = () => true,
    memory: Memory = "enough",
  ): Promise<Scope> {
    const scope = new Scope(memory);
    const waits = before(scope);
    const url = `${origin}/sw.js`;
    const source = Buffer.from(script);
    const serviceWorker = {
      registration: structuredClone(registration),
      versionId: 9,
      versionState: "activated",
      scripts: [{ url, responseUrl: url, source }],
    };
    const start = {
      scope: 0,
      origin,
      url,
      clock,
      network: { online: true, type: "wifi", effectiveType: "4g" },
      userAgent: "Vigil/1",
      languages: ["en-GB", "de"],
      serviceWorker,
    };
    edit(start);
    scope.post({ start });
    if (waits) await scope.quiet();
    return scope;
  }
  static async page(html: string, edit: (start: any) => void = () => {}, answer?: Answer): Promise<Scope> {
    const scope = new Scope();
    if (answer) scope.answer = answer;
    const page = {
      clientId: "client-1",
      html: Buffer.from(html),
      registration: structuredClone(registration),
      controllerVersionId: 9,
      referrer: "",
    };
    const start = {
      scope: 1,
      origin,
      url: `${origin}/index.html`,
      clock,
      network: { online: true, type: "wifi" },
      userAgent: "Vigil/1",
      languages: ["en-GB"],
      page,
    };
    edit(start);
    await scope.send({ start });
    return scope;
  }

  // Sends a message and waits until the worker has nothing left to run.
  async send(message: object): Promise<void> {
    this.post(message);
    await this.quiet();
  }
  post(message: object, awaited = true): void {
    const data = ToWorker.encode(ToWorker.fromPartial({ seq: ++this.#seq, ...message })).finish() as Uint8Array;
    if (awaited) this.#awaitedSeq = this.#seq;
    const head = Buffer.alloc(4);
    head.writeUInt32LE(data.byteLength);
    this.#socket.write(Buffer.concat([head, data]));
  }
  async quiet(): Promise<void> {
    while (this.#quietSeq < this.#awaitedSeq) {
      if (this.#ended) throw new Error("the worker process ended");
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
  // Until what was sent so far holds what the test wants.
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) throw new Error("the worker process ended");
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
  async advance(ms: number): Promise<void> {
    this.#clock.wallUs += ms * 1000;
    this.#clock.monoUs += ms * 1000;
    await this.send({ clock: this.#clock });
  }
  async close(): Promise<void> {
    this.#socket.end();
    while (!this.#ended) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onData(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    while (this.#received.byteLength >= 4) {
      const size = this.#received.readUInt32LE(0);
      if (this.#received.byteLength < 4 + size) break;
      this.#onMessage(ToDaemon.decode(this.#received.subarray(4, 4 + size)));
      this.#received = this.#received.subarray(4 + size);
    }
    this.#wakeAll();
  }
  #wakeAll(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
  #onMessage(message: any): void {
    if (message.quiescent) {
      this.#quietSeq = message.quiescent.seq;
      return;
    }
    this.sent.push(message);
    const { request } = message;
    const body = request && this.answer(request);
    if (!body) return;
    // A synchronous request takes its reply while a message is handled: that message's end is the one to wait for.
    const { synchronous = (request.importScript ?? request.localStorage) !== undefined, ...reply } = body as {
      synchronous?: boolean;
    };
    this.post({ reply: { id: request.id, ...reply } }, !synchronous);
  }

  // ---- what was sent
  of(kind: string): any[] {
    return this.sent.filter((message) => message[kind] !== undefined).map((message) => message[kind]);
  }
  requests(kind: string): any[] {
    return this.of("request").filter((request) => request[kind] !== undefined).map((request) => request[kind]);
  }
  get lines(): string[] {
    return this.of("console").map(({ text }) => text);
  }
  finished(eventId: number): any {
    return this.of("eventFinished").find((finished) => finished.eventId === eventId);
  }
  // Pages only: the value of code as JSON; throws the error text.
  async evaluate(code: string): Promise<any> {
    const id = ++this.#evaluations;
    await this.send({ evaluate: { id, code, name: "test" } });
    const result = this.of("evaluateResult").find((each) => each.id === id);
    if (!result) throw new Error("the evaluation is not finished");
    if (!result.ok) throw new Error(result.text);
    return result.json === "" ? undefined : JSON.parse(result.json);
  }
}

// A service worker that evaluates code for the test: an async function body, its value printed as JSON.
export interface Evaluator extends Scope {
  run(code: string): Promise<any>;
  begin(code: string): Promise<void>; // for code that does not end by itself: its value becomes a line "=…"
}
export async function evaluator(answer?: Answer, edit?: (start: any) => void, memory?: Memory): Promise<Evaluator> {
  const scope = await Scope.serviceWorker(
    `addEventListener("notificationclose", event => event.waitUntil((async () => {
       const show = value => JSON.stringify(value, (key, each) => each === undefined ? null : each);
       try { console.log("=" + show(await (0, eval)("(async () => {" + event.action + "\\n})()"))); }
       catch (error) { console.log("!" + error.name + ": " + error.message); }
     })()));`,
    edit,
    undefined,
    memory,
  );
  if (answer) scope.answer = answer;
  let id = 1000;
  const begin = (code: string) =>
    scope.send({ event: { id: ++id, notificationClose: { notification: { id: "n" }, action: code } } });
  return Object.assign(scope, {
    begin,
    async run(code: string): Promise<any> {
      const before = scope.lines.length;
      await begin(code);
      const line = scope.lines.slice(before).find((each) => each.startsWith("=") || each.startsWith("!"));
      if (!line) throw new Error(`no answer to ${code}`);
      if (line.startsWith("!")) throw new Error(line.slice(1));
      return JSON.parse(line.slice(1));
    },
  });
}
