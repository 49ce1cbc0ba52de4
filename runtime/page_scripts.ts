// HTML §4.12.1: runs a document's scripts: blocking ones in document order, then deferred ones and modules, async ones
// when they arrive.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { BodyState } from "./body.ts";
import { print } from "./console.ts";
import { reportException } from "./errors.ts";
import type { ScriptElement } from "./html.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { setRuntimeTimer } from "./timers.ts";
import { environment, parseUrl, withoutFragment } from "./url.ts";

const javaScriptTypes =
  /^(?:(?:application|text)\/(?:x-)?(?:java|ecma)script|text\/(?:jscript|livescript|javascript1\.[0-5]))$/;

type Kind = "classic" | "module" | "importmap" | "other";
function kindOf({ attributes }: ScriptElement): Kind {
  const type = attributes.get("type");
  const language = attributes.get("language");
  if (type === undefined && language) {
    return javaScriptTypes.test(`text/${language.toLowerCase()}`) ? "classic" : "other";
  }
  const trimmed = (type ?? "").trim().toLowerCase();
  if (trimmed === "module" || trimmed === "importmap") return trimmed;
  return (type ?? "") === "" || javaScriptTypes.test(trimmed) ? "classic" : "other";
}

// What document.currentScript shows.
export interface CurrentScript {
  src: string;
  type: string;
  text: string;
  async: boolean;
  defer: boolean;
  dataset: Record<string, string>;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}
export let currentScript: CurrentScript | null = null;
function describeScript({ attributes, text }: ScriptElement, src: string): CurrentScript {
  const dataset: Record<string, string> = {};
  for (const [name, value] of attributes) {
    if (name.startsWith("data-")) {
      dataset[name.slice(5).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
    }
  }
  return {
    src,
    type: attributes.get("type") ?? "",
    text,
    async: attributes.has("async"),
    defer: attributes.has("defer"),
    dataset,
    getAttribute: (name) => attributes.get(name.toLowerCase()) ?? null,
    hasAttribute: (name) => attributes.has(name.toLowerCase()),
  };
}

async function load(url: string, element: ScriptElement): Promise<Uint8Array | null> {
  const crossOrigin = element.attributes.get("crossorigin");
  const mode = crossOrigin === undefined ? "no-cors" : "cors";
  const credentials = crossOrigin === undefined || crossOrigin === "use-credentials" ? "include" : "same-origin";
  let why = "";
  try {
    const { response } = await port.request({
      fetch: {
        method: "GET",
        url,
        mode,
        credentials,
        cache: "default",
        redirect: "follow",
        referrer: "about:client",
        referrerPolicy: element.attributes.get("referrerpolicy") ?? "",
        destination: "script",
        headers: [{ name: "accept", value: "*/*" }],
      },
    });
    const isGood = response && response.type !== HttpResponse_Type.ERROR && response.status >= 200 &&
      response.status < 300;
    if (isGood) return (await BodyState.decode(response.body)?.consume()) ?? new Uint8Array();
    why = response?.error || `status ${response?.status ?? 0}`;
  } catch (error) {
    why = String(error);
  }
  print("error", `Failed to load the script ${url}: ${why}`, environment.url);
  return null;
}

function runClassic(source: string | Uint8Array, url: string, element: ScriptElement, src: string): void {
  currentScript = describeScript(element, src);
  try {
    native.runScript(source, url);
  } catch (error) {
    reportException(error);
  } finally {
    currentScript = null;
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
function mapped(specifier: string): string | null {
  const exact = imports.get(specifier);
  if (exact) return exact;
  let best = "";
  for (const prefix of imports.keys()) {
    if (prefix.endsWith("/") && specifier.startsWith(prefix) && prefix.length > best.length) best = prefix;
  }
  return best ? imports.get(best)! + specifier.slice(best.length) : null;
}
function resolveModule(specifier: string, referrer: string): { url: string; source: Uint8Array } {
  const isUrlLike = /^(\.{0,2}\/|[A-Za-z][A-Za-z0-9+.-]*:)/.test(specifier);
  const url = mapped(specifier) ?? (isUrlLike ? parseUrl(specifier, baseOf(referrer))?.href : null);
  if (!url) {
    throw new TypeError(
      `Failed to resolve module specifier "${specifier}". Relative references must start with either "/", "./", or "../".`,
    );
  }
  let script;
  try {
    script = port.requestSync({ importScript: { url } }).script;
  } catch (error) {
    throw new TypeError(`Failed to fetch dynamically imported module: ${url}`, { cause: error });
  }
  if (!script) throw new TypeError(`Failed to fetch dynamically imported module: ${url}`);
  return { url: script.responseUrl || url, source: script.source };
}
// Inline modules have the document's URL with a number behind it, so that each is a module of its own.
const inlineMark = "#inline-module-";
function baseOf(referrer: string): string {
  return referrer.includes(inlineMark) ? environment.baseUrl : referrer;
}
let inlineModules = 0;
async function runModule(url: string | null, source: string | Uint8Array): Promise<void> {
  const name = url ?? `${withoutFragment(environment.url)}${inlineMark}${++inlineModules}`;
  try {
    await native.runModule(name, source, resolveModule);
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

export function runScripts(elements: readonly ScriptElement[]): ScriptPhases {
  const waiting: (() => Promise<void>)[] = []; // deferred, in document order
  const free: Promise<void>[] = [];
  const blocking: (() => Promise<void> | void)[] = [];
  for (const element of elements) {
    const kind = kindOf(element);
    const { attributes, text } = element;
    const src = attributes.get("src");
    if (kind === "other" || (kind === "classic" && attributes.has("nomodule"))) continue;
    if (kind === "importmap") {
      blocking.push(() => readImportMap(text));
      continue;
    }
    if (src === undefined) {
      if (text.trim() === "") continue;
      if (kind === "classic") blocking.push(() => runClassic(text, environment.url, element, ""));
      else (attributes.has("async") ? blocking : waiting).push(() => runModule(null, text));
      continue;
    }
    const url = src === "" ? null : parseUrl(src)?.href;
    if (!url) {
      print("error", `The script's address "${src}" is not a valid URL.`, environment.url);
      continue;
    }
    // All are asked for at once; they run in their order.
    const loaded = load(url, element);
    const run = async () => {
      const source = await loaded;
      if (!source) return;
      if (kind === "module") await runModule(url, source);
      else runClassic(source, url, element, url);
    };
    if (attributes.has("async")) free.push(run());
    else if (kind === "module" || attributes.has("defer")) waiting.push(run);
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
