// HTML §4.12.1: runs a document's scripts: blocking ones in document order, then deferred ones and modules, async ones
// when they arrive.
import { print } from "./console.ts";
import { delayLoadEvent, fetchForElement } from "./element_fetch.ts";
import { reportException } from "./errors.ts";
import { fireSimple } from "./events.ts";
import { HTMLScriptElement } from "./html_elements.ts";
import { native, type ModuleSource, type ModuleType } from "./native.ts";
import { port } from "./port.ts";
import { resolved, urlLike } from "./scripts.ts";
import { setRuntimeTimer } from "./timers.ts";
import { environment, parseUrl, withoutFragment } from "./url.ts";

const javaScriptTypes =
  /^(?:(?:application|text)\/(?:x-)?(?:java|ecma)script|text\/(?:jscript|livescript|javascript1\.[0-5]))$/;

type Kind = "classic" | "module" | "importmap" | "other";
function kindOf(element: HTMLScriptElement): Kind {
  const type = element.getAttribute("type");
  const language = element.getAttribute("language");
  if (type === null && language) {
    return javaScriptTypes.test(`text/${language.toLowerCase()}`) ? "classic" : "other";
  }
  const trimmed = (type ?? "").trim().toLowerCase();
  if (trimmed === "module" || trimmed === "importmap") return trimmed;
  return (type ?? "") === "" || javaScriptTypes.test(trimmed) ? "classic" : "other";
}

// What document.currentScript shows.
export let currentScript: HTMLScriptElement | null = null;

async function load(url: string, element: HTMLScriptElement): Promise<Uint8Array | null> {
  const loaded = await fetchForElement(element, url, "script");
  return loaded ? loaded.bytes : null;
}

function runClassic(source: string | Uint8Array, url: string, element: HTMLScriptElement): void {
  const outer = currentScript;
  currentScript = element;
  try {
    native.runScript(source, url);
  } catch (error) {
    reportException(error);
  } finally {
    currentScript = outer;
  }
}

// ------------------------------------------------------------------------------------------------- modules
const imports = new Map<string, string>();
function readImportMap(text: string): void {
  try {
    const map = (JSON.parse(text) as { imports?: Record<string, string> }).imports ?? {};
    for (const [specifier, address] of Object.entries(map)) {
      const url = parseUrl(address);
      if (url) imports.set(specifier, url.href);
    }
  } catch (error) {
    reportException(error);
  }
}
function urlOf(specifier: string, referrer: string): string | null {
  const exact = imports.get(specifier);
  if (exact) return exact;
  let best = "";
  for (const prefix of imports.keys()) {
    if (prefix.endsWith("/") && specifier.startsWith(prefix) && prefix.length > best.length) best = prefix;
  }
  return best ? imports.get(best)! + specifier.slice(best.length) : urlLike(specifier, baseOf(referrer));
}
function resolveModuleUrl(specifier: string, referrer: string): string {
  return resolved(specifier, urlOf(specifier, referrer));
}
function resolveModule(specifier: string, referrer: string, type: ModuleType): ModuleSource {
  const url = urlOf(specifier, referrer);
  if (url === null) {
    throw new TypeError(
      `Failed to resolve module specifier "${specifier}". Relative references must start with either "/", "./", or "../".`,
    );
  }
  let script;
  try {
    script = port.requestSync({ importScript: { url, referrer: baseOf(referrer), type } }).script;
  } catch (error) {
    throw new TypeError(`Failed to fetch dynamically imported module: ${url}`, { cause: error });
  }
  if (!script) throw new TypeError(`Failed to fetch dynamically imported module: ${url}`);
  return { url: script.responseUrl || url, source: script.source };
}
// Inline modules have the document's URL with a number behind it, so that each is a module of its own.
const inlineMark = "#inline-module-";
// What developer tools evaluate has a name that is no URL.
function baseOf(referrer: string): string {
  return referrer.includes(inlineMark) || !/^[a-z][a-z0-9+.-]*:/i.test(referrer) ? environment.baseUrl : referrer;
}
let inlineModules = 0;
async function runModule(url: string | null, source: string | Uint8Array): Promise<void> {
  const name = url ?? `${withoutFragment(environment.url)}${inlineMark}${++inlineModules}`;
  try {
    await native.runModule(name, source);
  } catch (error) {
    reportException(error);
  }
}

// ------------------------------------------------------------------------------------------------- order
export interface ScriptPhases {
  parsed: Promise<void>; // blocking scripts ran
  deferred: Promise<void>; // then the deferred ones
  all: Promise<void>; // then the async ones
}

export function runScripts(elements: readonly HTMLScriptElement[]): ScriptPhases {
  native.setModuleLoader(resolveModule, resolveModuleUrl, false);
  const waiting: (() => Promise<void>)[] = []; // deferred, in document order
  const free: Promise<void>[] = [];
  const blocking: (() => Promise<void> | void)[] = [];
  for (const element of elements) {
    HTMLScriptElement.parserInserted(element);
    const kind = kindOf(element);
    const src = element.getAttribute("src");
    const { text } = element;
    if (kind === "other" || (src === null && text.trim() === "")) continue;
    if (kind === "classic" && element.hasAttribute("nomodule")) continue;
    if (!HTMLScriptElement.begin(element)) continue;
    if (kind === "importmap") {
      blocking.push(() => readImportMap(text));
      continue;
    }
    if (src === null) {
      if (kind === "classic") blocking.push(() => runClassic(text, environment.url, element));
      else (element.hasAttribute("async") ? blocking : waiting).push(() => runModule(null, text));
      continue;
    }
    // All are asked for at once; they run in their order.
    const run = runExternal(element, src, kind);
    if (!run) continue;
    if (element.hasAttribute("async")) free.push(run());
    else if (kind === "module" || element.hasAttribute("defer")) waiting.push(run);
    else blocking.push(run);
  }
  const inOrder = async (list: readonly (() => Promise<void> | void)[]) => {
    for (const run of list) {
      // Each in a task of its own: the microtasks of one script are all done before the next.
      await new Promise<void>((resolve) => setRuntimeTimer(resolve, 0));
      await run();
    }
  };
  const parsed = inOrder(blocking);
  const deferred = parsed.then(() => inOrder(waiting));
  const all = Promise.all([deferred, ...free]).then(() => {});
  return { parsed, deferred, all };
}
// Starts the fetch; what is returned runs the script when it is there.
function runExternal(element: HTMLScriptElement, src: string, kind: Kind): (() => Promise<void>) | null {
  const url = src === "" ? null : parseUrl(src)?.href;
  if (!url) {
    print("error", `The script's address "${src}" is not a valid URL.`, environment.url);
    setRuntimeTimer(() => fireSimple(element, "error"), 0);
    return null;
  }
  const loaded = load(url, element);
  return async () => {
    const source = await loaded;
    if (!source) {
      fireSimple(element, "error");
      return;
    }
    if (kind === "module") await runModule(url, source);
    else runClassic(source, url, element);
    fireSimple(element, "load");
  };
}

// A script element that a script put into the document, or gave an address or a text.
let inOrderBefore: Promise<void> = Promise.resolve();
export function runInserted(element: HTMLScriptElement): void {
  const src = element.getAttribute("src");
  const { text } = element;
  const kind = kindOf(element);
  if (kind === "other" || kind === "importmap" || (src === null && text === "")) return;
  if ((kind === "classic" && element.hasAttribute("nomodule")) || !HTMLScriptElement.begin(element)) return;
  if (src === null) {
    if (kind === "classic") runClassic(text, environment.url, element);
    else void delayLoadEvent(runModule(null, text));
    return;
  }
  const run = runExternal(element, src, kind);
  if (!run) return;
  const work = element.async ? run() : inOrderBefore.then(run);
  if (!element.async) inOrderBefore = work.catch(() => {});
  void delayLoadEvent(work);
}
