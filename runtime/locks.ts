// Web Locks: navigator.locks. The daemon keeps the locks, one set for all pages and workers of an origin.
import type { LockSnapshot_Lock } from "#ipc/vigil.ts";
import { AbortSignal, toSignal } from "./abort.ts";
import { DOMException } from "./domexception.ts";
import { port } from "./port.ts";
import {
  any,
  boolean,
  converter,
  defineInterface,
  type Dictionary,
  DOMString,
  enumeration,
  fail,
  member,
  toDictionary,
} from "./webidl.ts";

type LockMode = "shared" | "exclusive";
const toMode = enumeration("LockMode", ["shared", "exclusive"]);

export class Lock {
  #name: string;
  #mode: LockMode;
  constructor(name: string, mode: LockMode) {
    this.#name = name;
    this.#mode = mode;
  }
  get name(): string {
    return this.#name;
  }
  get mode(): LockMode {
    return this.#mode;
  }
  static isInstance(value: unknown): value is Lock {
    return typeof value === "object" && value !== null && #mode in value;
  }
}
defineInterface(Lock, { name: "Lock" });

interface Options {
  mode: LockMode;
  ifAvailable: boolean;
  steal: boolean;
  signal: AbortSignal | null;
}
function toOptions(given: unknown): Options {
  const dict = "LockOptions";
  const options: Dictionary = toDictionary(given, dict);
  return {
    ifAvailable: member(options, dict, "ifAvailable", boolean, false),
    mode: member(options, dict, "mode", toMode, "exclusive"),
    signal: member(options, dict, "signal", converter(toSignal), null),
    steal: member(options, dict, "steal", boolean, false),
  };
}
function refuse(message: string): never {
  throw new DOMException(`Failed to execute 'request' on 'LockManager': ${message}`, "NotSupportedError");
}
function check(name: string, { mode, ifAvailable, steal, signal }: Options): void {
  if (name.startsWith("-")) refuse("Names cannot start with '-'.");
  if (steal && ifAvailable) refuse("The 'steal' and 'ifAvailable' options cannot be used together.");
  if (steal && mode !== "exclusive") refuse("The 'steal' option may only be used with 'exclusive' locks.");
  if (signal && (steal || ifAvailable)) {
    refuse(`The 'signal' and '${steal ? "steal" : "ifAvailable"}' options cannot be used together.`);
  }
}

type LockCallback = (lock: Lock | null) => unknown;
// Locks that are held, by the number of their request: what to do when somebody steals them.
const held = new Map<number, () => void>();
let listening = false;
function listen(): void {
  if (listening) return;
  listening = true;
  port.on("lockStolen", (id) => held.get(id)?.());
}

async function hold(name: string, options: Options, action: LockCallback): Promise<unknown> {
  listen();
  const { mode, ifAvailable, steal, signal } = options;
  const request = { name: encodeName(name), shared: mode === "shared", ifAvailable, steal };
  const { id, reply } = port.cancellableRequest({ lockRequest: request });
  const giveBack = () => port.notify({ cancelRequest: id });
  // An answer that is already under way when the signal aborts brings nothing any more.
  const granted = await new Promise<boolean>((resolve, reject) => {
    const forget = signal && AbortSignal.addAlgorithm(signal, () => {
      giveBack();
      reject(signal.reason);
    });
    reply.then(({ flag }) => resolve(flag?.value ?? false), reject).finally(() => forget?.());
  });
  if (!granted) return action(null);
  const stolen = new Promise<never>((_, reject) => {
    held.set(id, () => {
      held.delete(id);
      reject(new DOMException("Lock broken by another request with the 'steal' option.", "AbortError"));
    });
  });
  const used = new Promise((resolve) => resolve(action(new Lock(name, mode))));
  try {
    return await Promise.race([used, stolen]);
  } finally {
    // The thief has a stolen lock; everything else goes back.
    if (held.delete(id)) giveBack();
  }
}

// Messages carry well-formed text alone, and a name may be any: JSON writes what is not as an escape.
const quoted = '"';
function encodeName(name: string): string {
  return name.isWellFormed() && !name.startsWith(quoted) ? name : JSON.stringify(name);
}
function decodeName(name: string): string {
  return name.startsWith(quoted) ? (JSON.parse(name) as string) : name;
}
const describe = ({ name, shared, clientId }: LockSnapshot_Lock) => ({
  clientId,
  mode: shared ? "shared" : "exclusive",
  name: decodeName(name),
});

export class LockManager {
  #brand = true;
  request(name: string, optionsOrCallback: unknown, maybeCallback: unknown): Promise<unknown> {
    const action = maybeCallback === undefined ? optionsOrCallback : maybeCallback;
    if (typeof action !== "function") {
      fail(`parameter ${maybeCallback === undefined ? 2 : 3} is not of type 'Function'.`);
    }
    const options = toOptions(maybeCallback === undefined ? {} : optionsOrCallback);
    check(name, options);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    return hold(name, options, action as LockCallback);
  }
  async query(): Promise<object> {
    const { locks } = await port.request({ lockQuery: {} });
    return { held: (locks?.held ?? []).map(describe), pending: (locks?.pending ?? []).map(describe) };
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
