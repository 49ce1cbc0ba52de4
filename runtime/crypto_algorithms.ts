// Web Cryptography §18: the algorithms that are known, and normalization of what scripts name them by.
import { type Bytes, type CryptoKey, type CryptoKeyPair, type KeySlots, raise } from "./crypto_key.ts";
import type { JsonWebKey } from "./crypto_jwk.ts";
import { native } from "./native.ts";
import { bareError, type Dictionary, DOMString, isBufferSource } from "./webidl.ts";

export type KeyFormat = "raw" | "pkcs8" | "spki" | "jwk" | "raw-public" | "raw-secret" | "raw-seed";
// A normalized algorithm: its registered name and converted parameters.
export interface Algorithm {
  readonly name: string;
  readonly hash?: string;
  readonly length?: number | undefined;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Bytes;
  readonly saltLength?: number;
  readonly label?: Bytes;
  readonly iv?: Bytes;
  readonly additionalData?: Bytes;
  readonly tagLength?: number;
  readonly counter?: Bytes;
  readonly salt?: Bytes;
  readonly info?: Bytes;
  readonly iterations?: number;
  readonly public?: CryptoKey;
  readonly context?: Bytes | undefined;
}
type Parameters = Omit<Algorithm, "name">;
export interface KeyRequest {
  algorithm: Algorithm;
  extractable: boolean;
  usages: number;
}
export interface ImportRequest extends KeyRequest {
  format: KeyFormat;
  data: Bytes | JsonWebKey;
}
// The operations of the registration tables (§18.4), each with the algorithm in normalized form.
export interface Operations {
  digest(algorithm: Algorithm, data: Bytes): Bytes;
  generateKey(request: KeyRequest): CryptoKey | CryptoKeyPair;
  importKey(request: ImportRequest): CryptoKey;
  exportKey(format: KeyFormat, key: KeySlots): Bytes | JsonWebKey;
  sign(algorithm: Algorithm, key: KeySlots, data: Bytes): Bytes;
  verify(algorithm: Algorithm, key: KeySlots, signature: Bytes, data: Bytes): boolean;
  encrypt(algorithm: Algorithm, key: KeySlots, data: Bytes): Bytes;
  decrypt(algorithm: Algorithm, key: KeySlots, data: Bytes): Bytes;
  wrapKey(algorithm: Algorithm, key: KeySlots, data: Bytes): Bytes;
  unwrapKey(algorithm: Algorithm, key: KeySlots, data: Bytes): Bytes;
  deriveBits(algorithm: Algorithm, key: KeySlots, length: number | null): Bytes;
  encapsulate(key: KeySlots): { sharedKey: Bytes; ciphertext: Bytes };
  decapsulate(key: KeySlots, ciphertext: Bytes): Bytes;
  getKeyLength(algorithm: Algorithm): number | null;
  getPublicKey(key: KeySlots, usages: number): CryptoKey;
}
export type Operation = keyof Operations;
export type ParameterReader = (given: Dictionary, method: string) => Parameters;
export interface Registration {
  readonly name: string;
  readonly operations: Partial<Operations>;
  readonly parameters: Partial<Record<Operation, ParameterReader>>; // absent: the operation takes none
  readonly checks: Partial<Record<Operation, Check>>;
}
// What can be said of converted parameters without a key; length: that of the bits to derive. Throws what the operation
// would throw.
export type Check = (algorithm: Algorithm, length: number | null) => void;

const registrations = Object.create(null) as Record<string, Registration>; // by name in upper case
export function register(
  name: string,
  operations: Partial<Operations>,
  parameters: Registration["parameters"] = {},
  checks: Registration["checks"] = {},
): void {
  registrations[name.toUpperCase()] = { name, operations, parameters, checks };
}
export function checkOf(name: string, operation: Operation): Check | undefined {
  return registrations[name.toUpperCase()]!.checks[operation];
}
// None for the name of a key out of a damaged store.
export function operationsOf(name: string): Partial<Operations> {
  return registrations[name.toUpperCase()]?.operations ?? {};
}

// §18.4.4. The method names whom to blame in messages.
export function normalize(method: string, operation: Operation, given: unknown): Algorithm {
  const where = `Failed to execute '${method}' on 'SubtleCrypto'`;
  const dictionary = (isObject(given) ? given : { name: DOMString(given) }) as Dictionary;
  const givenName = dictionary["name"];
  if (givenName === undefined) throw bareError("Algorithm: name: Missing or not a string");
  const registration = registrations[DOMString(givenName).toUpperCase()];
  if (!registration) raise("NotSupportedError", `${where}: Algorithm: Unrecognized name`);
  const { name, operations, parameters } = registration;
  if (!operations[operation]) raise("NotSupportedError", `${where}: ${name}: Unsupported operation: ${operation}`);
  return { name, ...parameters[operation]?.(dictionary, method) };
}
export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

// ------------------------------------------------------------------------------------------------- parameters
// A member of a dictionary type, read and converted: they are read in the order that Web IDL gives them.
export function read<T>(given: Dictionary, type: string, key: string, convert: (value: unknown) => T): T {
  const value = optional(given, type, key, convert);
  if (value === undefined) throw bareError(`${type}: ${key}: Missing required property`);
  return value;
}
export function optional<T>(
  given: Dictionary,
  type: string,
  key: string,
  convert: (value: unknown) => T,
): T | undefined {
  const value = given[key];
  if (value === undefined) return undefined;
  try {
    return convert(value);
  } catch (error) {
    if (error instanceof TypeError) throw bareError(`${type}: ${key}: ${error.message}`);
    throw error;
  }
}
export function buffer(value: unknown): Bytes {
  if (!isBufferSource(value)) throw bareError("Not a BufferSource");
  return native.crypto.copy(value);
}
// An algorithm that is a parameter of another; it is normalized when all members have been read.
export function identifier(value: unknown): unknown {
  return isObject(value) ? value : DOMString(value);
}
export function hashOf(method: string, given: unknown): string {
  return normalize(method, "digest", given).name;
}
