// A small native half for tests of pure logic: the bundle in a `vm` context of Node, messages kept in arrays. The real
// native half is tested where it lives (src/worker) and end to end (tests/).
import { createHash, createHmac, randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as util from "node:util";
import v8 from "node:v8";
import vm from "node:vm";

const output = process.env["VIGIL_RUNTIME_OUT"];
if (!output) throw new Error("set VIGIL_RUNTIME_OUT to the build's generated/runtime, or run these tests with ctest");
const bundle = readFileSync(process.env["VIGIL_RUNTIME_BUNDLE"] ?? join(output, "bundle.js"), "utf8");
const script = new vm.Script(bundle, { filename: "vigil:runtime" });

// eslint-style any: the generated messages are checked where they are used.
const messages = await loadMessages();
export const { ToWorker, ToDaemon } = messages;

async function loadMessages(): Promise<any> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [join(output, "ipc/vigil.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    nodePaths: [join(import.meta.dirname, "../../node_modules")],
  });
  const source = `data:text/javascript;base64,${Buffer.from(result.outputFiles[0]!.contents).toString("base64")}`;
  return import(source);
}

export interface Answer {
  (request: any): any; // the body of a Reply, or undefined: no answer (yet)
}

let current: Scope | null = null;
process.on("unhandledRejection", (reason, promise) => current?.host.unhandledRejection(promise, reason));

// One scope with its host object, and what it sent.
export class Scope {
  readonly context: vm.Context;
  readonly host: any;
  readonly sent: any[] = [];
  answer: Answer = () => undefined;
  monoMs = 1000;
  wallMs = 1_700_000_000_000;
  #timers = new Map<number, number>();
  #seq = 0;

  constructor(kind: "service-worker" | "page") {
    // An ordinary global object: scripts see it as their own, without the interceptors of a contextified one.
    this.context = vm.createContext(vm.constants.DONT_CONTEXTIFY as never);
    current = this;
    const install = script.runInContext(this.context) as (native: object, kind: string) => any;
    this.host = install(this.#native(), kind);
  }

  #native(): object {
    const inside = this.run("({Uint8Array, TypeError})") as { Uint8Array: typeof Uint8Array; TypeError: typeof TypeError };
    const bytes = (data: Uint8Array) => inside.Uint8Array.from(data);
    const outer = (data: Uint8Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return {
      send: (message: Uint8Array) => this.#onMessage(ToDaemon.decode(outer(message))),
      requestSync: (message: Uint8Array) => {
        const { request } = ToDaemon.decode(outer(message));
        const body = this.answer(request) ?? { failure: { name: "NetworkError", message: "no answer" } };
        const reply = { id: request.id, ...body };
        return bytes(ToWorker.encode(ToWorker.fromPartial({ reply })).finish());
      },
      setTimer: (id: number, delay: number) => this.#timers.set(id, this.monoMs + delay),
      clearTimer: (id: number) => this.#timers.delete(id),
      wallNowMs: () => this.wallMs,
      monoNowMs: () => this.monoMs,
      realMonoUs: () => this.monoMs * 1000,
      runScript: (source: string | Uint8Array, url: string) => vm.runInContext(this.#text(source), this.context, { filename: url }),
      compileCheck: (source: string, url: string) => {
        try {
          new vm.Script(source, { filename: url });
        } catch (error) {
          throw new (this.run("SyntaxError"))((error as Error).message);
        }
      },
      runModule: async () => {
        throw new inside.TypeError("modules need the real native half");
      },
      serialize: (value: unknown) => bytes(v8.serialize(value)),
      deserialize: (data: Uint8Array) => this.#adopt(v8.deserialize(outer(data))),
      utf8Encode: (text: string) => bytes(new TextEncoder().encode(text)),
      utf8Decode: (data: Uint8Array, fatal: boolean, ignoreBOM: boolean) => {
        try {
          return new TextDecoder("utf-8", { fatal, ignoreBOM }).decode(outer(data));
        } catch {
          throw new inside.TypeError("The encoded data was not valid.");
        }
      },
      latin1Decode: (data: Uint8Array) => outer(data).toString("latin1"),
      randomFill: (data: Uint8Array) => randomFillSync(data),
      digest: (name: string, data: Uint8Array) => bytes(createHash(name.replace("-", "").toLowerCase()).update(data).digest()),
      hmac: (name: string, key: Uint8Array, data: Uint8Array) =>
        bytes(createHmac(name.replace("-", "").toLowerCase(), key).update(data).digest()),
      previewPromise: () => ({ state: "pending" }),
      isProxy: util.types.isProxy,
      exit: () => {},
    };
  }
  #text(source: string | Uint8Array): string {
    return typeof source === "string" ? source : Buffer.from(source).toString("utf8");
  }
  // Plain data of this realm, again in the context's own.
  #adopt(value: unknown): unknown {
    return typeof value === "object" && value !== null && !ArrayBuffer.isView(value)
      ? this.run(`(${JSON.stringify(value)})`)
      : value;
  }
  #onMessage(message: any): void {
    for (const key of Object.keys(message)) if (message[key] === undefined) delete message[key];
    if (message.request) for (const key of Object.keys(message.request)) if (message.request[key] === undefined) delete message.request[key];
    this.sent.push(message);
    if (!message.request) return;
    const body = this.answer(message.request);
    if (body) queueMicrotask(() => this.receive({ reply: { id: message.request.id, ...body } }));
  }

  run(code: string): any {
    return vm.runInContext(code, this.context, { filename: "test.js" });
  }
  start(start: object): void {
    this.host.start(this.#encode({ start }));
  }
  receive(message: object): void {
    this.host.receive(this.#encode(message));
  }
  #encode(message: object): Uint8Array {
    const data = ToWorker.encode(ToWorker.fromPartial({ seq: ++this.#seq, ...message })).finish();
    const Bytes = this.run("Uint8Array") as typeof Uint8Array;
    return Bytes.from(data);
  }
  // Moves the clock and runs the timers that are due, in order of time.
  async advance(ms: number): Promise<void> {
    const end = this.monoMs + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, at]) => at <= end).sort((a, b) => a[1] - b[1] || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.wallMs += due[1] - this.monoMs;
      this.monoMs = due[1];
      this.host.timer(due[0]);
    }
    this.wallMs += end - this.monoMs;
    this.monoMs = end;
    await settle();
  }
  messages(kind: string): any[] {
    return this.sent.filter((message) => message[kind] !== undefined).map((message) => message[kind]);
  }
}

// Lets every microtask run that is waiting, those that they start included.
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
