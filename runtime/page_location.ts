// HTML §7.2.4: Location of a page. Another document comes as another page in this one's place, which the daemon opens;
// a change of the fragment stays here.
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { port } from "./port.ts";
import { setRuntimeTimer } from "./timers.ts";
import { environment, parseUrl, URL, withoutFragment } from "./url.ts";
import { defineInterface, DOMString } from "./webidl.ts";

// page_history.ts: to another fragment of this document.
let toFragment: (url: string, replace: boolean) => void = setDocumentUrl;
export function setFragmentNavigation(navigate: typeof toFragment): void {
  toFragment = navigate;
}

let current: URL | null = null;
export function documentUrl(): URL {
  return (current ??= new URL(environment.url));
}
// History: the document stays, its URL changes.
export function setDocumentUrl(href: string): void {
  current = new URL(href);
  environment.url = href;
}
// To another document; null: this one anew. It begins when the running script has ended, and this scope ends when the
// other document is there.
export function navigateSelf(url: string | null): void {
  const refused = (reason: unknown) => print("warn", `Navigation to ${url ?? documentUrl().href} failed: ${String(reason)}`);
  if (url !== null && !/^https?:/.test(url)) refused("a headless page has documents of http and https only");
  else setRuntimeTimer(() => void port.request({ clientNavigate: { url: url ?? "" } }).catch(refused), 0);
}
export function go(text: string, replace = false): void {
  const url = parseUrl(text);
  if (!url) throw new DOMException(`'${text}' is not a valid URL.`, "SyntaxError");
  const before = documentUrl().href;
  if (!url.href.includes("#") || withoutFragment(url.href) !== withoutFragment(before)) {
    navigateSelf(url.href);
    return;
  }
  if (url.href === before) return;
  toFragment(url.href, replace);
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
    go(url, true);
  }
  reload(): void {
    navigateSelf(null);
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
