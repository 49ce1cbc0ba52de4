// Indexed Database API §2.4, §2.5, §7: keys, key paths, and getting keys out of values.
//
// Inside the façade a key is its encoded form, a byte string whose order is the order of the keys. The form is
// described in src/storage/key_codec.h, the twin of this file.
import { Blob, File } from "./blob.ts";
import { native } from "./native.ts";
import { bareError, isArrayBuffer } from "./webidl.ts";

export type EncodedKey = Uint8Array;

const maxDepth = 200;
const maxBytes = 1 << 20;
const enum Type {
  Placeholder = 0x08,
  Number = 0x10,
  Date = 0x20,
  String = 0x30,
  Binary = 0x40,
  Array = 0x50,
}
const getTime = Date.prototype.getTime;

// ------------------------------------------------------------------------------------------------- encoding
let buffer = new Uint8Array(256);
let view = new DataView(buffer.buffer);
let length = 0;

function ensure(more: number): void {
  if (length + more <= buffer.length) return;
  const larger = new Uint8Array(Math.max(buffer.length * 2, length + more));
  larger.set(buffer);
  buffer = larger;
  view = new DataView(buffer.buffer);
}
function putDouble(type: Type, value: number): void {
  ensure(9);
  buffer[length++] = type;
  view.setFloat64(length, value === 0 ? 0 : value);
  const high = view.getUint32(length);
  if (high & 0x80000000) {
    view.setUint32(length, ~high >>> 0);
    view.setUint32(length + 4, ~view.getUint32(length + 4) >>> 0);
  } else {
    view.setUint32(length, (high | 0x80000000) >>> 0);
  }
  length += 8;
}
function putUnit(unit: number): void {
  if (unit <= 0x7e) {
    buffer[length++] = unit + 1;
  } else if (unit - 0x7f <= 0x3fff) {
    const rest = unit - 0x7f;
    buffer[length++] = 0x80 + (rest >> 8);
    buffer[length++] = rest & 0xff;
  } else {
    buffer[length++] = 0xc0 + (unit >> 10);
    buffer[length++] = (unit >> 2) & 0xff;
    buffer[length++] = (unit << 6) & 0xff;
  }
}
function putString(text: string): void {
  ensure(text.length * 3 + 2);
  buffer[length++] = Type.String;
  for (let i = 0; i < text.length; ++i) putUnit(text.charCodeAt(i));
  buffer[length++] = 0;
}
function putBinary(bytes: Uint8Array): void {
  ensure(bytes.length * 2 + 2);
  buffer[length++] = Type.Binary;
  for (const byte of bytes) putUnit(byte);
  buffer[length++] = 0;
}
// §7.3 "convert a value to a key". False: it is none. May throw what a getter throws.
function putKey(value: unknown, seen: object[]): boolean {
  switch (typeof value) {
    case "number":
      if (Number.isNaN(value)) return false;
      putDouble(Type.Number, value);
      return true;
    case "string":
      putString(value);
      return true;
    case "object":
      return value !== null && putObject(value, seen);
    default:
      return false;
  }
}
function timeOf(value: object): number | undefined {
  try {
    return Reflect.apply(getTime, value, []);
  } catch {
    return undefined;
  }
}
function putObject(value: object, seen: object[]): boolean {
  if (native.isProxy(value)) return false;
  if (Array.isArray(value)) return putArray(value, seen);
  if (isArrayBuffer(value) || ArrayBuffer.isView(value)) {
    const source = isArrayBuffer(value) ? value : (value.buffer as ArrayBuffer);
    if (source.detached) return false;
    putBinary(isArrayBuffer(value) ? new Uint8Array(value) : new Uint8Array(source, value.byteOffset, value.byteLength));
    return true;
  }
  const time = timeOf(value);
  if (time === undefined || Number.isNaN(time)) return false;
  putDouble(Type.Date, time);
  return true;
}
function putArray(value: unknown[], seen: object[]): boolean {
  if (seen.includes(value) || seen.length >= maxDepth) return false;
  seen.push(value);
  ensure(1);
  buffer[length++] = Type.Array;
  const count = value.length;
  for (let i = 0; i < count; ++i) {
    if (!Object.hasOwn(value, i) || !putKey(value[i], seen)) return false;
  }
  seen.pop();
  ensure(1);
  buffer[length++] = 0;
  return true;
}

let busy = false;
// null: the value is not a valid key.
export function encodeKey(value: unknown): EncodedKey | null {
  // A getter of an array's element may come back here.
  if (busy) return encodeAside(value);
  busy = true;
  length = 0;
  try {
    return putKey(value, []) && length <= maxBytes ? buffer.slice(0, length) : null;
  } finally {
    busy = false;
  }
}
function encodeAside(value: unknown): EncodedKey | null {
  const saved = { buffer, view, length };
  buffer = new Uint8Array(256);
  view = new DataView(buffer.buffer);
  busy = false;
  try {
    return encodeKey(value);
  } finally {
    busy = true;
    ({ buffer, view, length } = saved);
  }
}

// ------------------------------------------------------------------------------------------------- decoding
const flipped = new DataView(new ArrayBuffer(8));
function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
class Reader {
  #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  read(): unknown {
    switch (this.#bytes[this.#at++]) {
      case Type.Number:
        return this.#double();
      case Type.Date:
        return new Date(this.#double());
      case Type.String:
        return this.#string();
      case Type.Binary:
        return new Uint8Array(this.#units()).buffer;
      default:
        return this.#array();
    }
  }
  #double(): number {
    const high = uint32At(this.#bytes, this.#at);
    const low = uint32At(this.#bytes, this.#at + 4);
    this.#at += 8;
    const positive = (high & 0x80000000) !== 0;
    flipped.setUint32(0, positive ? high & 0x7fffffff : ~high >>> 0);
    flipped.setUint32(4, positive ? low : ~low >>> 0);
    return flipped.getFloat64(0);
  }
  #units(): number[] {
    const units: number[] = [];
    for (;;) {
      const first = this.#bytes[this.#at++]!;
      if (first === 0) return units;
      if (first < 0x80) {
        units.push(first - 1);
      } else if (first < 0xc0) {
        units.push((((first & 0x3f) << 8) | this.#bytes[this.#at++]!) + 0x7f);
      } else {
        const second = this.#bytes[this.#at++]!;
        units.push(((first & 0x3f) << 10) | (second << 2) | (this.#bytes[this.#at++]! >> 6));
      }
    }
  }
  #string(): string {
    const units = this.#units();
    let text = "";
    for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
    return text;
  }
  #array(): unknown[] {
    const result: unknown[] = [];
    while (this.#bytes[this.#at] !== 0) {
      Object.defineProperty(result, result.length, { value: this.read(), writable: true, enumerable: true, configurable: true });
    }
    ++this.#at;
    return result;
  }
}
export function decodeKey(key: EncodedKey): unknown {
  return new Reader(key).read();
}

export function compareKeys(a: EncodedKey, b: EncodedKey): -1 | 0 | 1 {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; ++i) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

// ------------------------------------------------------------------------------------------------- key paths
export type KeyPath = string | string[];

// An IdentifierName, or several with dots between them, or nothing.
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$_\u200c\u200d]*$/u;
export function isValidKeyPath(path: KeyPath): boolean {
  if (typeof path === "string") return path === "" || path.split(".").every((part) => identifier.test(part));
  return path.length > 0 && path.every((part) => isValidKeyPath(part));
}
// WebIDL (DOMString or sequence<DOMString>).
export function toKeyPath(value: unknown): KeyPath {
  if (typeof value === "object" && value !== null && typeof (value as Iterable<unknown>)[Symbol.iterator] === "function") {
    return Array.from(value as Iterable<unknown>, (item) => {
      if (typeof item === "symbol") throw bareError("Cannot convert a Symbol value to a string");
      return `${item as string}`;
    });
  }
  if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
  return `${value as string}`;
}

const missing = Symbol("missing");
// §7.1 "evaluate a key path on a value"; the value is a clone of ours.
function evaluatePath(value: unknown, path: string): unknown {
  if (path === "") return value;
  let current: unknown = value;
  for (const name of path.split(".")) {
    if (typeof current === "string" && name === "length") {
      current = current.length;
    } else if (Blob.isInstance(current) && (name === "size" || name === "type")) {
      current = current[name];
    } else if (File.isInstance(current) && (name === "name" || name === "lastModified")) {
      current = current[name];
    } else {
      if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return missing;
      current = (current as Record<string, unknown>)[name];
      if (current === undefined) return missing;
    }
  }
  return current;
}

export type Extraction = { kind: "key"; key: EncodedKey } | { kind: "missing" } | { kind: "invalid" };
const isMissing: Extraction = { kind: "missing" };
const isInvalid: Extraction = { kind: "invalid" };
function extractionOf(value: unknown): Extraction {
  const key = encodeKey(value);
  return key ? { kind: "key", key } : isInvalid;
}
// §7.1 "extract a key from a value using a key path".
export function extractKey(value: unknown, path: KeyPath): Extraction {
  if (typeof path === "string") {
    const found = evaluatePath(value, path);
    return found === missing ? isMissing : extractionOf(found);
  }
  const parts: unknown[] = [];
  for (const part of path) {
    const found = evaluatePath(value, part);
    if (found === missing) return isMissing;
    parts.push(found);
  }
  return extractionOf(parts);
}

export function hasKeyAt(value: unknown, path: string): boolean {
  return evaluatePath(value, path) !== missing;
}

// The keys of a record in an index. pendingPath: the path at which a generated key will stand; what an index finds there
// is the placeholder.
export function indexKeys(value: unknown, path: KeyPath, multiEntry: boolean, pendingPath: string | null): { keys: EncodedKey[]; placeholder: boolean } {
  if (pendingPath !== null && path === pendingPath) return { keys: [new Uint8Array([Type.Placeholder])], placeholder: true };
  if (pendingPath !== null && Array.isArray(path) && path.includes(pendingPath)) return arrayWithPlaceholder(value, path, pendingPath);
  if (typeof path === "string" && multiEntry) {
    const found = evaluatePath(value, path);
    if (Array.isArray(found)) return { keys: distinctKeys(found), placeholder: false };
  }
  const extraction = extractKey(value, path);
  return { keys: extraction.kind === "key" ? [extraction.key] : [], placeholder: false };
}
function distinctKeys(list: unknown[]): EncodedKey[] {
  const keys: EncodedKey[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < list.length; ++i) {
    const key = Object.hasOwn(list, i) ? encodeKey(list[i]) : null;
    if (!key) continue;
    const text = String.fromCharCode(...key.subarray(0, 4096)) + key.length;
    if (key.length <= 4096 && seen.has(text)) continue;
    seen.add(text);
    keys.push(key);
  }
  return keys;
}
function arrayWithPlaceholder(value: unknown, path: string[], pendingPath: string): { keys: EncodedKey[]; placeholder: boolean } {
  const parts: Uint8Array[] = [new Uint8Array([Type.Array])];
  for (const part of path) {
    const found = part === pendingPath ? null : evaluatePath(value, part);
    const key = part === pendingPath ? new Uint8Array([Type.Placeholder]) : found === missing ? null : encodeKey(found);
    if (!key) return { keys: [], placeholder: false };
    parts.push(key);
  }
  parts.push(new Uint8Array([0]));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return { keys: [whole], placeholder: true };
}

// §7.2 "check that a key could be injected into a value".
export function canInject(value: unknown, path: string): boolean {
  const names = path.split(".");
  names.pop();
  let current = value;
  for (const name of names) {
    if (typeof current !== "object" || current === null) return false;
    if (!Object.hasOwn(current, name)) return true;
    current = (current as Record<string, unknown>)[name];
  }
  return typeof current === "object" && current !== null;
}
// §7.2 "inject a key into a value using a key path".
export function injectKey(value: unknown, path: string, key: unknown): void {
  const names = path.split(".");
  const last = names.pop()!;
  let current = value as Record<string, unknown>;
  const put = (name: string, what: unknown) =>
    Object.defineProperty(current, name, { value: what, writable: true, enumerable: true, configurable: true });
  for (const name of names) {
    if (!Object.hasOwn(current, name)) put(name, {});
    current = current[name] as Record<string, unknown>;
  }
  put(last, key);
}

// ------------------------------------------------------------------------------------------------- names
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
