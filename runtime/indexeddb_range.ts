// Indexed Database API §4.7: IDBKeyRange, and what else a query can be.
import type { IdbRange } from "#ipc/storage.ts";
import { DOMException } from "./domexception.ts";
import { compareKeys, decodeKey, type EncodedKey, encodeKey } from "./indexeddb_key.ts";
import { any, boolean, defineInterface, isArrayBuffer } from "./webidl.ts";

// A DOMException with the usual prefix of its message.
export function failure(operation: string, type: string, name: string, message: string): DOMException {
  return new DOMException(`Failed to execute '${operation}' on '${type}': ${message}`, name);
}
export function requireKey(value: unknown, operation: string, type: string): EncodedKey {
  const key = encodeKey(value);
  if (!key) throw failure(operation, type, "DataError", "The parameter is not a valid key.");
  return key;
}

export class IDBKeyRange {
  #lower: EncodedKey | undefined;
  #upper: EncodedKey | undefined;
  #lowerOpen: boolean;
  #upperOpen: boolean;
  #lowerValue: unknown;
  #upperValue: unknown;
  constructor(lower: EncodedKey | undefined, upper: EncodedKey | undefined, lowerOpen: boolean, upperOpen: boolean) {
    this.#lower = lower;
    this.#upper = upper;
    this.#lowerOpen = lowerOpen;
    this.#upperOpen = upperOpen;
    this.#lowerValue = lower && decodeKey(lower);
    this.#upperValue = upper && decodeKey(upper);
  }
  get lower(): unknown {
    return this.#lowerValue;
  }
  get upper(): unknown {
    return this.#upperValue;
  }
  get lowerOpen(): boolean {
    return this.#lowerOpen;
  }
  get upperOpen(): boolean {
    return this.#upperOpen;
  }
  includes(value: unknown): boolean {
    const key = requireKey(value, "includes", "IDBKeyRange");
    if (this.#lower) {
      const order = compareKeys(this.#lower, key);
      if (order > 0 || (order === 0 && this.#lowerOpen)) return false;
    }
    if (this.#upper) {
      const order = compareKeys(this.#upper, key);
      if (order < 0 || (order === 0 && this.#upperOpen)) return false;
    }
    return true;
  }
  static only(value: unknown): IDBKeyRange {
    const key = requireKey(value, "only", "IDBKeyRange");
    return new IDBKeyRange(key, key, false, false);
  }
  static lowerBound(lower: unknown, open = false): IDBKeyRange {
    return new IDBKeyRange(requireKey(lower, "lowerBound", "IDBKeyRange"), undefined, open, true);
  }
  static upperBound(upper: unknown, open = false): IDBKeyRange {
    return new IDBKeyRange(undefined, requireKey(upper, "upperBound", "IDBKeyRange"), true, open);
  }
  static bound(lower: unknown, upper: unknown, lowerOpen = false, upperOpen = false): IDBKeyRange {
    const from = requireKey(lower, "bound", "IDBKeyRange");
    const to = requireKey(upper, "bound", "IDBKeyRange");
    const order = compareKeys(from, to);
    if (order > 0) throw failure("bound", "IDBKeyRange", "DataError", "The lower key is greater than the upper key.");
    if (order === 0 && (lowerOpen || upperOpen)) {
      throw failure("bound", "IDBKeyRange", "DataError", "The lower key and upper key are equal and one of the bounds is open.");
    }
    return new IDBKeyRange(from, to, lowerOpen, upperOpen);
  }
  static isInstance(value: unknown): value is IDBKeyRange {
    return typeof value === "object" && value !== null && #lower in value;
  }
  static encode(range: IDBKeyRange): Range {
    return {
      lower: range.#lower ?? none,
      upper: range.#upper ?? none,
      lowerOpen: range.#lowerOpen,
      upperOpen: range.#upperOpen,
    };
  }
}
defineInterface(IDBKeyRange, {
  name: "IDBKeyRange",
  operations: { includes: [any] },
  statics: {
    only: [any],
    lowerBound: [any, boolean.optional(false)],
    upperBound: [any, boolean.optional(false)],
    bound: [any, any, boolean.optional(false), boolean.optional(false)],
  },
});

export type Range = IdbRange;
const none = new Uint8Array();
export const everything: Range = { lower: none, upper: none, lowerOpen: false, upperOpen: false };

export function onlyKey(key: EncodedKey): Range {
  return { lower: key, upper: key, lowerOpen: false, upperOpen: false };
}
// §7.4 "convert a value to a key range".
export function toRange(value: unknown, operation: string, type: string, nullDisallowed = false): Range {
  if (IDBKeyRange.isInstance(value)) return IDBKeyRange.encode(value);
  if (value === undefined || value === null) {
    if (nullDisallowed) throw failure(operation, type, "DataError", "No key or key range specified.");
    return everything;
  }
  return onlyKey(requireKey(value, operation, type));
}
// §7.4 "is a potentially valid key range": anything else given to getAll() is a dictionary of options.
export function isPotentialRange(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return IDBKeyRange.isInstance(value) || Array.isArray(value) || isArrayBuffer(value) || ArrayBuffer.isView(value) || value instanceof Date;
}
