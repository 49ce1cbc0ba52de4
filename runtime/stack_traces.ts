// The stacks of errors as scripts see them: V8 asks, when somebody first reads one. The runtime's own frames are left out:
// in a browser there are none, and error trackers would report them.
interface CallSite {
  getFileName(): string | null | undefined;
  isEval(): boolean;
}
const ownFile = "vigil:runtime";
const ScriptsError = Error as unknown as { prepareStackTrace?: unknown };
const errorToString = Error.prototype.toString;

// Also the built-in functions through which the runtime called.
function ofScripts(sites: readonly CallSite[]): CallSite[] {
  const shown: CallSite[] = [];
  let own = false;
  for (let i = sites.length - 1; i >= 0; --i) {
    const site = sites[i]!;
    const file = site.getFileName();
    own = file === ownFile || (own && !file && !site.isEval());
    if (!own) shown.push(site);
  }
  return shown.reverse();
}
function head(error: unknown): string {
  try {
    return Reflect.apply(errorToString, error, []);
  } catch {
    return "<error>";
  }
}

// What `error.stack` is to be: V8's text, or what the script's own Error.prepareStackTrace makes of the call sites.
export function shapeStack(error: unknown, sites: readonly CallSite[]): unknown {
  const shown = ofScripts(sites);
  const { prepareStackTrace } = ScriptsError;
  if (typeof prepareStackTrace === "function") return Reflect.apply(prepareStackTrace, ScriptsError, [error, shown]);
  return [head(error), ...shown.map((site) => `    at ${String(site)}`)].join("\n");
}
