// Indexed Database API §2.4, §7.3: keys.
//
// Inside the façade a key is its encoded form, a byte string whose order is the order of the keys. The form is
// described in src/storage/key_codec.h, the twin of this file.
import { native } from "./native.ts";
import { isArrayBuffer } from "./webidl.ts";

export type EncodedKey = Uint8Array;

const maxDepth = 200;
const maxBytes = 1 << 20;
export const enum KeyType {
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
function putDouble(type: KeyType, value: number): void {
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
  buffer[length++] = KeyType.String;
  for (let i = 0; i < text.length; ++i) putUnit(text.charCodeAt(i));
  buffer[length++] = 0;
}
function putBinary(bytes: Uint8Array): void {
  ensure(bytes.length * 2 + 2);
  buffer[length++] = KeyType.Binary;
  for (const byte of bytes) putUnit(byte);
  buffer[length++] = 0;
}
// §7.3 "convert a value to a key". False: it is none. May throw what a getter throws.
function putKey(value: unknown, seen: object[]): boolean {
  switch (typeof value) {
    case "number":
      if (Number.isNaN(value)) return false;
      putDouble(KeyType.Number, value);
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
  putDouble(KeyType.Date, time);
  return true;
}
function putArray(value: unknown[], seen: object[]): boolean {
  if (seen.includes(value) || seen.length >= maxDepth) return false;
  seen.push(value);
  ensure(1);
  buffer[length++] = KeyType.Array;
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
      case KeyType.Number:
        return this.#double();
      case KeyType.Date:
        return new Date(this.#double());
      case KeyType.String:
        return this.#string();
      case KeyType.Binary:
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
