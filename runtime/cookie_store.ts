// Cookie Store API: cookieStore, and the subscriptions of a service worker. The daemon owns the cookies.
import type { Cookie, CookieChange, CookieSubscription } from "#ipc/vigil.ts";
import type { SyncTarget } from "./background_sync.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, type EventInit, EventTarget, fire } from "./events.ts";
import { ExtendableEvent } from "./extendable.ts";
import { native, scopeKind } from "./native.ts";
import { port } from "./port.ts";
import { environment, parseUrl } from "./url.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  double,
  enumeration,
  fail,
  member,
  nullable,
  requiredMember,
  sequence,
  toDictionary,
  USVString,
} from "./webidl.ts";

const toSameSite = enumeration("CookieSameSite", ["strict", "lax", "none"]);
const maxNameAndValue = 4096;
const maxAttribute = 1024;

interface CookieListItem {
  domain: string | null;
  expires: number | null;
  name: string;
  partitioned: boolean;
  path: string;
  sameSite: string;
  secure: boolean;
  value: string;
}
const listItem = ({ name, value, domain, path, expiresMs, secure, sameSite }: Cookie): CookieListItem => ({
  domain: domain === "" ? null : domain,
  expires: expiresMs === 0 ? null : expiresMs,
  name,
  partitioned: false,
  path,
  sameSite,
  secure,
  value,
});

// ------------------------------------------------------------------------------------------------- reading
interface Question {
  url: string;
  name: string | undefined;
}
// A name, or options with a name and a URL. A worker may ask about any URL of its scope, a page only about its own.
function toQuestion(nameOrOptions: unknown, mayBeEmpty: boolean): Question {
  const dict = "CookieStoreGetOptions";
  const named = nameOrOptions !== undefined && nameOrOptions !== null && typeof nameOrOptions !== "object";
  const options = named ? { name: nameOrOptions } : toDictionary(nameOrOptions, dict);
  const givenName = member(options, dict, "name", USVString, undefined);
  const name = givenName === undefined ? undefined : trimmed(givenName);
  const given = member(options, dict, "url", USVString, undefined);
  if (!mayBeEmpty && name === undefined && given === undefined) fail("CookieStoreGetOptions must not be empty");
  if (given === undefined) return { url: environment.url, name };
  const url = parseUrl(given);
  if (!url) fail(`Failed to parse URL from ${given}`);
  url.hash = "";
  const own = parseUrl(environment.url)!;
  own.hash = "";
  if (scopeKind === "page" && url.href !== own.href) fail("URL must match the document URL");
  if (url.origin !== environment.origin) fail("URL must match the service worker's origin");
  return { url: url.href, name };
}
async function ask({ url, name }: Question): Promise<Cookie[]> {
  const { cookies } = await port.request({ cookieGet: { url, name } });
  return cookies?.cookies ?? [];
}

// ------------------------------------------------------------------------------------------------- writing
const bytes = (text: string): number => native.utf8Encode(text).byteLength;
const trimmed = (text: string): string => text.replace(/^[\t ]+|[\t ]+$/g, "");
// Controls but the tab, and what ends a pair.
const isUnsafe = (text: string): boolean => /[\x00-\x08\x0a-\x1f\x7f;]/.test(text);

function checkPair(name: string, value: string): void {
  if (isUnsafe(name) || name.includes("=")) fail("Cookie name cannot contain '=', ';' or control characters");
  if (isUnsafe(value)) fail("Cookie value cannot contain ';' or control characters");
  if (name === "") {
    if (value.includes("=")) fail("Cookie value cannot contain '=' if the name is empty");
    if (value === "") fail("Cookie name and value both cannot be empty");
    if (/^__(Host|Secure|Http|Host-Http)-/i.test(value)) {
      fail("Cookie value cannot begin with a name prefix if the name is empty");
    }
  }
  if (bytes(name) + bytes(value) > maxNameAndValue) {
    fail(`Cookie name and value cannot be larger than ${maxNameAndValue} bytes together`);
  }
}
function checkDomain(domain: string, name: string): void {
  if (domain.startsWith(".")) fail("Cookie domain cannot start with '.'");
  if (/^__Host-/i.test(name)) fail("Cookies with the __Host- prefix cannot specify a domain");
  if (bytes(domain) > maxAttribute) fail(`Cookie domain size cannot be larger than ${maxAttribute} bytes`);
  const host = parseUrl(environment.url)!.hostname;
  if (domain !== host && !host.endsWith(`.${domain}`)) fail("Cookie domain must domain-match current host");
}
function checkPath(path: string, name: string): void {
  if (!path.startsWith("/")) fail("Cookie path must start with '/'");
  if (/^__Host-/i.test(name) && path !== "/") fail("Cookies with the __Host- prefix cannot have a path but '/'");
  if (bytes(path) > maxAttribute) fail(`Cookie path size cannot be larger than ${maxAttribute} bytes`);
}
async function store(dict: string, options: Dictionary, deletes: boolean): Promise<void> {
  const domain = member(options, dict, "domain", nullable(USVString), null);
  const expires = deletes ? 1 : member(options, dict, "expires", nullable(double), null);
  const name = trimmed(requiredMember(options, dict, "name", USVString));
  member(options, dict, "partitioned", boolean, false);
  const path = member(options, dict, "path", USVString, "/") || "/";
  const sameSite = deletes ? "strict" : member(options, dict, "sameSite", toSameSite, "strict");
  // A cookie without a name needs some value to be found by.
  const value = !deletes ? trimmed(requiredMember(options, dict, "value", USVString)) : name === "" ? "deleted" : "";
  checkPair(name, value);
  if (domain !== null) checkDomain(domain, name);
  checkPath(path, name);
  // 0 stands for the end of the session.
  const expiresMs = expires === null ? 0 : Math.trunc(Math.min(Math.max(expires, 1), Number.MAX_SAFE_INTEGER));
  const cookie = { name, value, domain: domain ?? "", path, sameSite, secure: true, expiresMs };
  await port.request({ cookieSet: cookie });
}

export class CookieStore extends EventTarget {
  #brand = true;
  async get(nameOrOptions: unknown = undefined): Promise<CookieListItem | null> {
    const [first] = await ask(toQuestion(nameOrOptions, false));
    return first ? listItem(first) : null;
  }
  async getAll(nameOrOptions: unknown = undefined): Promise<CookieListItem[]> {
    return (await ask(toQuestion(nameOrOptions, true))).map(listItem);
  }
  async set(nameOrOptions: unknown, value: unknown = undefined): Promise<void> {
    const named = value !== undefined;
    const init = named ? { name: USVString(nameOrOptions), value } : toDictionary(nameOrOptions, "CookieInit");
    return store("CookieInit", init, false);
  }
  async delete(nameOrOptions: unknown): Promise<void> {
    const named = typeof nameOrOptions !== "object" || nameOrOptions === null;
    const options = named ? { name: USVString(nameOrOptions) } : (nameOrOptions as Dictionary);
    return store("CookieStoreDeleteOptions", options, true);
  }
  static override isInstance(value: unknown): value is CookieStore {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(CookieStore, {
  name: "CookieStore",
  operations: {
    get: [any.optional()],
    getAll: [any.optional()],
    set: [any, any.optional()],
    delete: [any],
  },
});

// ------------------------------------------------------------------------------------------------- changes
const toListItem = (value: unknown): CookieListItem => {
  const dict = "CookieListItem";
  const given = toDictionary(value, dict);
  const item: Record<string, unknown> = {};
  const text = (key: string, convert: (each: unknown) => unknown) => {
    if (given[key] !== undefined) item[key] = member(given, dict, key, convert, undefined);
  };
  text("domain", nullable(USVString));
  text("expires", nullable(double));
  text("name", USVString);
  text("partitioned", boolean);
  text("path", USVString);
  text("sameSite", toSameSite);
  text("secure", boolean);
  text("value", USVString);
  return item as unknown as CookieListItem;
};
const cookieList = (init: Dictionary, dict: string, key: string): readonly CookieListItem[] =>
  Object.freeze(member(init, dict, key, sequence(toListItem), [] as CookieListItem[]));

export class CookieChangeEvent extends Event {
  #changed: readonly CookieListItem[];
  #deleted: readonly CookieListItem[];
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    this.#changed = cookieList(init, "CookieChangeEventInit", "changed");
    this.#deleted = cookieList(init, "CookieChangeEventInit", "deleted");
  }
  get changed(): readonly CookieListItem[] {
    return this.#changed;
  }
  get deleted(): readonly CookieListItem[] {
    return this.#deleted;
  }
  static override isInstance(value: unknown): value is CookieChangeEvent {
    return typeof value === "object" && value !== null && #changed in value;
  }
}
defineInterface(CookieChangeEvent, {
  name: "CookieChangeEvent",
  constructorArguments: [DOMString, dictionary("CookieChangeEventInit").optional({})],
  exposed: "page",
});

export class ExtendableCookieChangeEvent extends ExtendableEvent {
  #changed: readonly CookieListItem[];
  #deleted: readonly CookieListItem[];
  constructor(type: string, init: Dictionary = {}) {
    super(type, init);
    this.#changed = cookieList(init, "ExtendableCookieChangeEventInit", "changed");
    this.#deleted = cookieList(init, "ExtendableCookieChangeEventInit", "deleted");
  }
  get changed(): readonly CookieListItem[] {
    return this.#changed;
  }
  get deleted(): readonly CookieListItem[] {
    return this.#deleted;
  }
  static override isInstance(value: unknown): value is ExtendableCookieChangeEvent {
    return typeof value === "object" && value !== null && #changed in value;
  }
}
defineInterface(ExtendableCookieChangeEvent, {
  name: "ExtendableCookieChangeEvent",
  constructorArguments: [DOMString, dictionary("ExtendableCookieChangeEventInit").optional({})],
  exposed: "service-worker",
});
export function cookieChangeEvent({ changed, deleted }: CookieChange): ExtendableCookieChangeEvent {
  const init = { changed: changed.map(listItem), deleted: deleted.map(listItem) };
  return new ExtendableCookieChangeEvent("cookiechange", init);
}

let cookieStore: CookieStore | null = null;
export function theCookieStore(): CookieStore {
  return (cookieStore ??= new CookieStore());
}
// A page hears of changes in its cookieStore.
export function installCookieChanges(): void {
  defineEventHandlers(CookieStore.prototype, ["change"], CookieStore.isInstance);
  port.on("cookieChange", ({ changed, deleted }) => {
    const init = { changed: changed.map(listItem), deleted: deleted.map(listItem) };
    if (cookieStore) fire(cookieStore, new CookieChangeEvent("change", init));
  });
}

// ------------------------------------------------------------------------------------------------- subscriptions
export class CookieStoreManager {
  #target: SyncTarget;
  #scope: string;
  constructor(target: SyncTarget, scope: string) {
    this.#target = target;
    this.#scope = scope;
  }
  async subscribe(subscriptions: Dictionary[]): Promise<void> {
    await port.request({ registrationId: this.#target.id, cookieSubscribe: this.#encode(subscriptions) });
  }
  async getSubscriptions(): Promise<object[]> {
    const reply = await port.request({ registrationId: this.#target.id, cookieGetSubscriptions: {} });
    const subscriptions = reply.cookieSubscriptions?.subscriptions ?? [];
    return subscriptions.map(({ name, url }) => (name === undefined ? { url } : { name, url }));
  }
  async unsubscribe(subscriptions: Dictionary[]): Promise<void> {
    await port.request({ registrationId: this.#target.id, cookieUnsubscribe: this.#encode(subscriptions) });
  }
  #encode(given: Dictionary[]): { subscriptions: CookieSubscription[] } {
    const subscriptions = given.map((each) => {
      const dict = "CookieStoreGetOptions";
      const name = member(each, dict, "name", USVString, undefined);
      const url = parseUrl(member(each, dict, "url", USVString, this.#scope));
      if (!url) fail("The URL is invalid");
      return { name: name === undefined ? undefined : trimmed(name), url: url.href };
    });
    return { subscriptions };
  }
  static isInstance(value: unknown): value is CookieStoreManager {
    return typeof value === "object" && value !== null && #scope in value;
  }
}
const subscriptionList = sequence((each) => toDictionary(each, "CookieStoreGetOptions"));
defineInterface(CookieStoreManager, {
  name: "CookieStoreManager",
  operations: { subscribe: [subscriptionList], unsubscribe: [subscriptionList] },
});
