// URL Standard §5–6: application/x-www-form-urlencoded and URLSearchParams.
import { native } from "./native.ts";
import { converter, defineInterface, defineIterable, fail, sequence, USVString } from "./webidl.ts";

type Pair = [name: string, value: string];

// ------------------------------------------------------------------------------------------------- urlencoded
const percent = 0x25;
function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
function decodePart(part: string): string {
  const text = part.includes("+") ? part.replaceAll("+", " ") : part;
  if (!text.includes("%")) return text;
  const bytes = native.utf8Encode(text);
  let length = 0;
  for (let i = 0; i < bytes.byteLength; ++i) {
    const high = bytes[i] === percent ? hexValue(bytes[i + 1]) : -1;
    const low = high < 0 ? -1 : hexValue(bytes[i + 2]);
    bytes[length++] = low < 0 ? bytes[i]! : high * 16 + low;
    if (low >= 0) i += 2;
  }
  return native.utf8Decode(bytes.subarray(0, length), false, true);
}
export function parseUrlencoded(text: string): Pair[] {
  const pairs: Pair[] = [];
  for (const piece of text.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    const name = equals < 0 ? piece : piece.slice(0, equals);
    pairs.push([decodePart(name), equals < 0 ? "" : decodePart(piece.slice(equals + 1))]);
  }
  return pairs;
}

const untouched = /^[*\-.\w]*$/;
function encodePart(text: string): string {
  if (untouched.test(text)) return text;
  let result = "";
  for (const byte of native.utf8Encode(text)) {
    const character = String.fromCharCode(byte);
    if (byte === 0x20) result += "+";
    else if (untouched.test(character)) result += character;
    else result += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}
function serializeUrlencoded(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`).join("&");
}

// ------------------------------------------------------------------------------------------------- the interface
const stringPair = sequence(USVString);
const pairList = sequence((item): Pair => {
  const pair = stringPair(item);
  if (pair.length !== 2) fail("Sequence initializer must only contain pair elements");
  return pair as Pair;
});
// record<USVString, USVString>: two keys may become the same one, the last value stays.
function recordPairs(given: object): Pair[] {
  const record = new Map<string, string>();
  for (const key of Reflect.ownKeys(given)) {
    if (!Reflect.getOwnPropertyDescriptor(given, key)?.enumerable) continue;
    record.set(USVString(key), USVString((given as Record<PropertyKey, unknown>)[key]));
  }
  return [...record];
}
const init = converter((value): string | Pair[] => {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return USVString(value);
  const iterator = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
  return iterator === undefined || iterator === null ? recordPairs(value) : pairList(value);
});

export class URLSearchParams {
  #pairs: Pair[];
  // Tells the URL that has this object as its searchParams.
  #onChange: ((query: string) => void) | null = null;

  constructor(given: string | Pair[] = "") {
    this.#pairs = typeof given === "string" ? parseUrlencoded(given.startsWith("?") ? given.slice(1) : given) : given;
  }
  static ofUrl(query: string, onChange: (query: string) => void): URLSearchParams {
    const params = new URLSearchParams();
    params.#pairs = parseUrlencoded(query);
    params.#onChange = onChange;
    return params;
  }
  // The URL's query was set.
  static reset(params: URLSearchParams, query: string): void {
    params.#pairs = parseUrlencoded(query);
  }
  get size(): number {
    return this.#pairs.length;
  }
  append(name: string, value: string): void {
    this.#pairs.push([name, value]);
    this.#changed();
  }
  delete(name: string, value: string | undefined): void {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== value));
    this.#changed();
  }
  get(name: string): string | null {
    return this.#pairs.find((pair) => pair[0] === name)?.[1] ?? null;
  }
  getAll(name: string): string[] {
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }
  has(name: string, value: string | undefined): boolean {
    return this.#pairs.some((pair) => pair[0] === name && (value === undefined || pair[1] === value));
  }
  set(name: string, value: string): void {
    const first = this.#pairs.findIndex((pair) => pair[0] === name);
    if (first < 0) {
      this.#pairs.push([name, value]);
    } else {
      this.#pairs[first]![1] = value;
      this.#pairs = this.#pairs.filter((pair, index) => index <= first || pair[0] !== name);
    }
    this.#changed();
  }
  // By code units, as strings compare; pairs of one name keep their order.
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }
  toString(): string {
    return serializeUrlencoded(this.#pairs);
  }
  #changed(): void {
    this.#onChange?.(this.toString());
  }
  static isInstance(value: unknown): value is URLSearchParams {
    return typeof value === "object" && value !== null && #pairs in value;
  }
  static pairsOf(params: URLSearchParams): Pair[] {
    return params.#pairs;
  }
}
defineInterface(URLSearchParams, {
  name: "URLSearchParams",
  constructorArguments: [init.optional("")],
  operations: {
    append: [USVString, USVString],
    delete: [USVString, USVString.optional()],
    get: [USVString],
    getAll: [USVString],
    has: [USVString, USVString.optional()],
    set: [USVString, USVString],
  },
});
defineIterable(URLSearchParams, "URLSearchParams", URLSearchParams.pairsOf);
