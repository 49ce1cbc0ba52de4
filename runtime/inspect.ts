// Values as text for a developer: what console methods, error reports and EvaluateResult show.
import { native } from "./native.ts";
import { DOMException } from "./domexception.ts";
import { isArrayBuffer } from "./webidl.ts";

const maxDepth = 3;
const maxItems = 100;
const maxText = 10_000;
const lineWidth = 76;

// An error with its stack, anything else as text: for reports of exceptions.
export function describe(reason: unknown): string {
  try {
    if (isError(reason)) return describeError(reason, 0, new Set());
    return typeof reason === "string" ? reason : inspect(reason);
  } catch {
    return "[a value that cannot be shown]";
  }
}
// Also one of another realm.
const isNativeError = (Error as unknown as { isError(value: unknown): boolean }).isError;
export function isError(value: unknown): value is Error {
  return isNativeError(value) || DOMException.isInstance(value);
}
function describeError(error: Error, depth: number, seen: Set<object>): string {
  const stack = (error as { stack?: unknown }).stack;
  const head = safely(() => `${error.name}: ${error.message}`.replace(/: $/, "")) ?? "Error";
  let text = typeof stack === "string" && stack !== "" ? stack : head;
  // The stack was made with the error; a name set later shows only in the head.
  const firstLine = text.split("\n")[0]!;
  if (!firstLine.includes(error.message) && error.message) text = [head, ...text.split("\n").slice(1)].join("\n");
  const extra = Object.keys(error).filter((key) => key !== "stack" && key !== "message");
  if (extra.length > 0 && depth < maxDepth) text += ` ${inspectEntries(error, extra, depth, seen)}`;
  if ("cause" in error) text += `\n  [cause]: ${inspect(error.cause, depth + 1, seen)}`;
  if (error instanceof AggregateError) text += ` [errors]: ${inspect(error.errors, depth + 1, seen)}`;
  return text;
}
function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function inspect(value: unknown, depth = 0, seen = new Set<object>()): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
    case "boolean":
    case "undefined":
      return String(value);
    case "function":
      return inspectFunction(value);
    default:
      return value === null ? "null" : inspectObject(value as object, depth, seen);
  }
}
function quote(text: string): string {
  const shown = text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  const mark = !shown.includes("'") ? "'" : !shown.includes('"') ? '"' : "'";
  const escaped = shown.replace(/[\\\n\r\t\u0000-\u001f]/g, (character) => {
    const known: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return known[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return mark + (mark === "'" ? escaped.replace(/'/g, "\\'") : escaped) + mark;
}
function inspectFunction(value: Function): string {
  const text = safely(() => Function.prototype.toString.call(value)) ?? "";
  const name = safely(() => value.name);
  return `[${text.startsWith("class") ? "class" : "Function"}${
    name ? (text.startsWith("class") ? ` ${name}` : `: ${name}`) : " (anonymous)"
  }]`;
}
function constructorName(value: object): string | null {
  for (let object: object | null = value; object; object = Object.getPrototypeOf(object) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(object, "constructor");
    if (descriptor && typeof descriptor.value === "function" && (descriptor.value as Function).name !== "") {
      return (descriptor.value as Function).name;
    }
  }
  return null;
}

function inspectObject(value: object, depth: number, seen: Set<object>): string {
  if (native.isProxy(value)) return "[Proxy]";
  if (seen.has(value)) return "[Circular]";
  seen.add(value);
  try {
    return inspectUnseen(value, depth, seen);
  } catch {
    return "[object]";
  } finally {
    seen.delete(value);
  }
}
function inspectUnseen(value: object, depth: number, seen: Set<object>): string {
  const name = constructorName(value);
  const tooDeep = depth > maxDepth;
  if (value === globalThis) return `[object ${name ?? "global"}]`;
  if (isError(value)) {
    return depth === 0 ? describeError(value, depth, seen) : `[${describeError(value, depth, seen)}]`;
  }
  if (Array.isArray(value)) return tooDeep ? "[Array]" : inspectArray(value, depth, seen, name);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) {
    const { state, value: result } = native.previewPromise(value);
    return `Promise { ${
      state === "pending"
        ? "<pending>"
        : `${state === "rejected" ? "<rejected> " : ""}${inspect(result, depth + 1, seen)}`
    } }`;
  }
  if (value instanceof Map) {
    if (tooDeep) return "[Map]";
    const items = [...value].slice(0, maxItems).map(([key, item]) =>
      `${inspect(key, depth + 1, seen)} => ${inspect(item, depth + 1, seen)}`
    );
    return `Map(${value.size}) ${braces(items, value.size, "{", "}")}`;
  }
  if (value instanceof Set) {
    if (tooDeep) return "[Set]";
    const items = [...value].slice(0, maxItems).map((item) => inspect(item, depth + 1, seen));
    return `Set(${value.size}) ${braces(items, value.size, "{", "}")}`;
  }
  if (isArrayBuffer(value)) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const list = value as unknown as ArrayLike<unknown>;
    const items = Array.from({ length: Math.min(list.length, maxItems) }, (_, i) => inspect(list[i]));
    return `${name}(${list.length}) ${braces(items, list.length, "[", "]")}`;
  }
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return `[${name}: ${inspect(value.valueOf())}]`;
  }
  const prefix = name === "Object" ? "" : name === null ? "[Object: null prototype] " : `${name} `;
  if (tooDeep) return `[${name ?? "Object"}]`;
  const keys: (string | symbol)[] = Object.keys(value);
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.getOwnPropertyDescriptor(value, symbol)?.enumerable) keys.push(symbol);
  }
  // Platform objects keep their state in accessors of the prototype.
  const members = keys.filter((key) => key !== "isTrusted").length === 0 && name !== "Object"
    ? platformKeys(value)
    : keys;
  return `${prefix}${inspectEntries(value, members, depth, seen)}`;
}
function platformKeys(value: object): string[] {
  const keys = new Set<string>();
  for (
    let proto = Object.getPrototypeOf(value) as object | null;
    proto && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    if (!Object.hasOwn(proto, Symbol.toStringTag)) return [];
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      // Some getters do things (a body's stream is made); those are not touched.
      if (
        descriptor.enumerable && descriptor.get && !["body", "ready", "closed", "finished", "handled"].includes(key)
      ) keys.add(key);
    }
  }
  return [...keys].slice(0, 20);
}
function inspectArray(value: unknown[], depth: number, seen: Set<object>, name: string | null): string {
  const items: string[] = [];
  for (let i = 0; i < Math.min(value.length, maxItems); ++i) {
    items.push(i in value ? inspect(value[i], depth + 1, seen) : "<empty>");
  }
  const prefix = name === "Array" || name === null ? "" : `${name}(${value.length}) `;
  return prefix + braces(items, value.length, "[", "]");
}
function inspectEntries(value: object, keys: (string | symbol)[], depth: number, seen: Set<object>): string {
  const items = keys.slice(0, maxItems).map((key) => {
    const shown = typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
    return `${shown}: ${inspectMember(value, key, depth, seen)}`;
  });
  return braces(items, keys.length, "{", "}");
}
function inspectMember(value: object, key: string | symbol, depth: number, seen: Set<object>): string {
  const own = Object.getOwnPropertyDescriptor(value, key);
  if (own && !("value" in own)) return own.get ? (own.set ? "[Getter/Setter]" : "[Getter]") : "[Setter]";
  return inspect(own ? own.value : safely(() => (value as Record<string | symbol, unknown>)[key]), depth + 1, seen);
}
function braces(items: string[], total: number, open: string, close: string): string {
  if (total > items.length) items.push(`… ${total - items.length} more`);
  if (items.length === 0) return open + close;
  const oneLine = `${open} ${items.join(", ")} ${close}`;
  if (oneLine.length <= lineWidth && !oneLine.includes("\n")) return oneLine;
  return `${open}\n${items.map((item) => `  ${item.replace(/\n/g, "\n  ")}`).join(",\n")}\n${close}`;
}

// Console Standard §2.2: format specifiers, then the rest separated by spaces.
export function formatLog(args: readonly unknown[]): string {
  const shown = (value: unknown) => (typeof value === "string" ? value : inspect(value));
  if (typeof args[0] !== "string" || args.length === 1) return args.map(shown).join(" ");
  let next = 1;
  const text = args[0].replace(/%[%sdifoOc]/g, (specifier) => {
    if (specifier === "%%") return "%";
    if (next >= args.length) return specifier;
    const value = args[next++];
    switch (specifier) {
      case "%s":
        return typeof value === "string"
          ? value
          : typeof value === "object" && value !== null
          ? inspect(value)
          : String(value);
      case "%d":
      case "%i":
        return typeof value === "bigint"
          ? `${value}n`
          : typeof value === "symbol"
          ? "NaN"
          : String(Number.parseInt(String(value), 10));
      case "%f":
        return typeof value === "symbol" ? "NaN" : String(Number.parseFloat(String(value)));
      case "%c":
        return "";
      default:
        return inspect(value);
    }
  });
  return [text, ...args.slice(next).map(shown)].join(" ");
}
