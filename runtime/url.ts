// URL Standard §5: URL, a façade over the native parser; and the URL of this scope.
import { native } from "./native.ts";
import { URLSearchParams } from "./url_search_params.ts";
import { defineInterface, fail, USVString } from "./webidl.ts";

export { URLSearchParams };

// Where the scope's code came from: base of relative URLs. Set by start().
export const environment = { url: "about:blank", baseUrl: "about:blank", origin: "null" };

// What the parser says of an href: offsets into it, in this order (the port is the number itself).
const enum Part {
  ProtocolEnd, // past the colon
  UsernameEnd,
  HostStart, // at the "@" when there are credentials
  HostEnd,
  Port,
  PathnameStart, // past the "/." that protects a path which starts with two slashes
  SearchStart,
  HashStart,
  Count,
}
const omitted = 0xffffffff;
// The numbers of native.urlSet().
const enum Setter {
  Href,
  Protocol,
  Username,
  Password,
  Host,
  Hostname,
  Port,
  Pathname,
  Search,
  Hash,
}
const scratch = new Uint32Array(Part.Count);

export class URL {
  #href: string;
  #parts: Uint32Array;
  #searchParams: URLSearchParams | null = null;

  constructor(url: string, base: string | undefined = undefined) {
    const href = native.urlParse(url, base, scratch);
    if (href === null) {
      fail(base !== undefined && native.urlParse(base, undefined, scratch) === null ? "Invalid base URL" : "Invalid URL");
    }
    this.#href = href;
    this.#parts = scratch.slice();
  }
  static parse(url: string, base: string | undefined = undefined): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }
  static canParse(url: string, base: string | undefined = undefined): boolean {
    return native.urlParse(url, base, scratch) !== null;
  }

  #set(setter: Setter, value: string): boolean {
    const href = native.urlSet(this.#href, setter, value, scratch);
    if (href === null) return false;
    this.#href = href;
    this.#parts.set(scratch);
    return true;
  }
  #resetSearchParams(): void {
    if (this.#searchParams) URLSearchParams.reset(this.#searchParams, this.#query());
  }
  // The end of the part that stands before the search or before the fragment.
  #end(next: Part.SearchStart | Part.HashStart): number {
    const parts = this.#parts;
    if (next === Part.SearchStart && parts[Part.SearchStart] !== omitted) return parts[Part.SearchStart]!;
    return Math.min(parts[Part.HashStart]!, this.#href.length);
  }
  #hostStart(): number {
    const start = this.#parts[Part.HostStart]!;
    return this.#href[start] === "@" ? start + 1 : start;
  }
  #query(): string {
    const start = this.#parts[Part.SearchStart]!;
    return start === omitted ? "" : this.#href.slice(start + 1, this.#end(Part.HashStart));
  }

  get href(): string {
    return this.#href;
  }
  set href(value: string) {
    if (!this.#set(Setter.Href, value)) fail("Invalid URL");
    this.#resetSearchParams();
  }
  get origin(): string {
    switch (this.protocol) {
      case "http:":
      case "https:":
      case "ws:":
      case "wss:":
      case "ftp:":
        return `${this.protocol}//${this.host}`;
      case "blob:": {
        const inner = URL.parse(this.pathname);
        return inner?.protocol === "http:" || inner?.protocol === "https:" ? inner.origin : "null";
      }
      default:
        return "null";
    }
  }
  get protocol(): string {
    return this.#href.slice(0, this.#parts[Part.ProtocolEnd]);
  }
  set protocol(value: string) {
    this.#set(Setter.Protocol, value);
  }
  get username(): string {
    const start = this.#parts[Part.ProtocolEnd]! + 2;
    const end = this.#parts[Part.UsernameEnd]!;
    return start < end ? this.#href.slice(start, end) : "";
  }
  set username(value: string) {
    this.#set(Setter.Username, value);
  }
  get password(): string {
    const start = this.#parts[Part.UsernameEnd]!;
    const end = this.#parts[Part.HostStart]!;
    return start < end ? this.#href.slice(start + 1, end) : "";
  }
  set password(value: string) {
    this.#set(Setter.Password, value);
  }
  get host(): string {
    const port = this.#parts[Part.Port];
    return port === omitted ? this.hostname : `${this.hostname}:${port}`;
  }
  set host(value: string) {
    this.#set(Setter.Host, value);
  }
  get hostname(): string {
    return this.#href.slice(this.#hostStart(), this.#parts[Part.HostEnd]);
  }
  set hostname(value: string) {
    this.#set(Setter.Hostname, value);
  }
  get port(): string {
    const port = this.#parts[Part.Port];
    return port === omitted ? "" : `${port}`;
  }
  set port(value: string) {
    this.#set(Setter.Port, value);
  }
  get pathname(): string {
    return this.#href.slice(this.#parts[Part.PathnameStart], this.#end(Part.SearchStart));
  }
  set pathname(value: string) {
    this.#set(Setter.Pathname, value);
  }
  get search(): string {
    const query = this.#query();
    return query === "" ? "" : `?${query}`;
  }
  set search(value: string) {
    this.#set(Setter.Search, value);
    this.#resetSearchParams();
  }
  get searchParams(): URLSearchParams {
    return (this.#searchParams ??= URLSearchParams.ofUrl(this.#query(), (query) => this.#set(Setter.Search, query)));
  }
  get hash(): string {
    const start = this.#parts[Part.HashStart]!;
    return start + 1 < this.#href.length ? this.#href.slice(start) : "";
  }
  set hash(value: string) {
    this.#set(Setter.Hash, value);
  }
  toString(): string {
    return this.#href;
  }
  toJSON(): string {
    return this.#href;
  }
  static isInstance(value: unknown): value is URL {
    return typeof value === "object" && value !== null && #href in value;
  }
}
const members = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
defineInterface(URL, {
  name: "URL",
  constructorArguments: [USVString, USVString.optional()],
  setters: Object.fromEntries(members.map((name) => [name, USVString])),
  statics: { canParse: [USVString, USVString.optional()], parse: [USVString, USVString.optional()] },
});

export function parseUrl(url: string, base: string = environment.baseUrl): URL | null {
  return URL.parse(url, base);
}
// The URL without its fragment.
export function withoutFragment(url: string): string {
  const hash = url.indexOf("#");
  return hash < 0 ? url : url.slice(0, hash);
}
export function uuid(): string {
  const bytes = new Uint8Array(16);
  native.randomFill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
