// Performance Timeline §4 PerformanceEntry, and its kinds of User Timing §3.
import { deserialize, serialize } from "./structured_clone.ts";
import { nowMs } from "./time.ts";
import { defineInterface, type Dictionary, dictionary, DOMString, double, fail, member } from "./webidl.ts";

export interface EntryFields {
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
  // Only documents navigate.
  get navigationId(): number {
    return 0;
  }
  toJSON(): object {
    const own = PerformanceMark.isInstance(this) || PerformanceMeasure.isInstance(this) ? { detail: this.detail } : {};
    return { ...this.#fields, navigationId: this.navigationId, ...own };
  }
  static isInstance(value: unknown): value is PerformanceEntry {
    return typeof value === "object" && value !== null && #fields in value;
  }
}
defineInterface(PerformanceEntry, { name: "PerformanceEntry" });

function cloneDetail(value: unknown): unknown {
  return value === undefined || value === null ? null : deserialize(serialize(value));
}
export class PerformanceMark extends PerformanceEntry {
  #detail: unknown;
  constructor(name: string, options: Dictionary = {}) {
    const detail = options["detail"];
    const startTime = member(options, "PerformanceMarkOptions", "startTime", double, null) ?? nowMs();
    if (startTime < 0) fail(`'${name}' cannot have a negative start time.`);
    super({ name, entryType: "mark", startTime, duration: 0 });
    this.#detail = cloneDetail(detail);
  }
  get detail(): unknown {
    return this.#detail;
  }
  static override isInstance(value: unknown): value is PerformanceMark {
    return typeof value === "object" && value !== null && #detail in value;
  }
}
export const markOptions = dictionary("PerformanceMarkOptions").optional({});
defineInterface(PerformanceMark, { name: "PerformanceMark", constructorArguments: [DOMString, markOptions] });

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
