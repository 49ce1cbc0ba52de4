// A page in a real worker process, its storage requests answered by the real services in a process of their own
// (src/storage/testing/storage_server.cc). What else it asks for is answered here: fetch() with the path as the body.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with ctest`);
  return value;
}
const { ToWorker, ToDaemon } = await loadMessages();
async function loadMessages(): Promise<any> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [join(required("VIGIL_RUNTIME_OUT"), "ipc/vigil.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    nodePaths: [join(import.meta.dirname, "../../../node_modules")],
  });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0]!.contents).toString("base64")}`);
}

// Cuts a stream into frames: a length of 32 bits, little-endian, and that many bytes.
function onFrames(handle: (frame: Buffer) => void): (data: Buffer) => void {
  let parts: Buffer[] = [];
  let size = 0;
  return (data) => {
    parts.push(data);
    size += data.length;
    for (;;) {
      if (size < 4) return;
      if (parts[0]!.length < 4) parts = [Buffer.concat(parts)];
      const length = parts[0]!.readUInt32LE(0);
      if (size < 4 + length) return;
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      handle(all.subarray(4, 4 + length));
      parts = [all.subarray(4 + length)];
      size -= 4 + length;
    }
  };
}
function frame(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

export class Session {
  readonly #directory = mkdtempSync(join(tmpdir(), "vigil-facades-"));
  requests = 0;
  unanswered = 0; // of these, those that want no answer
  #server: ChildProcess;
  #bridge: ChildProcess;
  #worker!: Socket;
  #seq = 0;
  #closed = false;
  #evaluations = 0;
  #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  private constructor() {
    this.#server = spawn(required("VIGIL_STORAGE_SERVER"), [join(this.#directory, "data")], { stdio: ["pipe", "pipe", "inherit"] });
    this.#server.stdout!.on("data", onFrames((bytes) => this.#tell(ToWorker.decode(bytes))));
    const args = [join(this.#directory, "socket"), required("VIGIL_WORKER"), required("VIGIL_RUNTIME_BUNDLE")];
    this.#bridge = spawn(required("VIGIL_RUNTIME_BRIDGE"), args, { stdio: ["pipe", "pipe", "inherit"] });
  }
  static async open(): Promise<Session> {
    const session = new Session();
    await new Promise<void>((resolve) => session.#bridge.stdout!.once("data", () => resolve()));
    session.#worker = connect(join(session.#directory, "socket"));
    session.#worker.on("data", onFrames((bytes) => session.#onMessage(ToDaemon.decode(bytes))));
    session.#worker.on("close", () => {
      for (const { reject } of session.#waiting.values()) reject(new Error("the worker process ended"));
    });
    const origin = "https://shop.example";
    session.#tell({
      start: { scope: 1, origin, url: `${origin}/index.html`, clock: { virtualTime: false }, network: { online: true }, page: { clientId: "1", html: Buffer.from("") } },
    });
    return session;
  }
  #tell(message: object): void {
    if (this.#closed) return;
    this.#worker.write(frame(ToWorker.encode(ToWorker.fromPartial({ ...message, seq: ++this.#seq })).finish()));
  }
  #onMessage(message: any): void {
    if (message.evaluateResult) {
      const { id, ok, json, text } = message.evaluateResult;
      const waiting = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (ok) waiting.resolve(json === "" ? undefined : JSON.parse(json));
      else waiting.reject(new Error(text));
    }
    if (message.request) this.#answer(message.request);
  }
  #answer(request: any): void {
    if (this.#closed) return;
    const { id, fetch } = request;
    if (request.idb || request.cache) {
      ++this.requests;
      if (id === 0) ++this.unanswered;
      const whole = ToDaemon.encode(ToDaemon.fromPartial({ request })).finish() as Uint8Array;
      let at = 1; // the field's number, then its length, then the Request itself
      while (whole[at]! & 0x80) ++at;
      this.#server.stdin!.write(frame(whole.subarray(at + 1)));
    } else if (fetch) {
      const { pathname } = new URL(fetch.url);
      const body = { inline: Buffer.from(pathname) };
      this.#tell({ reply: { id, response: { status: pathname === "/missing" ? 404 : 200, urlList: [fetch.url], body } } });
    } else {
      this.#tell({ reply: { id, ok: {} } });
    }
  }
  // The value of code (a script, or the body of an async function) as JSON.
  run(code: string): Promise<any> {
    const id = ++this.#evaluations;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell({ evaluate: { id, code, name: "test" } });
    });
  }
  async close(): Promise<void> {
    this.#closed = true;
    this.#worker.end();
    const ended = [this.#server, this.#bridge].map((process) => new Promise((resolve) => process.once("exit", resolve)));
    this.#server.stdin!.end();
    this.#bridge.stdin!.end();
    await Promise.all(ended);
    rmSync(this.#directory, { recursive: true });
  }
}

// Small helpers that the tests' scripts use.
export const helpers = `
  globalThis.done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  globalThis.complete = (tx) => new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve("complete");
    tx.onabort = () => reject(tx.error ?? new DOMException("aborted", "AbortError"));
  });
  globalThis.openDb = (name, version, upgrade) => new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = (event) => upgrade?.(request.result, request.transaction, event);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  globalThis.nameOf = async (work) => { try { await work(); return "no error"; } catch (error) { return error.name; } };
  0;
`;
