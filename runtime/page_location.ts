// HTML §7.2.4: Location of a page. The page's document does not navigate itself; what would replace it is refused with a
// line on the console, and only the fragment can change.
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { Event, type EventTarget, fire } from "./events.ts";
import { environment, parseUrl, URL, withoutFragment } from "./url.ts";
import { defineInterface, DOMString } from "./webidl.ts";

let current: URL | null = null;
export function documentUrl(): URL {
  return (current ??= new URL(environment.url));
}
function go(text: string): void {
  const url = parseUrl(text);
  if (!url) throw new DOMException(`'${text}' is not a valid URL.`, "SyntaxError");
  if (withoutFragment(url.href) !== withoutFragment(documentUrl().href)) {
    print(
      "warn",
      `Navigation to ${url.href} was ignored: a headless page stays on its document. Open that URL as a page of its own.`,
    );
    return;
  }
  const changed = url.hash !== documentUrl().hash;
  current = url;
  environment.url = url.href;
  if (changed) fire(globalThis as unknown as EventTarget, new Event("hashchange"));
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
