// Service Workers §4.6 (static routing): what InstallEvent.addRoutes() is given, as a message. Only the conversions of
// Web IDL are done here; the daemon checks the rules and follows them (src/host/static_routes.h).
import type { RouterCondition, RouterRule, RouterUrlPattern } from "#ipc/static_routes.ts";
import { port } from "./port.ts";
import { environment } from "./url.ts";
import { toInit, URLPattern } from "./url_pattern.ts";
import {
  ByteString,
  type Dictionary,
  DOMString,
  enumeration,
  fail,
  member,
  requiredMember,
  sequence,
  toDictionary,
  USVString,
} from "./webidl.ts";

const maxDepth = 10;
const toMode = enumeration("RequestMode", ["navigate", "same-origin", "no-cors", "cors"]);
const toStatus = enumeration("RunningStatusEnum", ["running", "not-running"]);
const toSourceName = enumeration("RouterSourceEnum", [
  "cache",
  "fetch-event",
  "network",
  "race-network-and-fetch-handler",
]);
const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

export function addRoutes(given: unknown): Promise<void> {
  const isList = isObject(given) && (given as Iterable<unknown>)[Symbol.iterator] != null;
  const rules = isList ? sequence(toRule)(given) : [toRule(given)];
  return port.request({ addRoutes: { rules } }).then(() => {});
}

function toRule(value: unknown): RouterRule {
  const rule = toDictionary(value, "RouterRule");
  const condition = requiredMember(rule, "RouterRule", "condition", (given) => toCondition(given, 1));
  return { condition, ...requiredMember(rule, "RouterRule", "source", toSource) };
}
function toSource(value: unknown): { source: string; cacheName?: string } {
  if (!isObject(value) && value !== null) return { source: toSourceName(value) };
  const cacheName = requiredMember(toDictionary(value, "RouterSourceDict"), "RouterSourceDict", "cacheName", DOMString);
  return { source: "cache", cacheName: cacheName.toWellFormed() };
}

function toCondition(value: unknown, depth: number): RouterCondition {
  if (depth > maxDepth) fail(`A condition is nested more than ${maxDepth} levels deep.`);
  const given = toDictionary(value, "RouterCondition");
  const nested = (each: unknown) => toCondition(each, depth + 1);
  const get = <T>(key: string, convert: (value: unknown) => T) =>
    member(given, "RouterCondition", key, convert, undefined);
  const negated = get("not", nested);
  const conditions = get("or", sequence(nested));
  return {
    negated,
    anyOf: conditions && { conditions },
    requestDestination: get("requestDestination", DOMString),
    requestMethod: get("requestMethod", ByteString),
    requestMode: get("requestMode", toMode),
    runningStatus: get("runningStatus", toStatus),
    urlPattern: get("urlPattern", toPattern),
  };
}

// "Build a URL pattern from a Web IDL value", with the worker's own URL as base.
function toPattern(value: unknown): RouterUrlPattern {
  const pattern = URLPattern.isInstance(value) ? value : buildPattern(value);
  if (pattern.hasRegExpGroups) fail("The pattern must not contain regular expression groups.");
  const { protocol, username, password, hostname, port: urlPort, pathname, search, hash } = pattern;
  const ignoreCase = URLPattern.ignoresCase(pattern);
  return { protocol, username, password, hostname, port: urlPort, pathname, search, hash, ignoreCase };
}
function buildPattern(value: unknown): URLPattern {
  if (!isObject(value)) return new URLPattern(USVString(value), environment.baseUrl);
  const init = toInit(value as Dictionary);
  init["baseURL"] ??= environment.baseUrl;
  return new URLPattern(init);
}
