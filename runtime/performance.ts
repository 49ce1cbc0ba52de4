// High Resolution Time §8 and User Timing §3: performance.
import { DOMException } from "./domexception.ts";
import { EventTarget } from "./events.ts";
import { markOptions, type PerformanceEntry, PerformanceMark, PerformanceMeasure } from "./performance_entry.ts";
import { addEntry, entryFilters, lastMark, removeEntries, selectEntries } from "./performance_timeline.ts";
import { nowMs, timeOrigin } from "./time.ts";
import { any, defineInterface, type Dictionary, DOMString, double, fail, member, toDictionary } from "./webidl.ts";

// The attributes of PerformanceTiming: as names of marks they mean a document's navigation.
const navigationTimes = new Set(
  ("navigationStart unloadEventStart unloadEventEnd redirectStart redirectEnd fetchStart domainLookupStart " +
    "domainLookupEnd connectStart connectEnd secureConnectionStart requestStart responseStart responseEnd domLoading " +
    "domInteractive domContentLoadedEventStart domContentLoadedEventEnd domComplete loadEventStart loadEventEnd")
    .split(" "),
);

// User Timing "convert a mark to a timestamp".
type MarkOrTime = string | number;
const markOrTime = (value: unknown): MarkOrTime => (typeof value === "number" ? double(value) : DOMString(value));
function timeOf(mark: MarkOrTime): number {
  if (typeof mark === "number") {
    if (mark < 0) fail(`'${mark}' is a negative time stamp.`);
    return mark;
  }
  if (navigationTimes.has(mark)) fail(`'${mark}' is only available to documents.`);
  const found = lastMark(mark);
  if (found) return found.startTime;
  throw new DOMException(
    `Failed to execute 'measure' on 'Performance': The mark '${mark}' does not exist.`,
    "SyntaxError",
  );
}

interface MeasureOptions {
  detail: unknown;
  duration: number | undefined;
  end: MarkOrTime | undefined;
  start: MarkOrTime | undefined;
}
function measureOptions(given: unknown, endMark: string | undefined): MeasureOptions {
  if (given !== undefined && given !== null && typeof given !== "object" && typeof given !== "function") {
    return { detail: undefined, duration: undefined, end: endMark, start: DOMString(given) };
  }
  const dict = "PerformanceMeasureOptions";
  const options = toDictionary(given, dict);
  const { detail } = options;
  const duration = member(options, dict, "duration", double, undefined);
  const end = member(options, dict, "end", markOrTime, undefined);
  const start = member(options, dict, "start", markOrTime, undefined);
  const found: MeasureOptions = { detail, duration, end, start };
  if (detail === undefined && duration === undefined && end === undefined && start === undefined) {
    return { ...found, end: endMark };
  }
  const passed = "If a non-empty PerformanceMeasureOptions object was passed, ";
  if (endMark !== undefined) fail(`${passed}|end_mark| must not be passed.`);
  if (start === undefined && end === undefined) fail(`${passed}at least one of its 'start' or 'end' is needed.`);
  if (start !== undefined && duration !== undefined && end !== undefined) {
    fail(`${passed}it must not have all of 'start', 'duration' and 'end'.`);
  }
  return found;
}

export class Performance extends EventTarget {
  #brand = true;
  now(): number {
    return nowMs();
  }
  get timeOrigin(): number {
    return timeOrigin.wallMs;
  }
  toJSON(): object {
    return { timeOrigin: timeOrigin.wallMs };
  }
  mark(name: string, options: Dictionary): PerformanceMark {
    return addEntry(new PerformanceMark(name, options));
  }
  measure(name: string, startOrOptions: unknown, endMark: string | undefined): PerformanceMeasure {
    const { detail, duration, end, start } = measureOptions(startOrOptions, endMark);
    const endTime = end !== undefined
      ? timeOf(end)
      : start !== undefined && duration !== undefined
      ? timeOf(start) + timeOf(duration)
      : nowMs();
    const startTime = start !== undefined
      ? timeOf(start)
      : duration !== undefined
      ? endTime - timeOf(duration)
      : 0;
    return addEntry(new PerformanceMeasure(name, startTime, endTime - startTime, detail));
  }
  clearMarks(name: string | undefined): void {
    removeEntries("mark", name);
  }
  clearMeasures(name: string | undefined): void {
    removeEntries("measure", name);
  }
  getEntries(): PerformanceEntry[] {
    return selectEntries();
  }
  getEntriesByType(type: string): PerformanceEntry[] {
    return selectEntries(undefined, type);
  }
  getEntriesByName(name: string, type: string | undefined): PerformanceEntry[] {
    return selectEntries(name, type);
  }
  static override isInstance(value: unknown): value is Performance {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(Performance, {
  name: "Performance",
  operations: {
    mark: [DOMString, markOptions],
    measure: [DOMString, any.optional(), DOMString.optional()],
    clearMarks: [DOMString.optional()],
    clearMeasures: [DOMString.optional()],
    ...entryFilters,
  },
});
