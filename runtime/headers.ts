// Fetch §5.1: Headers.
import type { HttpHeader } from "#ipc/storage.ts";
import { any, ByteString, defineInterface, defineIterable, type Dictionary, fail, sequence } from "./webidl.ts";

export type Guard = "none" | "request" | "request-no-cors" | "response" | "immutable";

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const forbiddenRequestHeaders = new Set([
  "accept-charset",
  "accept-encoding",
  "access-control-request-headers",
  "access-control-request-method",
  "access-control-request-private-network",
  "connection",
  "content-length",
  "cookie",
  "cookie2",
  "date",
  "dnt",
  "expect",
  "host",
  "keep-alive",
  "origin",
  "referer",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);

export function normalizeValue(value: string): string {
  return value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
}
export function isToken(value: string): boolean {
  return tokenPattern.test(value);
}
function isForbiddenRequestHeader(name: string, value: string): boolean {
  if (forbiddenRequestHeaders.has(name) || name.startsWith("proxy-") || name.startsWith("sec-")) return true;
  if (name !== "x-http-method" && name !== "x-http-method-override" && name !== "x-method-override") return false;
  return value.split(",").some((method) => ["CONNECT", "TRACE", "TRACK"].includes(method.trim().toUpperCase()));
}
function isCorsUnsafeByte(value: string): boolean {
  return /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/.test(value);
}
function isNoCorsSafelisted(name: string, value: string): boolean {
  if (value.length > 128) return false;
  switch (name) {
    case "accept":
      return !isCorsUnsafeByte(value);
    case "accept-language":
    case "content-language":
      return /^[0-9A-Za-z *,\-.;=]*$/.test(value);
    case "content-type": {
      if (isCorsUnsafeByte(value)) return false;
      const essence = value.split(";")[0]!.trim().toLowerCase();
      return ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"].includes(essence);
    }
    default:
      return false;
  }
}

// Names are compared in lower case, and sent as the first of their kind was written.
export type Header = [name: string, value: string, written: string];

export class Headers {
  #list: Header[] = []; // in order of insertion
  #guard: Guard = "none";
  #sorted: [string, string][] | null = null;

  constructor(init: unknown = undefined) {
    if (init !== undefined) Headers.fill(this, init);
  }
  append(name: string, value: string): void {
    this.#append(name, value);
  }
  #append(name: string, value: string): void {
    this.#change(name, value, (lower, normalized) => {
      if (this.#guard === "request-no-cors") {
        const before = this.#get(lower);
        if (!isNoCorsSafelisted(lower, before === null ? normalized : `${before}, ${normalized}`)) return;
      }
      const first = this.#list.find((header) => header[0] === lower);
      this.#list.push([lower, normalized, first ? first[2] : name]);
    });
  }
  delete(name: string): void {
    this.#change(name, "", (lower) => {
      this.#list = this.#list.filter((header) => header[0] !== lower);
    });
  }
  get(name: string): string | null {
    checkName(name);
    return this.#get(name.toLowerCase());
  }
  getSetCookie(): string[] {
    return this.#list.filter((header) => header[0] === "set-cookie").map((header) => header[1]);
  }
  has(name: string): boolean {
    checkName(name);
    const lower = name.toLowerCase();
    return this.#list.some((header) => header[0] === lower);
  }
  set(name: string, value: string): void {
    this.#change(name, value, (lower, normalized) => {
      if (this.#guard === "request-no-cors" && !isNoCorsSafelisted(lower, normalized)) return;
      const index = this.#list.findIndex((header) => header[0] === lower);
      if (index < 0) {
        this.#list.push([lower, normalized, name]);
        return;
      }
      this.#list[index]![1] = normalized;
      this.#list = this.#list.filter((header, at) => at <= index || header[0] !== lower);
    });
  }
  #get(lower: string): string | null {
    const values = this.#list.filter((header) => header[0] === lower);
    return values.length === 0 ? null : values.map((header) => header[1]).join(", ");
  }
  #change(name: string, value: string, apply: (lower: string, normalized: string) => void): void {
    const normalized = normalizeValue(value);
    checkName(name);
    if (/[\0\n\r]/.test(normalized)) fail("Invalid value");
    if (this.#guard === "immutable") fail("Headers are immutable");
    const lower = name.toLowerCase();
    if (
      (this.#guard === "request" || this.#guard === "request-no-cors") && isForbiddenRequestHeader(lower, normalized)
    ) return;
    if (this.#guard === "response" && (lower === "set-cookie" || lower === "set-cookie2")) return;
    apply(lower, normalized);
    this.#sorted = null;
  }

  static isInstance(value: unknown): value is Headers {
    return typeof value === "object" && value !== null && #list in value;
  }
  static fill(headers: Headers, init: unknown): void {
    if (Headers.isInstance(init) && (init as object as Iterable<unknown>)[Symbol.iterator] === ownIterator) {
      Headers.appendAll(headers, init);
      return;
    }
    if ((typeof init !== "object" && typeof init !== "function") || init === null) {
      fail("The provided value is not of type '(record<ByteString, ByteString> or sequence<sequence<ByteString>>)'.");
    }
    if (typeof (init as Iterable<unknown>)[Symbol.iterator] === "function") {
      for (const pair of sequence(sequence(ByteString))(init)) {
        if (pair.length !== 2) fail("Invalid value");
        headers.#append(pair[0]!, pair[1]!);
      }
      return;
    }
    for (const key of Reflect.ownKeys(init)) {
      if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
      headers.#append(ByteString(key), ByteString((init as Dictionary)[key as string]));
    }
  }
  static appendAll(headers: Headers, from: Headers): void {
    for (const [, value, written] of from.#list) headers.#append(written, value);
  }
  static withGuard(guard: Guard): Headers {
    const headers = new Headers();
    headers.#guard = guard;
    return headers;
  }
  static setGuard(headers: Headers, guard: Guard): void {
    headers.#guard = guard;
  }
  // The list as it is, past all guards.
  static listOf(headers: Headers): Header[] {
    return headers.#list;
  }
  // The same under the same guard.
  static copyOf(headers: Headers): Headers {
    const copy = Headers.withGuard(headers.#guard);
    copy.#list = headers.#list.map((header): Header => [...header]);
    return copy;
  }
  static setList(headers: Headers, list: Header[]): void {
    headers.#list = list;
    headers.#sorted = null;
  }
  // Fetch "sort and combine".
  static pairs(headers: Headers): [string, string][] {
    if (headers.#sorted) return headers.#sorted;
    const names = [...new Set(headers.#list.map((header) => header[0]))].sort();
    const result: [string, string][] = [];
    for (const name of names) {
      if (name === "set-cookie") for (const value of headers.getSetCookie()) result.push([name, value]);
      else result.push([name, headers.#get(name)!]);
    }
    return (headers.#sorted = result);
  }
}
function checkName(name: string): void {
  if (!isToken(name)) fail("Invalid name");
}
defineInterface(Headers, {
  name: "Headers",
  constructorArguments: [any.optional()],
  operations: {
    append: [ByteString, ByteString],
    delete: [ByteString],
    get: [ByteString],
    has: [ByteString],
    set: [ByteString, ByteString],
  },
});
defineIterable(Headers, "Headers", (headers) => Headers.pairs(headers));
const ownIterator = (Headers.prototype as object as Iterable<unknown>)[Symbol.iterator];

export function encodeHeaders(headers: Headers): HttpHeader[] {
  return Headers.listOf(headers).map(([, value, written]) => ({ name: written, value }));
}
// For a request: one header of each name.
export function encodeCombined(headers: Headers): HttpHeader[] {
  const combined = new Map<string, HttpHeader>();
  for (const [name, value, written] of Headers.listOf(headers)) {
    const before = combined.get(name);
    if (before) before.value += `, ${value}`;
    else combined.set(name, { name: written, value });
  }
  return [...combined.values()];
}
export function decodeHeaders(list: readonly HttpHeader[], guard: Guard): Headers {
  const headers = Headers.withGuard(guard);
  Headers.setList(headers, list.map(({ name, value }): Header => [name.toLowerCase(), value, name]));
  return headers;
}
