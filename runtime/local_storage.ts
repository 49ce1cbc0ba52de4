// HTML §11: localStorage and sessionStorage. All pairs are read once, synchronously; writes go to the daemon as they
// happen.
import { LocalStorageOp_Kind } from "#ipc/vigil.ts";
import { port } from "./port.ts";
import { defineInterface, DOMString, unsignedLong } from "./webidl.ts";

function toUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 255;
    bytes[2 * i + 1] = unit >> 8;
  }
  return bytes;
}
function fromUtf16(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 16384) {
    const units: number[] = [];
    for (let j = i; j < Math.min(i + 16384, bytes.length - 1); j += 2) units.push(bytes[j]! | (bytes[j + 1]! << 8));
    pieces.push(String.fromCharCode(...units));
  }
  return pieces.join("");
}

export class Storage {
  #session: boolean;
  #pairs: Map<string, string> | null = null;
  constructor(session: boolean) {
    this.#session = session;
  }
  #load(): Map<string, string> {
    if (!this.#pairs) {
      const { localStorage } = port.requestSync({
        localStorage: { kind: LocalStorageOp_Kind.LOAD, session: this.#session },
      });
      this.#pairs = new Map((localStorage?.pairs ?? []).map(({ key, value }) => [fromUtf16(key), fromUtf16(value)]));
    }
    return this.#pairs;
  }
  // A full store must be told at once: setItem() throws.
  #write(kind: LocalStorageOp_Kind, key = "", value = ""): void {
    port.requestSync({ localStorage: { kind, key: toUtf16(key), value: toUtf16(value), session: this.#session } });
  }
  get length(): number {
    return this.#load().size;
  }
  key(index: number): string | null {
    return [...this.#load().keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.#load().get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.#load().get(key) === value) return;
    this.#write(LocalStorageOp_Kind.SET, key, value);
    this.#load().set(key, value);
  }
  removeItem(key: string): void {
    if (!this.#load().has(key)) return;
    this.#write(LocalStorageOp_Kind.REMOVE, key);
    this.#load().delete(key);
  }
  clear(): void {
    if (this.#load().size === 0) return;
    this.#write(LocalStorageOp_Kind.CLEAR);
    this.#load().clear();
  }
  static isInstance(value: unknown): value is Storage {
    return typeof value === "object" && value !== null && (#session in value || storages.has(value));
  }
  static keysOf(storage: Storage): string[] {
    return [...storage.#load().keys()];
  }
}
const storages = new WeakMap<object, Storage>(); // proxy → its storage
defineInterface(Storage, {
  name: "Storage",
  exposed: "page",
  operations: { key: [unsignedLong], getItem: [DOMString], setItem: [DOMString, DOMString], removeItem: [DOMString] },
});

// Keys are properties, too: storage.theme = "dark".
export function makeStorage(session: boolean): object {
  const storage = new Storage(session);
  const isMember = (key: string | symbol): key is symbol => typeof key === "symbol" || key in Storage.prototype;
  const proxy: object = new Proxy(storage, {
    get(_, key) {
      if (!isMember(key)) return storage.getItem(key) ?? undefined;
      const value: unknown = Reflect.get(storage, key, storage);
      if (typeof value !== "function" || key === ("constructor" as unknown)) return value;
      return bound(value as (...args: unknown[]) => unknown, storage);
    },
    set(_, key, value) {
      if (isMember(key)) return Reflect.set(storage, key, value);
      storage.setItem(key, DOMString(value));
      return true;
    },
    has: (_, key) => isMember(key) || storage.getItem(key) !== null,
    deleteProperty(_, key) {
      if (!isMember(key)) storage.removeItem(key);
      return true;
    },
    ownKeys: () => Storage.keysOf(storage),
    getOwnPropertyDescriptor(_, key) {
      if (isMember(key)) return undefined;
      const value = storage.getItem(key);
      return value === null ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
    defineProperty(_, key, descriptor) {
      if (!isMember(key)) storage.setItem(key, DOMString(descriptor.value));
      return true;
    },
  });
  storages.set(proxy, storage);
  return proxy;
}
// The methods run on the storage itself; each keeps one identity.
const boundMethods = new WeakMap<Storage, Map<Function, Function>>();
function bound(method: (...args: unknown[]) => unknown, storage: Storage): Function {
  let methods = boundMethods.get(storage);
  if (!methods) boundMethods.set(storage, methods = new Map());
  let result = methods.get(method);
  if (!result) methods.set(method, result = method.bind(storage));
  return result;
}
