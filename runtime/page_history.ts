// HTML §7.2.5: the session history of one document, kept by its scripts and by fragments. What was there before the
// document, or comes after it, is no part of it.
import { DOMException } from "./domexception.ts";
import { type EventTarget, fire } from "./events.ts";
import { HashChangeEvent, PopStateEvent } from "./message_events.ts";
import { documentUrl, navigateSelf, setDocumentUrl, setFragmentNavigation } from "./page_location.ts";
import { deserialize, serialize } from "./structured_clone.ts";
import { setRuntimeTimer } from "./timers.ts";
import { parseUrl, withoutFragment } from "./url.ts";
import { any, defineInterface, DOMString, long, nullable } from "./webidl.ts";

interface Entry {
  url: string;
  state: Uint8Array | null; // serialized
}
let entries: Entry[] | null = null;
let index = 0;
function known(): Entry[] {
  return (entries ??= [{ url: documentUrl().href, state: null }]);
}
let state: unknown = null;
function add(entry: Entry, replace: boolean): void {
  const list = known();
  if (!replace) list.splice(++index);
  list[index] = entry;
}
// "Update document for history step application", steps 5 and 6.
function arrive(before: string): void {
  const { url: newURL, state: stored } = known()[index]!;
  state = stored ? deserialize(stored) : null;
  const target = globalThis as unknown as EventTarget;
  fire(target, new PopStateEvent("popstate", { state }));
  if (before === newURL || withoutFragment(before) !== withoutFragment(newURL)) return;
  fire(target, new HashChangeEvent("hashchange", { oldURL: before, newURL }));
}
function traverse(delta: number): void {
  const target = index + delta;
  if (!known()[target]) return;
  const before = documentUrl().href;
  index = target;
  setDocumentUrl(known()[index]!.url);
  arrive(before);
}

export class History {
  #brand = true;
  get length(): number {
    return known().length;
  }
  get state(): unknown {
    return state;
  }
  get scrollRestoration(): string {
    return "auto";
  }
  pushState(data: unknown, _title: unknown, url: string | null): void {
    this.#change("pushState", data, url);
  }
  replaceState(data: unknown, _title: unknown, url: string | null): void {
    this.#change("replaceState", data, url);
  }
  go(delta: number): void {
    if (delta === 0) navigateSelf(null);
    else setRuntimeTimer(() => traverse(delta), 0);
  }
  back(): void {
    this.go(-1);
  }
  forward(): void {
    this.go(1);
  }
  #change(method: string, data: unknown, url: string | null): void {
    const target = url === null ? documentUrl() : parseUrl(url);
    if (!target || target.origin !== documentUrl().origin) {
      throw new DOMException(
        `Failed to execute '${method}' on 'History': A history state object with URL '${url ?? ""}' cannot be created in a document with origin '${documentUrl().origin}' and URL '${documentUrl().href}'.`,
        "SecurityError",
      );
    }
    const bytes = serialize(data);
    add({ url: target.href, state: bytes }, method === "replaceState");
    state = deserialize(bytes);
    setDocumentUrl(target.href);
  }
  static isInstance(value: unknown): value is History {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
const text = DOMString;
defineInterface(History, {
  name: "History",
  exposed: "page",
  operations: {
    pushState: [any, any, nullable(text).optional(null)],
    replaceState: [any, any, nullable(text).optional(null)],
    go: [long.optional(0)],
  },
});
setFragmentNavigation((url, replace) => {
  const before = documentUrl().href;
  add({ url, state: null }, replace);
  setDocumentUrl(url);
  setRuntimeTimer(() => arrive(before), 0);
});
