// CSSOM View §4.2: matchMedia() of a window that nobody sees. It never changes, so that no list ever fires.
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget } from "./events.ts";
import { defineInterface } from "./webidl.ts";

const holds = new Set([
  "all",
  "screen",
  "display-mode: browser",
  "hover: hover",
  "any-hover: hover",
  "pointer: fine",
  "any-pointer: fine",
  "prefers-color-scheme: light",
  "prefers-contrast: no-preference",
  "prefers-reduced-motion: no-preference",
  "prefers-reduced-data: no-preference",
  "orientation: landscape",
]);
export const viewport = { width: 1280, height: 720 };
function holdsFeature(feature: string): boolean {
  if (holds.has(feature)) return true;
  const [, side, name, size] = /^(min|max)-(width|height): (\d+(?:\.\d+)?)(?:px)?$/.exec(feature) ?? [];
  if (!side) return false;
  const actual = viewport[name as keyof typeof viewport];
  return side === "min" ? actual >= Number(size) : actual <= Number(size);
}
// A list of conjunctions, each of which may be negated: what scripts ask for.
function matches(query: string): boolean {
  return query.split(",").some((each) => {
    const words = each.trim().replace(/^only /, "");
    const negated = words.startsWith("not ");
    const parts = words.replace(/^not /, "").split(" and ");
    return parts.every((part) => holdsFeature(part.trim().replace(/^\(|\)$/g, "").trim())) !== negated;
  });
}

export class MediaQueryList extends EventTarget {
  #media: string;
  constructor(query: string) {
    super();
    this.#media = query.toLowerCase().replace(/\s+/g, " ").replace(/ ?: ?/g, ": ").trim();
  }
  get media(): string {
    return this.#media;
  }
  get matches(): boolean {
    return this.#media === "" || matches(this.#media);
  }
  addListener(listener: unknown): void {
    this.addEventListener("change", listener as null);
  }
  removeListener(listener: unknown): void {
    this.removeEventListener("change", listener as null);
  }
  static override isInstance(value: unknown): value is MediaQueryList {
    return typeof value === "object" && value !== null && #media in value;
  }
}
defineEventHandlers(MediaQueryList.prototype, ["change"], MediaQueryList.isInstance);
defineInterface(MediaQueryList, { name: "MediaQueryList", exposed: "page" });
