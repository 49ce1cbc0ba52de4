// The façade's copy of a database's schema: object stores and indexes by name, and how an aborted upgrade takes its
// changes back.
import type { IdbDatabaseInfo, IdbKeyPath } from "#ipc/storage.ts";
import type { KeyPath } from "./indexeddb_key_path.ts";
import { defineInterface, DOMString, unsignedLong } from "./webidl.ts";

export interface IndexSchema {
  id: number;
  name: string;
  keyPath: KeyPath;
  unique: boolean;
  multiEntry: boolean;
  deleted: boolean;
}
export interface StoreSchema {
  id: number;
  name: string;
  keyPath: KeyPath | null;
  autoIncrement: boolean;
  indexes: IndexSchema[];
  deleted: boolean;
  fresh: boolean; // made by the running upgrade, and nothing was put into it
}
export interface Schema {
  version: number;
  nextId: number;
  stores: StoreSchema[];
}

// Names travel as UTF-16, big-endian: they may hold lone surrogates.
export function encodeName(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length * 2);
  for (let i = 0; i < name.length; ++i) {
    const unit = name.charCodeAt(i);
    bytes[2 * i] = unit >> 8;
    bytes[2 * i + 1] = unit & 0xff;
  }
  return bytes;
}
export function decodeName(bytes: Uint8Array): string {
  let name = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) name += String.fromCharCode((bytes[i]! << 8) | bytes[i + 1]!);
  return name;
}

function decodeKeyPath(path: IdbKeyPath | undefined): KeyPath | null {
  if (!path) return null;
  const paths = path.paths.map(decodeName);
  return path.array ? paths : paths[0]!;
}
export function encodeKeyPath(path: KeyPath | null): IdbKeyPath | undefined {
  if (path === null) return undefined;
  return Array.isArray(path) ? { paths: path.map(encodeName), array: true } : { paths: [encodeName(path)], array: false };
}
export function decodeSchema(info: IdbDatabaseInfo): Schema {
  const stores = info.stores.map((store): StoreSchema => ({
    id: store.id,
    name: decodeName(store.name),
    keyPath: decodeKeyPath(store.keyPath),
    autoIncrement: store.autoIncrement,
    indexes: store.indexes.map((index): IndexSchema => ({
      id: index.id,
      name: decodeName(index.name),
      keyPath: decodeKeyPath(index.keyPath)!,
      unique: index.unique,
      multiEntry: index.multiEntry,
      deleted: false,
    })),
    deleted: false,
    fresh: false,
  }));
  return { version: info.version, nextId: Math.max(info.nextId, 1), stores };
}

// Remembers a schema; the function that it returns puts everything back as it was, what was made being deleted then.
export function rememberSchema(schema: Schema, oldVersion: number): () => void {
  const before = schema.stores.map((store) => ({
    store,
    name: store.name,
    indexes: store.indexes.map((index) => ({ index, name: index.name })),
  }));
  return () => {
    for (const store of schema.stores) {
      store.deleted = true;
      for (const index of store.indexes) index.deleted = true;
    }
    schema.version = oldVersion;
    schema.stores = before.map(({ store, name, indexes }) => {
      for (const index of store.indexes) index.deleted = true;
      store.name = name;
      store.deleted = false;
      store.indexes = indexes.map(({ index, name }) => {
        index.name = name;
        index.deleted = false;
        return index;
      });
      return store;
    });
  };
}

// HTML §2.6.4: a sorted list of names.
export class DOMStringList {
  #names: string[];
  constructor(names: Iterable<string>) {
    this.#names = [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.#names.forEach((name, index) => {
      Object.defineProperty(this, index, { value: name, writable: false, enumerable: true, configurable: true });
    });
  }
  get length(): number {
    return this.#names.length;
  }
  item(index: number): string | null {
    return this.#names[index] ?? null;
  }
  contains(name: string): boolean {
    return this.#names.includes(name);
  }
  static isInstance(value: unknown): value is DOMStringList {
    return typeof value === "object" && value !== null && #names in value;
  }
}
defineInterface(DOMStringList, { name: "DOMStringList", operations: { item: [unsignedLong], contains: [DOMString] } });
Object.defineProperty(DOMStringList.prototype, Symbol.iterator, {
  value: Array.prototype[Symbol.iterator],
  writable: true,
  enumerable: false,
  configurable: true,
});
