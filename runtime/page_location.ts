// HTML §7.2.4: Location of a page. The page itself does not navigate: what would replace its document is refused with a
// line on the console, and only the fragment can change.
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { type EventTarget, fire } from "./events.ts";
import { HashChangeEvent } from "./message_events.ts";
import { deserialize, serialize } from "./structured_clone.ts";
import { setRuntimeTimer } from "./timers.ts";
import { environment, parseUrl, URL, withoutFragment } from "./url.ts";
import { any, defineInterface, DOMString, nullable } from "./webidl.ts";

let current: URL | null = null;
export function documentUrl(): URL {
  return (current ??= new URL(environment.url));
}
// History: the document stays, its URL changes.
export function setDocumentUrl(href: string): void {
  current = new URL(href);
  environment.url = href;
}
// To another document.
export function navigateSelf(url: string): void {
  print(
    "warn",
    `Navigation to ${url} was ignored: a headless page stays on its document. Open that URL as a page of its own.`,
  );
}
function go(text: string): void {
  const url = parseUrl(text);
  if (!url) throw new DOMException(`'${text}' is not a valid URL.`, "SyntaxError");
  const before = documentUrl().href;
  if (withoutFragment(url.href) !== withoutFragment(before)) {
    navigateSelf(url.href);
    return;
  }
  if (url.href === before) return;
  setDocumentUrl(url.href);
  const event = new HashChangeEvent("hashchange", { oldURL: before, newURL: url.href });
  setRuntimeTimer(() => void fire(globalThis as unknown as EventTarget, event), 0);
}
const part = (name: "protocol" | "host" | "hostname" | "port" | "pathname" | "search" | "hash", value: string) => {
  const url = new URL(documentUrl().href);
  url[name] = value;
  go(url.href);
};

export class Location {
  #brand = true;
  get href(): string {
    return documentUrl().href;
  }
  set href(value: string) {
    go(value);
  }
  get origin(): string {
    return documentUrl().origin;
  }
  get protocol(): string {
    return documentUrl().protocol;
  }
  set protocol(value: string) {
    part("protocol", value);
  }
  get host(): string {
    return documentUrl().host;
  }
  set host(value: string) {
    part("host", value);
  }
  get hostname(): string {
    return documentUrl().hostname;
  }
  set hostname(value: string) {
    part("hostname", value);
  }
  get port(): string {
    return documentUrl().port;
  }
  set port(value: string) {
    part("port", value);
  }
  get pathname(): string {
    return documentUrl().pathname;
  }
  set pathname(value: string) {
    part("pathname", value);
  }
  get search(): string {
    return documentUrl().search;
  }
  set search(value: string) {
    part("search", value);
  }
  get hash(): string {
    return documentUrl().hash;
  }
  set hash(value: string) {
    part("hash", value);
  }
  get ancestorOrigins(): readonly string[] {
    return Object.freeze([]);
  }
  assign(url: string): void {
    go(url);
  }
  replace(url: string): void {
    go(url);
  }
  reload(): void {
    print("warn", "location.reload() was ignored: close the page and open it again.");
  }
  toString(): string {
    return documentUrl().href;
  }
  static isInstance(value: unknown): value is Location {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
const text = DOMString;
defineInterface(Location, {
  name: "Location",
  exposed: "page",
  operations: { assign: [text], replace: [text] },
  setters: {
    href: text,
    protocol: text,
    host: text,
    hostname: text,
    port: text,
    pathname: text,
    search: text,
    hash: text,
  },
});

// HTML §7.2.5, without a joint session history: entries change the URL and the state, nothing goes back.
export class History {
  #state: unknown = null;
  #length = 1;
  get length(): number {
    return this.#length;
  }
  get state(): unknown {
    return this.#state;
  }
  get scrollRestoration(): string {
    return "auto";
  }
  pushState(state: unknown, _title: unknown, url: string | null): void {
    this.#change("pushState", state, url);
    ++this.#length;
  }
  replaceState(state: unknown, _title: unknown, url: string | null): void {
    this.#change("replaceState", state, url);
  }
  #change(method: string, state: unknown, url: string | null): void {
    const target = url === null ? documentUrl() : parseUrl(url);
    if (!target || target.origin !== documentUrl().origin) {
      throw new DOMException(
        `Failed to execute '${method}' on 'History': A history state object with URL '${url ?? ""}' cannot be created in a document with origin '${documentUrl().origin}' and URL '${documentUrl().href}'.`,
        "SecurityError",
      );
    }
    this.#state = deserialize(serialize(state));
    setDocumentUrl(target.href);
  }
  static isInstance(value: unknown): value is History {
    return typeof value === "object" && value !== null && #length in value;
  }
}
defineInterface(History, {
  name: "History",
  exposed: "page",
  operations: {
    pushState: [any, any, nullable(text).optional(null)],
    replaceState: [any, any, nullable(text).optional(null)],
  },
});
