// Web Locks: navigator.locks, between the scripts of one scope. (Scopes do not share locks yet.)
import { AbortSignal } from "./abort.ts";
import { DOMException } from "./domexception.ts";
import { any, boolean, defineInterface, type Dictionary, DOMString, enumeration, member } from "./webidl.ts";

const toMode = enumeration("LockMode", ["shared", "exclusive"]);

export class Lock {
  #name: string;
  #mode: string;
  constructor(name: string, mode: string) {
    this.#name = name;
    this.#mode = mode;
  }
  get name(): string {
    return this.#name;
  }
  get mode(): string {
    return this.#mode;
  }
  static isInstance(value: unknown): value is Lock {
    return typeof value === "object" && value !== null && #mode in value;
  }
}
defineInterface(Lock, { name: "Lock" });

interface Pending {
  name: string;
  mode: "shared" | "exclusive";
  grant(lock: Lock): void;
}
interface Held {
  lock: Lock;
  steal(): void;
}
const held = new Set<Held>();
const queue: Pending[] = [];

function grantable(request: Pending): boolean {
  for (const { lock } of held) {
    if (lock.name === request.name && (lock.mode === "exclusive" || request.mode === "exclusive")) return false;
  }
  return true;
}
function process(): void {
  const blocked = new Set<string>();
  for (const request of [...queue]) {
    if (blocked.has(request.name)) continue;
    if (!grantable(request)) {
      blocked.add(request.name);
      continue;
    }
    queue.splice(queue.indexOf(request), 1);
    request.grant(new Lock(request.name, request.mode));
  }
}

interface Options {
  mode: "shared" | "exclusive";
  ifAvailable: boolean;
  steal: boolean;
  signal: AbortSignal | null;
}
function toOptions(given: Dictionary): Options {
  const signal = given["signal"] ?? null;
  if (signal !== null && !AbortSignal.isInstance(signal)) {
    throw new TypeError("The provided signal is not an AbortSignal.");
  }
  return {
    mode: member(given, "LockOptions", "mode", toMode, "exclusive"),
    ifAvailable: member(given, "LockOptions", "ifAvailable", boolean, false),
    steal: member(given, "LockOptions", "steal", boolean, false),
    signal,
  };
}

export class LockManager {
  #brand = true;
  request(name: string, optionsOrCallback: unknown, maybeCallback: unknown): Promise<unknown> {
    const callback = maybeCallback === undefined ? optionsOrCallback : maybeCallback;
    if (typeof callback !== "function") {
      throw new TypeError("Failed to execute 'request' on 'LockManager': The callback is not a function.");
    }
    const options = toOptions(maybeCallback === undefined ? {} : ((optionsOrCallback ?? {}) as Dictionary));
    if (name.startsWith("-")) throw new DOMException("Names cannot start with '-'.", "NotSupportedError");
    if (options.steal && options.ifAvailable) {
      throw new DOMException("The 'steal' and 'ifAvailable' options cannot be used together.", "NotSupportedError");
    }
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    return new Promise((resolve, reject) =>
      LockManager.#enqueue(name, options, callback as (lock: Lock | null) => unknown, resolve, reject)
    );
  }
  static #enqueue(
    name: string,
    options: Options,
    callback: (lock: Lock | null) => unknown,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ): void {
    let forget = () => {};
    const request: Pending = {
      name,
      mode: options.mode,
      grant(lock) {
        forget();
        const entry: Held = {
          lock,
          steal() {
            held.delete(entry);
            reject(new DOMException("Lock broken by another request with the 'steal' option.", "AbortError"));
          },
        };
        held.add(entry);
        const release = () => {
          if (held.delete(entry)) process();
        };
        new Promise((done) => done(callback(lock))).then(
          (value) => {
            release();
            resolve(value);
          },
          (reason: unknown) => {
            release();
            reject(reason);
          },
        );
      },
    };
    if (options.steal) {
      for (const entry of [...held]) if (entry.lock.name === name) entry.steal();
      queue.unshift(request);
    } else if (options.ifAvailable && (!grantable(request) || queue.some((other) => other.name === name))) {
      new Promise((done) => done(callback(null))).then(resolve, reject);
      return;
    } else {
      queue.push(request);
    }
    if (options.signal) {
      const { signal } = options;
      forget = AbortSignal.addAlgorithm(signal, () => {
        queue.splice(queue.indexOf(request), 1);
        reject(signal.reason);
        process();
      });
    }
    void Promise.resolve().then(process);
  }
  async query(): Promise<object> {
    const describe = (name: string, mode: string) => ({ name, mode, clientId: "" });
    return {
      held: [...held].map(({ lock }) => describe(lock.name, lock.mode)),
      pending: queue.map(({ name, mode }) => describe(name, mode)),
    };
  }
  static isInstance(value: unknown): value is LockManager {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(LockManager, {
  name: "LockManager",
  operations: { request: [DOMString, any, any.optional()] },
  promises: ["request"],
});
