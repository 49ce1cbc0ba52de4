// URL Pattern Standard: a façade over npm urlpattern-polyfill, which matches.
import { URLPattern as Polyfill } from "urlpattern-polyfill/urlpattern";
import { URL } from "./url.ts";
import { boolean, converter, defineInterface, type Dictionary, fail, member, toDictionary, USVString } from "./webidl.ts";

// The package's types know neither its options nor this attribute.
interface Pattern extends Polyfill {
  readonly hasRegExpGroups: boolean;
}
const Pattern = Polyfill as unknown as {
  new (input: string | Init, options: { ignoreCase: boolean }): Pattern;
  new (input: string | Init, base: string, options: { ignoreCase: boolean }): Pattern;
};
type Init = Record<string, string>;
const components = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"] as const;
const initMembers = ["baseURL", ...components].sort();

export function toInit(value: unknown): Init {
  const given = toDictionary(value, "URLPatternInit");
  const init: Init = {};
  for (const name of initMembers) {
    const text = member(given, "URLPatternInit", name, USVString, undefined);
    if (text !== undefined) init[name] = text;
  }
  return init;
}
const isObject = (value: unknown): boolean => typeof value === "object" || typeof value === "function";
const input = converter((value): string | Init => {
  return value === undefined || isObject(value) ? toInit(value) : USVString(value);
});
// (baseURL, options) or (options): what is no dictionary is a string.
const baseOrOptions = converter((value) => (value === undefined || isObject(value) ? value : USVString(value)));

// The port of what is matched is cut as a URL's is: the digits at its start count.
function withPlainPort(given: string | Init): string | Init {
  if (typeof given === "string" || given["port"] === undefined) return given;
  const url = new URL("no-default-port://host");
  url.port = given["port"];
  return url.port === "" ? given : { ...given, port: url.port };
}

export class URLPattern {
  #pattern: Pattern;
  #ignoreCase: boolean;
  constructor(given: string | Init = {}, second: unknown = undefined, third: unknown = undefined) {
    const base = typeof second === "string" ? second : undefined;
    const options: Dictionary = toDictionary(base === undefined ? second : third, "URLPatternOptions");
    const ignoreCase = member(options, "URLPatternOptions", "ignoreCase", boolean, false);
    this.#ignoreCase = ignoreCase;
    if (base !== undefined && typeof given !== "string") {
      fail(
        "Invalid second argument baseURL provided with a URLPatternInit input. Use the URLPatternInit.baseURL property " +
          "instead.",
      );
    }
    this.#pattern = base === undefined ? new Pattern(given, { ignoreCase }) : new Pattern(given, base, { ignoreCase });
  }
  get protocol(): string {
    return this.#pattern.protocol;
  }
  get username(): string {
    return this.#pattern.username;
  }
  get password(): string {
    return this.#pattern.password;
  }
  get hostname(): string {
    return this.#pattern.hostname;
  }
  get port(): string {
    return this.#pattern.port;
  }
  get pathname(): string {
    return this.#pattern.pathname;
  }
  get search(): string {
    return this.#pattern.search;
  }
  get hash(): string {
    return this.#pattern.hash;
  }
  get hasRegExpGroups(): boolean {
    return this.#pattern.hasRegExpGroups;
  }
  test(given: string | Init, base: string | undefined): boolean {
    return this.#pattern.test(withPlainPort(given), base);
  }
  exec(given: string | Init, base: string | undefined): object | null {
    const result = this.#pattern.exec(withPlainPort(given), base);
    return result && { ...result, inputs: base === undefined ? [given] : [given, base] };
  }
  static ignoresCase(pattern: URLPattern): boolean {
    return pattern.#ignoreCase;
  }
  static isInstance(value: unknown): value is URLPattern {
    return typeof value === "object" && value !== null && #pattern in value;
  }
}
const matched = [input.optional({}), USVString.optional()];
defineInterface(URLPattern, {
  name: "URLPattern",
  constructorArguments: [input.optional({}), baseOrOptions.optional(), baseOrOptions.optional()],
  operations: { test: matched, exec: matched },
});
