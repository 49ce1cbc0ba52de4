// The page scope: a window client without DOM. Enough of Window for scripts that register service workers, store, fetch
// and talk to their worker.
import type { Start } from "#ipc/vigil.ts";
import { ServiceWorkerContainer } from "./container.ts";
import { print } from "./console.ts";
import { Document } from "./document.ts";
import { evaluate } from "./evaluate.ts";
import { defineEventHandlers, EventTarget, fire, fireSimple, setEventParent } from "./events.ts";
import { parseDocument } from "./html.ts";
import { makeStorage } from "./local_storage.ts";
import { MessageEvent } from "./message_events.ts";
import { native } from "./native.ts";
import { addPersist, Navigator } from "./navigator.ts";
import { Location } from "./page_location.ts";
import { runScripts } from "./page_scripts.ts";
import { nowMs } from "./performance.ts";
import { port } from "./port.ts";
import { defineFunctions, defineGetter, defineLazy, installScopeMembers } from "./scope_members.ts";
import { deserializeMessage, serializeMessage, toTransferList } from "./structured_clone.ts";
import { clearRuntimeTimer, setRuntimeTimer } from "./timers.ts";
import { installObjectUrls } from "./object_urls.ts";
import { environment, parseUrl } from "./url.ts";
import { defineInterface } from "./webidl.ts";

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

export function installPageScope(global: object): void {
  defineInterface(Window, { name: "Window", exposed: "page" });
  Object.setPrototypeOf(global, Window.prototype);
  installScopeMembers(global, "Window");
  defineEventHandlers(global, windowEvents, isGlobal);
  for (const name of ["window", "self", "frames", "parent", "top"]) {
    defineGetter(global, name, () => globalThis, name !== "window" && name !== "top");
  }
  defineGetter(global, "document", () => document);
  defineLazy(global, "location", () => new Location());
  defineLazy(global, "navigator", () => new Navigator());
  defineLazy(global, "localStorage", () => makeStorage(false));
  defineLazy(global, "sessionStorage", () => makeStorage(true));
  defineGetter(global, "closed", () => false);
  defineGetter(global, "opener", () => null, true);
  defineGetter(global, "frameElement", () => null);
  Object.defineProperty(global, "name", { value: "", writable: true, enumerable: true, configurable: true });
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
    // To itself: there is no other window.
    postMessage(message: unknown, targetOriginOrOptions: unknown = undefined, transfer: unknown = undefined): void {
      const options = typeof targetOriginOrOptions === "object" ? targetOriginOrOptions : transfer;
      const data = serializeMessage(message, toTransferList(options));
      setRuntimeTimer(() => {
        const { value, ports } = deserializeMessage(data);
        fire(
          globalTarget,
          new MessageEvent("message", { data: value, ports, origin: environment.origin, source: globalThis }),
        );
      }, 0);
    },
  });
}

export function startPageScope(start: Start): void {
  const page = start.page!;
  document = new Document();
  setEventParent(document, globalTarget);
  container = new ServiceWorkerContainer();
  ServiceWorkerContainer.connect(container, page);
  const content = parseDocument(native.utf8Decode(page.html, false, false));
  const base = content.base === null ? null : parseUrl(content.base, start.url);
  if (base) environment.baseUrl = base.href;
  Document.initialize(document, content.title, page.referrer);
  const manifestUrl = content.manifest ? (parseUrl(content.manifest)?.href ?? "") : "";
  port.notify({ document: { title: content.title, manifestUrl } });

  const phases = runScripts(content.scripts);
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
    setState("complete");
    fireSimple(globalTarget, "load");
    fireSimple(globalTarget, "pageshow");
    port.notify({ started: { ok: true, atUs: native.realMonoUs() } });
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
