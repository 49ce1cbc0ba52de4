// Indexed Database API §2.5, §7.1, §7.2: key paths, getting keys out of values and putting them in.
import { Blob, File } from "./blob.ts";
import { type EncodedKey, encodeKey, KeyType } from "./indexeddb_key.ts";
import { bareError } from "./webidl.ts";

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
  if (pendingPath !== null && path === pendingPath) return { keys: [new Uint8Array([KeyType.Placeholder])], placeholder: true };
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
  const parts: Uint8Array[] = [new Uint8Array([KeyType.Array])];
  for (const part of path) {
    const found = part === pendingPath ? null : evaluatePath(value, part);
    const key = part === pendingPath ? new Uint8Array([KeyType.Placeholder]) : found === missing ? null : encodeKey(found);
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
