// Web Cryptography §13: CryptoKey.
//
// The bytes of a key are only handed to native functions. They are never read in these files, and no method or accessor
// is used on them: a script that has replaced one would see a key that is not extractable.
import { DOMException } from "./domexception.ts";
import { defineInterface, enumeration, sequence } from "./webidl.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
export type KeyType = "public" | "private" | "secret";

// Usages are bits of a number, which is stored with a key. Their names, in the order in which a key lists them:
const usageNames = [
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "deriveKey",
  "deriveBits",
  "wrapKey",
  "unwrapKey",
  "encapsulateKey",
  "encapsulateBits",
  "decapsulateKey",
  "decapsulateBits",
] as const;
export type KeyUsage = (typeof usageNames)[number];
export const Usage = {
  encrypt: 1,
  decrypt: 2,
  sign: 4,
  verify: 8,
  deriveKey: 16,
  deriveBits: 32,
  wrapKey: 64,
  unwrapKey: 128,
  encapsulateKey: 256,
  encapsulateBits: 512,
  decapsulateKey: 1024,
  decapsulateBits: 2048,
} as const satisfies Record<KeyUsage, number>;
export const keyUsages = sequence(enumeration<KeyUsage>("KeyUsage", usageNames));

export function usageBits(names: readonly KeyUsage[]): number {
  let bits = 0;
  for (let i = 0; i < names.length; ++i) bits |= Usage[names[i]!];
  return bits;
}
export function usageList(bits: number): KeyUsage[] {
  return usageNames.filter((name) => (bits & Usage[name]) !== 0);
}

// What the algorithm attribute shows, flat.
export interface KeyAlgorithm {
  readonly name: string;
  readonly hash?: string;
  readonly length?: number;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Bytes;
}
// The internal slots.
export interface KeySlots {
  readonly type: KeyType;
  readonly extractable: boolean;
  readonly algorithm: KeyAlgorithm;
  readonly usages: number;
  readonly bytes: Bytes;
}
export interface CryptoKeyPair {
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}

export function raise(name: string, message = ""): never {
  throw new DOMException(message, name);
}

export function requireUsages(usages: number, allowed: number): void {
  if ((usages & ~allowed) !== 0) raise("SyntaxError", "Cannot create a key using the specified key usages.");
}

export class CryptoKey {
  #slots: KeySlots;
  #algorithm: object | null = null;
  #usages: KeyUsage[] | null = null;
  constructor(slots: KeySlots) {
    this.#slots = slots;
  }
  get type(): KeyType {
    return this.#slots.type;
  }
  get extractable(): boolean {
    return this.#slots.extractable;
  }
  // Made once: what scripts do to it stays with it, and does nothing to the key.
  get algorithm(): object {
    this.#algorithm ??= describe(this.#slots.algorithm);
    return this.#algorithm;
  }
  get usages(): KeyUsage[] {
    this.#usages ??= usageList(this.#slots.usages);
    return this.#usages;
  }
  static isInstance(value: unknown): value is CryptoKey {
    return typeof value === "object" && value !== null && #slots in value;
  }
  static slotsOf(key: CryptoKey): KeySlots {
    return key.#slots;
  }
}
defineInterface(CryptoKey, { name: "CryptoKey" });

function describe({ name, hash, length, namedCurve, modulusLength, publicExponent }: KeyAlgorithm): object {
  const result: Record<string, unknown> = { name };
  if (modulusLength !== undefined) result["modulusLength"] = modulusLength;
  if (publicExponent !== undefined) result["publicExponent"] = new Uint8Array(publicExponent);
  if (hash !== undefined) result["hash"] = { name: hash };
  if (length !== undefined) result["length"] = length;
  if (namedCurve !== undefined) result["namedCurve"] = namedCurve;
  return result;
}

// Structured clone (§13.5): what is written are the slots. What is read may come from a damaged store.
export function restoreKey(stored: unknown): CryptoKey | null {
  const { type, extractable, algorithm, usages, bytes } = (stored ?? {}) as Partial<KeySlots>;
  const isWhole = (type === "public" || type === "private" || type === "secret") &&
    typeof extractable === "boolean" && typeof usages === "number" && ArrayBuffer.isView(bytes) &&
    typeof algorithm === "object" && algorithm !== null && typeof algorithm.name === "string";
  return isWhole ? new CryptoKey({ type, extractable, algorithm, usages, bytes }) : null;
}
