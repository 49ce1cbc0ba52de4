// Performance Timeline §4–5: the entries of a scope, and who observes them.
import { DOMException } from "./domexception.ts";
import { reportException } from "./errors.ts";
import { PerformanceEntry } from "./performance_entry.ts";
import { setRuntimeTimer } from "./timers.ts";
import {
  boolean,
  callback,
  defineInterface,
  defineStaticAttribute,
  type Dictionary,
  dictionary,
  DOMString,
  fail,
  member,
  sequence,
} from "./webidl.ts";

const supportedTypes = Object.freeze(["mark", "measure"]);

// ------------------------------------------------------------------------------------------------- the timeline
let entries: PerformanceEntry[] = [];
const dropped = new Map<string, number>(); // by type: what the full timeline did not take
const maxEntries = 10_000;
const observers = new Set<PerformanceObserver>();
let taskQueued = false;

// "Queue a PerformanceEntry".
export function addEntry<T extends PerformanceEntry>(entry: T): T {
  for (const observer of observers) PerformanceObserver.offer(observer, entry);
  if (entries.length < maxEntries) entries.push(entry);
  else dropped.set(entry.entryType, (dropped.get(entry.entryType) ?? 0) + 1);
  queueObserverTask();
  return entry;
}
export function removeEntries(entryType: string, name: string | undefined): void {
  entries = entries.filter((entry) => entry.entryType !== entryType || (name !== undefined && entry.name !== name));
}
export function lastMark(name: string): PerformanceEntry | undefined {
  return entries.findLast((entry) => entry.entryType === "mark" && entry.name === name);
}
// "Filter buffer by name and type".
function select(list: readonly PerformanceEntry[], name?: string, type?: string): PerformanceEntry[] {
  return list
    .filter((each) => (name === undefined || each.name === name) && (type === undefined || each.entryType === type))
    .sort((a, b) => a.startTime - b.startTime);
}
export function selectEntries(name?: string, type?: string): PerformanceEntry[] {
  return select(entries, name, type);
}

// "Queue the PerformanceObserver task".
function queueObserverTask(): void {
  if (taskQueued || observers.size === 0) return;
  taskQueued = true;
  setRuntimeTimer(() => {
    taskQueued = false;
    for (const observer of [...observers]) PerformanceObserver.deliver(observer);
  }, 0);
}

// ------------------------------------------------------------------------------------------------- observers
export class PerformanceObserverEntryList {
  #entries: readonly PerformanceEntry[];
  constructor(list: readonly PerformanceEntry[]) {
    this.#entries = list;
  }
  getEntries(): PerformanceEntry[] {
    return select(this.#entries);
  }
  getEntriesByType(type: string): PerformanceEntry[] {
    return select(this.#entries, undefined, type);
  }
  getEntriesByName(name: string, type: string | undefined): PerformanceEntry[] {
    return select(this.#entries, name, type);
  }
  static isInstance(value: unknown): value is PerformanceObserverEntryList {
    return typeof value === "object" && value !== null && #entries in value;
  }
}
export const entryFilters = {
  getEntriesByType: [DOMString],
  getEntriesByName: [DOMString, DOMString.optional()],
};
defineInterface(PerformanceObserverEntryList, { name: "PerformanceObserverEntryList", operations: entryFilters });

type ObserverCallback = (list: object, observer: object, options: object) => unknown;
export class PerformanceObserver {
  #callback: ObserverCallback;
  #buffer: PerformanceEntry[] = [];
  #kind: "" | "multiple" | "single" = "";
  #types = new Set<string>();
  #needsDroppedCount = false;
  constructor(action: ObserverCallback) {
    this.#callback = action;
  }
  observe(options: Dictionary): void {
    const dict = "PerformanceObserverInit";
    const buffered = member(options, dict, "buffered", boolean, undefined);
    const entryTypes = member(options, dict, "entryTypes", sequence(DOMString), undefined);
    const type = member(options, dict, "type", DOMString, undefined);
    if (entryTypes === undefined && type === undefined) {
      fail("An observe() call must include either entryTypes or type arguments.");
    }
    if (entryTypes !== undefined && type !== undefined) {
      fail("An observe() call must not include both entryTypes and type arguments.");
    }
    this.#setKind(entryTypes ? "multiple" : "single");
    if (entryTypes) {
      const known = entryTypes.filter((each) => supportedTypes.includes(each));
      if (known.length === 0) return;
      this.#types = new Set(known);
    } else {
      if (!supportedTypes.includes(type!)) return;
      this.#types.add(type!);
    }
    this.#needsDroppedCount = true;
    observers.add(this);
    if (type === undefined || !buffered) return;
    this.#buffer.push(...selectEntries(undefined, type));
    queueObserverTask();
  }
  #setKind(kind: "multiple" | "single"): void {
    if (this.#kind !== "" && this.#kind !== kind) {
      const which = this.#kind === "multiple" ? "entryTypes" : "type";
      throw new DOMException(
        "Failed to execute 'observe' on 'PerformanceObserver': " +
          `This observer was told the '${which}' before, and cannot change to the other way.`,
        "InvalidModificationError",
      );
    }
    this.#kind = kind;
  }
  disconnect(): void {
    observers.delete(this);
    this.#buffer = [];
    this.#types.clear();
    this.#kind = "";
  }
  takeRecords(): PerformanceEntry[] {
    return this.#buffer.splice(0);
  }
  static offer(observer: PerformanceObserver, entry: PerformanceEntry): void {
    if (observer.#types.has(entry.entryType)) observer.#buffer.push(entry);
  }
  static deliver(observer: PerformanceObserver): void {
    const list = observer.takeRecords();
    if (list.length === 0) return;
    const options: { droppedEntriesCount?: number } = {};
    if (observer.#needsDroppedCount) {
      observer.#needsDroppedCount = false;
      options.droppedEntriesCount = [...observer.#types].reduce((sum, type) => sum + (dropped.get(type) ?? 0), 0);
    }
    try {
      Reflect.apply(observer.#callback, observer, [new PerformanceObserverEntryList(list), observer, options]);
    } catch (error) {
      reportException(error);
    }
  }
  static isInstance(value: unknown): value is PerformanceObserver {
    return typeof value === "object" && value !== null && #needsDroppedCount in value;
  }
}
defineStaticAttribute(
  defineInterface(PerformanceObserver, {
    name: "PerformanceObserver",
    constructorArguments: [callback],
    operations: { observe: [dictionary("PerformanceObserverInit").optional({})] },
  }),
  "supportedEntryTypes",
  () => supportedTypes,
);
