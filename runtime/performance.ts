// High Resolution Time and User Timing: performance.
import { DOMException } from "./domexception.ts";
import { EventTarget, setTimeOrigin } from "./events.ts";
import { native } from "./native.ts";
import { deserialize, serialize } from "./structured_clone.ts";
import { any, defineInterface, type Dictionary, dictionary, DOMString, double, member } from "./webidl.ts";

const origin = { monoMs: 0, wallMs: 0 };
// Called by start(): the scope's life begins.
export function beginTime(): void {
  origin.monoMs = native.monoNowMs();
  origin.wallMs = native.wallNowMs();
  setTimeOrigin(origin.monoMs);
}
export function nowMs(): number {
  return native.monoNowMs() - origin.monoMs;
}

interface EntryFields {
  name: string;
  entryType: string;
  startTime: number;
  duration: number;
}
export class PerformanceEntry {
  #fields: EntryFields;
  constructor(fields: EntryFields) {
    this.#fields = fields;
  }
  get name(): string {
    return this.#fields.name;
  }
  get entryType(): string {
    return this.#fields.entryType;
  }
  get startTime(): number {
    return this.#fields.startTime;
  }
  get duration(): number {
    return this.#fields.duration;
  }
  toJSON(): object {
    return { ...this.#fields };
  }
  static isInstance(value: unknown): value is PerformanceEntry {
    return typeof value === "object" && value !== null && #fields in value;
  }
}
defineInterface(PerformanceEntry, { name: "PerformanceEntry" });

const cloneDetail = (
  value: unknown,
): unknown => (value === undefined || value === null ? null : deserialize(serialize(value)));
export class PerformanceMark extends PerformanceEntry {
  #detail: unknown;
  constructor(name: string, options: Dictionary = {}) {
    const startTime = member(options, "PerformanceMarkOptions", "startTime", double, nowMs());
    if (startTime < 0) {
      throw new TypeError(`Failed to construct 'PerformanceMark': '${name}' cannot have a negative start time.`);
    }
    super({ name, entryType: "mark", startTime, duration: 0 });
    this.#detail = cloneDetail(options["detail"]);
  }
  get detail(): unknown {
    return this.#detail;
  }
  static override isInstance(value: unknown): value is PerformanceMark {
    return typeof value === "object" && value !== null && #detail in value;
  }
}
defineInterface(PerformanceMark, {
  name: "PerformanceMark",
  constructorArguments: [DOMString, dictionary("PerformanceMarkOptions").optional({})],
});
export class PerformanceMeasure extends PerformanceEntry {
  #detail: unknown;
  constructor(name: string, startTime: number, duration: number, detail: unknown) {
    super({ name, entryType: "measure", startTime, duration });
    this.#detail = cloneDetail(detail);
  }
  get detail(): unknown {
    return this.#detail;
  }
  static override isInstance(value: unknown): value is PerformanceMeasure {
    return typeof value === "object" && value !== null && #detail in value;
  }
}
defineInterface(PerformanceMeasure, { name: "PerformanceMeasure" });

let entries: PerformanceEntry[] = [];
const maxEntries = 10_000;
function add<T extends PerformanceEntry>(entry: T): T {
  if (entries.length < maxEntries) entries.push(entry);
  return entry;
}
function markTime(mark: unknown): number {
  if (typeof mark === "number") return mark;
  const name = DOMString(mark);
  const found = entries.findLast((entry) => entry.entryType === "mark" && entry.name === name);
  if (!found) {
    throw new DOMException(
      `Failed to execute 'measure' on 'Performance': The mark '${name}' does not exist.`,
      "SyntaxError",
    );
  }
  return found.startTime;
}
function sorted(list: PerformanceEntry[]): PerformanceEntry[] {
  return list.sort((a, b) => a.startTime - b.startTime);
}

export class Performance extends EventTarget {
  #brand = true;
  now(): number {
    return nowMs();
  }
  get timeOrigin(): number {
    return origin.wallMs;
  }
  toJSON(): object {
    return { timeOrigin: origin.wallMs };
  }
  mark(name: string, options: Dictionary): PerformanceMark {
    return add(new PerformanceMark(name, options));
  }
  measure(name: string, startOrOptions: unknown, endMark: unknown): PerformanceMeasure {
    const options = typeof startOrOptions === "object" && startOrOptions !== null
      ? (startOrOptions as Dictionary)
      : { start: startOrOptions, end: endMark };
    const duration = options["duration"] === undefined ? null : double(options["duration"]);
    let end = options["end"] === undefined ? nowMs() : markTime(options["end"]);
    let start = options["start"] === undefined ? 0 : markTime(options["start"]);
    if (duration !== null) {
      if (options["end"] === undefined) end = start + duration;
      else if (options["start"] === undefined) start = end - duration;
    }
    return add(new PerformanceMeasure(name, start, end - start, options["detail"]));
  }
  clearMarks(name: string | undefined): void {
    entries = entries.filter((entry) => entry.entryType !== "mark" || (name !== undefined && entry.name !== name));
  }
  clearMeasures(name: string | undefined): void {
    entries = entries.filter((entry) => entry.entryType !== "measure" || (name !== undefined && entry.name !== name));
  }
  getEntries(): PerformanceEntry[] {
    return sorted([...entries]);
  }
  getEntriesByType(type: string): PerformanceEntry[] {
    return sorted(entries.filter((entry) => entry.entryType === type));
  }
  getEntriesByName(name: string, type: string | undefined): PerformanceEntry[] {
    return sorted(entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)));
  }
  static override isInstance(value: unknown): value is Performance {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(Performance, {
  name: "Performance",
  operations: {
    mark: [DOMString, dictionary("PerformanceMarkOptions").optional({})],
    measure: [DOMString, any.optional(), any.optional()],
    clearMarks: [DOMString.optional()],
    clearMeasures: [DOMString.optional()],
    getEntriesByType: [DOMString],
    getEntriesByName: [DOMString, DOMString.optional()],
  },
});
