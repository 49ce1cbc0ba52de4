// Console Standard: what scripts print goes to the daemon, one message per call, with the place of the call. Developer
// tools hear of the same call from V8's own console, with the values themselves.
import { formatLog, inspect } from "./inspect.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";

type Level = "log" | "info" | "warn" | "error" | "debug";
const groups: string[] = [];
const counts = new Map<string, number>();
const timers = new Map<string, number>();

// V8's console: its methods tell the tools that are attached to this process, and do nothing while there are none.
type Method = (...args: unknown[]) => void;
const tools: Record<string, Method> = { ...(globalThis as unknown as { console: Record<string, Method> }).console };

// The first frame outside the runtime: "url:line:column".
export function callerPlace(): string {
  const holder: { stack?: string } = {};
  (Error as unknown as { captureStackTrace(target: object): void }).captureStackTrace(holder);
  return placeOf(holder.stack);
}
export function placeOf(stack: string | undefined): string {
  for (const line of (stack ?? "").split("\n")) {
    const place = /(?:\(|at (?:async )?)((?:[a-z][a-z0-9+.-]*:)[^()]*:\d+:\d+)\)?$/.exec(line)?.[1];
    // The runtime's own frames show in stacks that are read while another one is made.
    if (place && !place.startsWith("vigil:")) return place;
  }
  return "";
}

// V8 would start a thread for these.
const unprofiled = new Set(["profile", "profileEnd"]);

// A line of the runtime's own, for the daemon and the tools alike.
export function print(level: Level, text: string, source = callerPlace()): void {
  tell(level, text, source);
  tools[level]!(text);
}
// A line for the daemon alone: the tools hear of it in another way.
export function tell(level: Level, text: string, source = callerPlace()): void {
  const indented = groups.length > 0 ? text.replace(/^/gm, "  ".repeat(groups.length)) : text;
  port.notify({ console: { level, text: indented, source } });
}

function stackOfCaller(title: string): string {
  const holder: { stack?: string } = {};
  (Error as unknown as { captureStackTrace(target: object): void }).captureStackTrace(holder);
  const frames = (holder.stack ?? "").split("\n").slice(1);
  return [title, ...frames].join("\n");
}
function label(value: unknown): string {
  return value === undefined ? "default" : String(value);
}
function elapsed(name: string): string {
  return `${name}: ${(native.monoNowMs() - timers.get(name)!).toFixed(3)} ms`;
}

// console.table: rows and columns in plain characters.
function formatTable(data: unknown, columns: unknown): string | null {
  if (typeof data !== "object" || data === null) return null;
  const rows = data instanceof Map ? [...data] : Object.entries(data);
  if (rows.length === 0) return null;
  const wanted = Array.isArray(columns) ? columns.map(String) : null;
  const keys = new Set<string>();
  let hasValues = false;
  for (const [, row] of rows) {
    if (typeof row === "object" && row !== null) for (const key of Object.keys(row as object)) keys.add(key);
    else hasValues = true;
  }
  const heads = [...keys].filter((key) => !wanted || wanted.includes(key));
  const showValues = hasValues && !wanted;
  const lines = [["(index)", ...heads, ...(showValues ? ["Value"] : [])]];
  for (const [index, row] of rows) {
    const isObject = typeof row === "object" && row !== null;
    const cells = heads.map((key) => (isObject && key in row ? inspect((row as Record<string, unknown>)[key], 1) : ""));
    lines.push([String(index), ...cells, ...(showValues ? [isObject ? "" : inspect(row, 1)] : [])]);
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const rule = (left: string, middle: string, right: string) =>
    left + widths.map((width) => "─".repeat(width + 2)).join(middle) + right;
  const shown = lines.map((line) => `│${line.map((cell, column) => ` ${cell.padEnd(widths[column]!)} `).join("│")}│`);
  return [rule("┌", "┬", "┐"), shown[0], rule("├", "┼", "┤"), ...shown.slice(1), rule("└", "┴", "┘")].join("\n");
}

const methods: Record<string, (...args: unknown[]) => void> = {
  log: (...args) => tell("log", formatLog(args)),
  info: (...args) => tell("info", formatLog(args)),
  warn: (...args) => tell("warn", formatLog(args)),
  error: (...args) => tell("error", formatLog(args)),
  debug: (...args) => tell("debug", formatLog(args)),
  dir: (value) => tell("log", inspect(value)),
  dirxml: (...args) => tell("log", formatLog(args)),
  table: (data, columns) => tell("log", formatTable(data, columns) ?? formatLog([data])),
  trace: (...args) => tell("log", stackOfCaller(args.length > 0 ? `Trace: ${formatLog(args)}` : "Trace")),
  assert: (condition, ...args) => {
    if (condition) return;
    const detail = args.length > 0 ? `: ${formatLog(args)}` : "";
    tell("error", `Assertion failed${detail}`);
  },
  group: (...args) => {
    tell("log", args.length > 0 ? formatLog(args) : "console.group");
    groups.push("");
  },
  groupCollapsed: (...args) => {
    tell("log", args.length > 0 ? formatLog(args) : "console.groupCollapsed");
    groups.push("");
  },
  groupEnd: () => void groups.pop(),
  clear: () => void (groups.length = 0),
  count: (name) => {
    const key = label(name);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    tell("log", `${key}: ${count}`);
  },
  countReset: (name) => {
    if (!counts.delete(label(name))) tell("warn", `Count for '${label(name)}' does not exist`);
  },
  time: (name) => {
    const key = label(name);
    if (timers.has(key)) tell("warn", `Timer '${key}' already exists`);
    else timers.set(key, native.monoNowMs());
  },
  timeLog: (name, ...args) => {
    const key = label(name);
    if (!timers.has(key)) tell("warn", `Timer '${key}' does not exist`);
    else tell("log", [elapsed(key), ...(args.length > 0 ? [formatLog(args)] : [])].join(" "));
  },
  timeEnd: (name) => {
    const key = label(name);
    if (!timers.has(key)) tell("warn", `Timer '${key}' does not exist`);
    else tell("log", elapsed(key));
    timers.delete(key);
  },
  timeStamp: () => {},
  profile: () => {},
  profileEnd: () => {},
};

// V8 brings a console object that nobody hears; ours takes its place.
export function installConsole(global: object): void {
  const console = Object.create({}) as Record<string, unknown>;
  for (const [name, action] of Object.entries(methods)) {
    const method = {
      [name](...args: unknown[]) {
        action(...args);
        if (!unprofiled.has(name)) tools[name]!(...args);
      },
    }[name]!;
    Object.defineProperty(method, "length", { value: 0 });
    console[name] = method;
  }
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  Object.defineProperty(global, "console", { value: console, writable: true, enumerable: false, configurable: true });
}
