// Web Cryptography §15: JsonWebKey, and what all algorithms check in one (RFC 7517 §4).
import { raise, Usage, usageBits, usageList, type KeyUsage } from "./crypto_key.ts";
import type { Bytes, KeySlots } from "./crypto_key.ts";
import { native } from "./native.ts";
import { boolean, type Dictionary, DOMString, member, sequence } from "./webidl.ts";

const textMembers = [
  ...["alg", "crv", "d", "dp", "dq", "e", "k", "kty", "n", "p", "priv", "pub", "q", "qi", "use", "x", "y"] as const,
];
type TextMember = (typeof textMembers)[number];
export type JsonWebKey = Partial<Record<TextMember, string>> & { ext?: boolean; key_ops?: string[]; oth?: unknown };

const members: [keyof JsonWebKey, (value: unknown) => unknown][] = [
  ...textMembers.map((name): [keyof JsonWebKey, (value: unknown) => unknown] => [name, DOMString]),
  ["ext", boolean],
  ["key_ops", sequence(DOMString)],
  // Other primes of RSA: it only matters whether there are any.
  ["oth", (value) => value],
];
members.sort(([one], [other]) => (one < other ? -1 : 1));

export function toJsonWebKey(given: object): JsonWebKey {
  const result = Object.create(null) as Dictionary;
  for (let i = 0; i < members.length; ++i) {
    const [name, convert] = members[i]!;
    const value = member(given as Dictionary, "JsonWebKey", name, convert, undefined);
    if (value !== undefined) result[name] = value;
  }
  return result as JsonWebKey;
}

const parse = JSON.parse;
const stringify = JSON.stringify;
const setPrototypeOf = Object.setPrototypeOf;
// The key that an unwrapped text holds. Only its own members count: an accessor that a script has put on
// Object.prototype would see a key that is not meant for it.
export function parseJsonWebKey(text: Bytes): JsonWebKey {
  let value: unknown;
  try {
    value = parse(native.utf8Decode(text, true, false));
  } catch {
    raise("DataError", "The wrapped key data is not valid JSON.");
  }
  if (typeof value !== "object" || value === null) raise("DataError", "The wrapped key data is not a JSON object.");
  const jwk = toJsonWebKey(setPrototypeOf(value, null) as object);
  if (jwk.kty === undefined) raise("DataError", 'The required JWK member "kty" was missing');
  return jwk;
}
export function serializeJsonWebKey(jwk: JsonWebKey): Bytes {
  return native.utf8Encode(stringify(jwk));
}

// ------------------------------------------------------------------------------------------------- import
export function requireMember(jwk: JsonWebKey, name: TextMember): string {
  const value = jwk[name];
  if (value === undefined) raise("DataError", `The required JWK member "${name}" was missing`);
  return value;
}
export function requireBytes(jwk: JsonWebKey, name: TextMember): Bytes {
  const bytes = native.crypto.fromBase64Url(requireMember(jwk, name));
  if (!bytes) raise("DataError", `The JWK member "${name}" could not be base64url decoded or contained padding`);
  return bytes;
}
export function checkType(jwk: JsonWebKey, expected: string): void {
  if (requireMember(jwk, "kty") !== expected) raise("DataError", `The JWK "kty" member was not "${expected}"`);
}
export function checkAlgorithm(jwk: JsonWebKey, ...expected: string[]): void {
  if (jwk.alg !== undefined && !expected.includes(jwk.alg)) inconsistent("alg");
}
// use, key_ops and ext have to allow what is asked for.
export function checkPermissions(jwk: JsonWebKey, use: string, extractable: boolean, usages: number): void {
  if (usages !== 0 && jwk.use !== undefined && jwk.use !== use) inconsistent("use", superset);
  if (jwk.key_ops !== undefined) checkOperations(jwk.key_ops, usages);
  if (jwk.ext === false && extractable) inconsistent("ext");
}
function checkOperations(operations: string[], usages: number): void {
  if (new Set(operations).size !== operations.length) {
    raise("DataError", 'The "key_ops" member of the JWK dictionary contains duplicate usages.');
  }
  const allowed = usageBits(operations.filter((each): each is KeyUsage => Object.hasOwn(Usage, each)));
  if ((usages & ~allowed) !== 0) inconsistent("key_ops", superset);
}
const superset = ". The JWK usage must be a superset of those requested";
export function inconsistent(name: string, more = ""): never {
  raise("DataError", `The JWK "${name}" member was inconsistent with that specified by the Web Crypto call${more}`);
}

// ------------------------------------------------------------------------------------------------- export
export function exportedJwk(key: KeySlots, members: JsonWebKey): JsonWebKey {
  return { ...members, ext: key.extractable, key_ops: usageList(key.usages) };
}
