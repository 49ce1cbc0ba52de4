// The page scope: a window client that nobody sees. Enough of Window for scripts that register service workers, store,
// fetch, talk to their worker and to each other, and keep a tree of elements.
import { ServiceWorkerContainer } from "./container.ts";
import { print } from "./console.ts";
import { installCookieChanges, theCookieStore } from "./cookie_store.ts";
import { Document } from "./document.ts";
import { Element, htmlNamespace } from "./dom_element.ts";
import { Node, setNodeHooks } from "./dom_node.ts";
import { fetchImage, fetchLink, isLink, nothingDelaysLoad } from "./element_fetch.ts";
import { evaluate } from "./evaluate.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fire, fireSimple, setEventParent } from "./events.ts";
import { parseInto } from "./html.ts";
import { HTMLImageElement, HTMLScriptElement, makeElement } from "./html_elements.ts";
import { makeStorage } from "./local_storage.ts";
import { MessageEvent } from "./message_events.ts";
import { native, type StartMessage } from "./native.ts";
import { addPersist, Navigator } from "./navigator.ts";
import { installPageCookies } from "./page_cookies.ts";
import { History } from "./page_history.ts";
import { Location } from "./page_location.ts";
import { MediaQueryList, viewport } from "./media_queries.ts";
import { runInserted, runScripts } from "./page_scripts.ts";
import { port } from "./port.ts";
import { defineFunctions, defineGetter, defineLazy } from "./global_members.ts";
import { installScopeMembers } from "./scope_members.ts";
import { deserializeMessage, serializeMessage, toTransferList } from "./structured_clone.ts";
import { nowMs } from "./time.ts";
import { clearRuntimeTimer, setRuntimeTimer } from "./timers.ts";
import { installObjectUrls } from "./object_urls.ts";
import { environment, parseUrl } from "./url.ts";
import "./xhr.ts";
import { DOMException } from "./domexception.ts";
import { defineInterface, withPrefix } from "./webidl.ts";

const isGlobal = (value: unknown): boolean => value === globalThis;
class Window extends EventTarget {
  static override isInstance(value: unknown): value is Window {
    return isGlobal(value);
  }
}

let document: Document;
let container: ServiceWorkerContainer;
const globalTarget = globalThis as unknown as EventTarget;
const windowEvents = [
  "error",
  "unhandledrejection",
  "rejectionhandled",
  "languagechange",
  "message",
  "messageerror",
  "online",
  "offline",
  "storage",
  "hashchange",
  "popstate",
  "beforeunload",
  "unload",
  "pagehide",
  "pageshow",
  "load",
  "focus",
  "blur",
];
const frameMs = 1000 / 60;
// Of a window that nobody sees, CSSOM View §4: as media_queries.ts has it.
const measures = {
  innerWidth: viewport.width,
  innerHeight: viewport.height,
  outerWidth: viewport.width,
  outerHeight: viewport.height,
  screenX: 0,
  screenY: 0,
  scrollX: 0,
  scrollY: 0,
  devicePixelRatio: 1,
};

export function installPageScope(global: object): void {
  // Between Window's prototype and EventTarget's is HTML's named properties object.
  const prototype = Object.getPrototypeOf(global) as object;
  const named = Object.getPrototypeOf(prototype) as object;
  Object.defineProperty(named, Symbol.toStringTag, { value: "WindowProperties", configurable: true });
  defineInterface(Window, { name: "Window", exposed: "page", prototype });
  installScopeMembers(global, "Window");
  defineEventHandlers(global, windowEvents, isGlobal);
  for (const name of ["window", "self", "frames"]) defineGetter(global, name, () => globalThis, name !== "window");
  defineGetter(global, "parent", () => globalThis, true);
  defineGetter(global, "top", () => globalThis);
  defineGetter(global, "length", () => 0, true);
  defineGetter(global, "document", () => document);
  defineLocation(global);
  defineLazy(global, "navigator", () => new Navigator());
  defineLazy(global, "cookieStore", theCookieStore);
  installCookieChanges();
  installPageCookies();
  defineLazy(global, "localStorage", () => makeStorage(false));
  defineLazy(global, "sessionStorage", () => makeStorage(true));
  defineGetter(global, "closed", () => false);
  defineGetter(global, "opener", () => null, true);
  defineGetter(global, "frameElement", () => null);
  defineLazy(global, "history", () => new History());
  Object.defineProperty(global, "Image", { value: ImageConstructor, writable: true, configurable: true });
  Object.defineProperty(global, "name", { value: "", writable: true, enumerable: true, configurable: true });
  for (const [name, value] of Object.entries(measures)) defineGetter(global, name, () => value, true);
  installWindowFunctions(global);
  addPersist();
  installObjectUrls();
  const { get } = Object.getOwnPropertyDescriptor({
    get serviceWorker() {
      return container;
    },
  }, "serviceWorker")!;
  Object.defineProperty(Navigator.prototype, "serviceWorker", { get, enumerable: true, configurable: true });
}

function installWindowFunctions(global: object): void {
  const dialog = (name: string, answer: unknown) =>
    ({
      [name](message: unknown = ""): unknown {
        print("warn", `${name}(): ${String(message)} (nobody sees a dialog of a headless page)`);
        return answer;
      },
    })[name]!;
  defineFunctions(global, {
    alert: dialog("alert", undefined),
    confirm: dialog("confirm", false),
    prompt: dialog("prompt", null),
    focus() {},
    blur() {},
    scroll() {},
    scrollTo() {},
    scrollBy() {},
    stop() {},
    close() {
      native.exit("window.close()");
    },
    requestAnimationFrame(callback: (time: number) => unknown): number {
      return setRuntimeTimer(() => callback(nowMs()), frameMs - (nowMs() % frameMs));
    },
    cancelAnimationFrame(handle: number): void {
      clearRuntimeTimer(handle);
    },
    requestIdleCallback(callback: (deadline: object) => unknown): number {
      return setRuntimeTimer(() => callback({ didTimeout: false, timeRemaining: () => 50 }), 1);
    },
    cancelIdleCallback(handle: number): void {
      clearRuntimeTimer(handle);
    },
    matchMedia(query: unknown): MediaQueryList {
      return new MediaQueryList(String(query));
    },
    getComputedStyle(element: { style?: object }): object {
      return element.style ?? {};
    },
    postMessage,
  });
}

function tryClone(message: unknown, transfer: unknown): Uint8Array {
  try {
    return serializeMessage(message, toTransferList(transfer), "stays");
  } catch (error) {
    throw withPrefix(error, "Failed to execute 'postMessage' on 'Window'");
  }
}
// To itself: there is no other window.
function postMessage(...args: unknown[]): void {
  if (args.length === 0) {
    throw new TypeError("Failed to execute 'postMessage' on 'Window': 1 argument required, but only 0 present.");
  }
  const [message, second, transfer] = args;
  const withOptions = typeof second === "object" && second !== null;
  const targetOrigin = withOptions ? (second as { targetOrigin?: unknown }).targetOrigin : second;
  const target = targetOrigin === undefined ? "/" : String(targetOrigin);
  const wanted = target === "*" || target === "/" ? null : parseUrl(target)?.origin;
  if (wanted === undefined) {
    throw new DOMException(
      `Failed to execute 'postMessage' on 'Window': Invalid target origin '${target}' in a call to 'postMessage'.`,
      "SyntaxError",
    );
  }
  const data = tryClone(message, withOptions ? second : transfer);
  if (wanted !== null && wanted !== environment.origin) return;
  const { origin } = environment;
  const source = globalThis;
  setRuntimeTimer(() => {
    let event: MessageEvent;
    try {
      const { value, ports } = deserializeMessage(data);
      event = MessageEvent.carrying(new MessageEvent("message", { ports, origin, source }), value);
    } catch {
      event = new MessageEvent("messageerror", { origin, source });
    }
    fire(globalTarget, event);
  }, 0);
}

function defineLocation(global: object): void {
  let location: Location | null = null;
  const accessors = {
    get location(): Location {
      return (location ??= new Location());
    },
    set location(value: unknown) {
      this.location.href = value as string;
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(accessors, "location")!;
  Object.defineProperty(global, "location", { get, set, enumerable: true, configurable: false });
}

// new Image(): HTML §4.8.3.
function ImageConstructor(): Element {
  return makeElement("img", htmlNamespace, document);
}
Object.defineProperty(ImageConstructor, "name", { value: "Image" });
Object.defineProperty(ImageConstructor, "prototype", { value: HTMLImageElement.prototype });

// What elements do when they become part of the document. While it is parsed they wait: a page's scripts run when all of
// it is there.
let parsing = false;
function connected(node: Node): void {
  if (parsing) return;
  if (HTMLScriptElement.isInstance(node)) runInserted(node);
  else startElement(node);
}
function startElement(node: Node): void {
  if (isLink(node)) fetchLink(node as Element);
}
function attributeChanged(element: Element, name: string): void {
  if (HTMLImageElement.isInstance(element) && name === "src") fetchImage(element);
  if (parsing || !element.isConnected) return;
  if (HTMLScriptElement.isInstance(element) && name === "src") runInserted(element);
  else if (isLink(element) && (name === "href" || name === "rel")) fetchLink(element);
}

export function startPageScope(start: StartMessage): void {
  const page = start.page!;
  document = new Document();
  setEventParent(document, globalTarget);
  container = new ServiceWorkerContainer();
  ServiceWorkerContainer.connect(container, page);
  setNodeHooks({
    connected,
    disconnected() {},
    childrenChanged: (node) => {
      if (!parsing && HTMLScriptElement.isInstance(node) && node.isConnected) runInserted(node);
    },
  });
  Element.attributeChanged = attributeChanged;
  Document.initialize(document, page.referrer, "");
  parsing = true;
  parseInto(document, native.utf8Decode(page.html, false, false));
  parsing = false;
  const base = document.querySelector("base[href]")?.getAttribute("href");
  const baseUrl = base ? parseUrl(base, start.url) : null;
  if (baseUrl) environment.baseUrl = baseUrl.href;
  const manifest = document.querySelector("link[rel~=manifest][href]")?.getAttribute("href");
  const manifestUrl = manifest ? (parseUrl(manifest)?.href ?? "") : "";
  port.notify({ document: { title: document.title, manifestUrl } });
  Node.visit(document, startElement);

  const phases = runScripts(document.scripts.filter(HTMLScriptElement.isInstance));
  const setState = (state: string) => {
    Document.setReadyState(document, state);
    fireSimple(document, "readystatechange");
  };
  const loaded = (async () => {
    await phases.parsed;
    setState("interactive");
    await phases.deferred;
    fireSimple(document, "DOMContentLoaded", { bubbles: true });
    container.startMessages();
    await phases.all;
    await nothingDelaysLoad();
    setState("complete");
    fireSimple(globalTarget, "load");
    fireSimple(globalTarget, "pageshow");
    port.notify({ started: { ok: true } });
  })();
  // The page's own scripts come first.
  port.on("evaluate", (message) => void loaded.then(() => evaluate(message)));
  port.on("input", ({ kind }) => void loaded.then(() => userDid(kind)));
}

const inputEvents: Record<string, string> = { key: "keydown", mouse: "mousedown", touch: "touchstart", scroll: "scroll" };

// Nobody sees the page, but its embedder may say what its user does.
function userDid(kind: string): void {
  if (kind === "show" || kind === "hide") {
    Document.setVisible(document, kind === "show");
    fireSimple(document, "visibilitychange", { bubbles: true });
  } else if (Object.hasOwn(inputEvents, kind)) {
    fireSimple(document, inputEvents[kind]!, { bubbles: true });
  }
}
