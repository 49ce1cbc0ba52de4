// The scripts of a service worker version: the main one, what it imports, and the rules when importing is possible
// (Service Workers §4.1.5, "import scripts" §3.4).
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { describe } from "./inspect.ts";
import { native, type ModuleSource, type ModuleType, type ScriptFile } from "./native.ts";
import { port } from "./port.ts";
import { environment, parseUrl } from "./url.ts";

// By type and URL. JavaScript comes with the start, what else an installed worker imported is asked for.
const scripts = new Map<string, ScriptFile>();
const keyOf = (url: string, type: ModuleType) => `${type} ${url}`;
let mayFetch: () => boolean = () => false;

export function setScripts(given: readonly ScriptFile[], canFetch: () => boolean): void {
  for (const script of given) scripts.set(keyOf(script.url, ""), script);
  mayFetch = canFetch;
}

export function forgetScripts(): void {
  scripts.clear();
}

// The console gets the reason, if there is one: scripts may not learn it.
function failure(url: string, doing: string, why: string): DOMException {
  if (why) print("error", why, url);
  return new DOMException(`${doing}: The script at '${url}' failed to load.`, "NetworkError");
}

// A script that was imported before, or while installing, a new one. Anything else is a network error: an installed
// worker must work off line.
function load(url: string, doing: string, referrer = "", type: ModuleType = ""): ScriptFile {
  const known = scripts.get(keyOf(url, type));
  if (known) return known;
  if (type === "" && !mayFetch()) {
    throw new DOMException(
      `${doing}: Failed to import '${url}'. importScripts() of new scripts after service worker installation is not allowed.`,
      "NetworkError",
    );
  }
  let script: ScriptFile | undefined;
  try {
    script = port.requestSync({ importScript: { url, referrer, type } }).script;
  } catch (error) {
    throw failure(url, doing, (error as Error).message);
  }
  if (!script) throw failure(url, doing, "");
  scripts.set(keyOf(url, type), script);
  return script;
}

export function importScripts(urls: readonly unknown[]): void {
  const doing = "Failed to execute 'importScripts' on 'WorkerGlobalScope'";
  const absolute = urls.map((given) => {
    const url = parseUrl(String(given));
    if (!url) throw new DOMException(`${doing}: The URL '${String(given)}' is invalid.`, "SyntaxError");
    return url.href;
  });
  for (const url of absolute) run(url, doing);
}

// What a script of another origin throws stays its own (HTML "run a classic script", with muted errors).
function run(url: string, doing: string): void {
  const { source, responseUrl } = load(url, doing);
  try {
    native.runScript(source, url);
  } catch (error) {
    if (parseUrl(responseUrl || url)?.origin === environment.origin) throw error;
    throw failure(url, doing, describe(error));
  }
}

// HTML "resolve a URL-like module specifier".
export function urlLike(specifier: string, referrer: string): string | null {
  if (!/^(\.{0,2}\/|[A-Za-z][A-Za-z0-9+.-]*:)/.test(specifier)) return null;
  return parseUrl(specifier, referrer)?.href ?? null;
}

// import.meta.resolve(), of a specifier that means this URL.
export function resolved(specifier: string, url: string | null): string {
  if (url !== null) return url;
  throw new TypeError(
    `Failed to resolve module specifier ${specifier}: Relative references must start with either "/", "./", or "../".`,
  );
}
export function resolveModuleUrl(specifier: string, referrer: string): string {
  return resolved(specifier, urlLike(specifier, referrer));
}

export function resolveModule(specifier: string, referrer: string, type: ModuleType): ModuleSource {
  const url = urlLike(specifier, referrer);
  if (url === null) {
    throw new TypeError(
      `Failed to resolve module specifier "${specifier}". Relative references must start with either "/", "./", or "../".`,
    );
  }
  const script = load(url, "Failed to load a module", referrer, type);
  return { url: script.responseUrl || url, source: script.source };
}
