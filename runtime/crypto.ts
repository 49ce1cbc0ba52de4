// Web Cryptography: random values, digests and HMAC keys.
import { DOMException } from "./domexception.ts";
import { decodeBase64, encodeBytesBase64 } from "./encoding.ts";
import { native } from "./native.ts";
import { uuid } from "./url.ts";
import {
  any,
  boolean,
  type BufferSource,
  bufferSource,
  bytesOf,
  defineInterface,
  type Dictionary,
  DOMString,
  requiredMember,
  sequence,
  toDictionary,
  unsignedLong,
} from "./webidl.ts";

const hashes = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const blockBits: Record<string, number> = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };
const usages = ["sign", "verify"];

function notSupported(what: string): DOMException {
  return new DOMException(`Algorithm: ${what}: not supported here`, "NotSupportedError");
}
function algorithmName(algorithm: unknown): { name: string; given: Dictionary } {
  const given = typeof algorithm === "object" && algorithm !== null ? (algorithm as Dictionary) : { name: algorithm };
  const name = requiredMember(toDictionary(given, "Algorithm"), "Algorithm", "name", DOMString);
  return { name: name.toUpperCase(), given };
}
function hashName(algorithm: unknown): string {
  const { name } = algorithmName(algorithm);
  if (!hashes.includes(name)) throw new DOMException("Algorithm: Unrecognized name", "NotSupportedError");
  return name;
}
function requireHmac(algorithm: unknown): Dictionary {
  const { name, given } = algorithmName(algorithm);
  if (name !== "HMAC") throw notSupported(name);
  return given;
}

export class CryptoKey {
  #bytes: Uint8Array<ArrayBuffer>;
  #hash: string;
  #extractable: boolean;
  #usages: string[];
  constructor(bytes: Uint8Array<ArrayBuffer>, hash: string, extractable: boolean, given: string[]) {
    this.#bytes = bytes;
    this.#hash = hash;
    this.#extractable = extractable;
    this.#usages = given;
  }
  get type(): string {
    return "secret";
  }
  get extractable(): boolean {
    return this.#extractable;
  }
  get algorithm(): object {
    return { name: "HMAC", hash: { name: this.#hash }, length: this.#bytes.byteLength * 8 };
  }
  get usages(): string[] {
    return [...this.#usages];
  }
  static isInstance(value: unknown): value is CryptoKey {
    return typeof value === "object" && value !== null && #bytes in value;
  }
  static bytesOf(key: CryptoKey): Uint8Array<ArrayBuffer> {
    return key.#bytes;
  }
  static sign(key: unknown, usage: string, data: BufferSource): Uint8Array<ArrayBuffer> {
    if (!CryptoKey.isInstance(key)) throw new TypeError("The provided value is not of type 'CryptoKey'.");
    if (!key.#usages.includes(usage)) {
      throw new DOMException("key.usages does not permit this operation", "InvalidAccessError");
    }
    return native.hmac(key.#hash, key.#bytes, bytesOf(data));
  }
}
defineInterface(CryptoKey, { name: "CryptoKey" });

function toUsages(given: unknown): string[] {
  const list = sequence(DOMString)(given);
  if (list.some((usage) => !usages.includes(usage))) {
    throw new DOMException("Cannot create a key using the specified key usages.", "SyntaxError");
  }
  if (list.length === 0) throw new DOMException("Usages cannot be empty when creating a key.", "SyntaxError");
  return usages.filter((usage) => list.includes(usage));
}
const encodeBase64Url = (bytes: Uint8Array): string =>
  encodeBytesBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const decodeBase64Url = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = decodeBase64(text.replace(/-/g, "+").replace(/_/g, "/"));
  if (!bytes) throw new DOMException('The JWK member "k" could not be base64url decoded', "DataError");
  return bytes;
};

export class SubtleCrypto {
  #brand = true;
  async digest(algorithm: unknown, data: BufferSource): Promise<ArrayBuffer> {
    return native.digest(hashName(algorithm), bytesOf(data)).buffer;
  }
  async generateKey(algorithm: unknown, extractable: boolean, keyUsages: unknown): Promise<CryptoKey> {
    const given = requireHmac(algorithm);
    const hash = hashName(given["hash"]);
    const bits = given["length"] === undefined ? blockBits[hash]! : unsignedLong.enforceRange(given["length"]);
    if (bits === 0) throw new DOMException("HMAC key length must not be zero", "OperationError");
    const bytes = new Uint8Array(Math.ceil(bits / 8));
    native.randomFill(bytes);
    return new CryptoKey(bytes, hash, extractable, toUsages(keyUsages));
  }
  async importKey(
    format: string,
    keyData: unknown,
    algorithm: unknown,
    extractable: boolean,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    const hash = hashName(requireHmac(algorithm)["hash"]);
    let bytes: Uint8Array<ArrayBuffer>;
    if (format === "raw") {
      bytes = bytesOf(bufferSource(keyData)).slice();
    } else if (format === "jwk") {
      const { kty, k } = toDictionary(keyData, "JsonWebKey");
      if (kty !== "oct" || typeof k !== "string") {
        throw new DOMException('The JWK "kty" member was not "oct"', "DataError");
      }
      bytes = decodeBase64Url(k);
    } else {
      throw new DOMException("Unable to import HMAC key in this format", "NotSupportedError");
    }
    if (bytes.byteLength === 0) throw new DOMException("HMAC key data must not be empty", "DataError");
    return new CryptoKey(bytes, hash, extractable, toUsages(keyUsages));
  }
  async exportKey(format: string, key: unknown): Promise<unknown> {
    if (!CryptoKey.isInstance(key)) throw new TypeError("The provided value is not of type 'CryptoKey'.");
    if (!key.extractable) throw new DOMException("key is not extractable", "InvalidAccessError");
    const bytes = CryptoKey.bytesOf(key);
    if (format === "raw") return bytes.slice().buffer;
    if (format !== "jwk") throw new DOMException("Unable to export HMAC key in this format", "NotSupportedError");
    const { hash } = key.algorithm as { hash: { name: string } };
    return { alg: `HS${hash.name.slice(4)}`, ext: true, k: encodeBase64Url(bytes), key_ops: key.usages, kty: "oct" };
  }
  async sign(algorithm: unknown, key: unknown, data: BufferSource): Promise<ArrayBuffer> {
    requireHmac(algorithm);
    return CryptoKey.sign(key, "sign", data).buffer;
  }
  async verify(algorithm: unknown, key: unknown, signature: BufferSource, data: BufferSource): Promise<boolean> {
    requireHmac(algorithm);
    const expected = CryptoKey.sign(key, "verify", data);
    const given = bytesOf(signature);
    // No early exit: the time must not tell where the first difference is.
    let difference = expected.byteLength ^ given.byteLength;
    for (let i = 0; i < expected.byteLength; ++i) difference |= expected[i]! ^ (given[i] ?? 0);
    return difference === 0;
  }
  async encrypt(algorithm: unknown, _key: unknown, _data: unknown): Promise<never> {
    throw notSupported(algorithmName(algorithm).name);
  }
  async decrypt(algorithm: unknown, _key: unknown, _data: unknown): Promise<never> {
    throw notSupported(algorithmName(algorithm).name);
  }
  async deriveBits(algorithm: unknown, _key: unknown, _length: unknown = null): Promise<never> {
    throw notSupported(algorithmName(algorithm).name);
  }
  async deriveKey(
    algorithm: unknown,
    _key: unknown,
    _type: unknown,
    _extractable: unknown,
    _usages: unknown,
  ): Promise<never> {
    throw notSupported(algorithmName(algorithm).name);
  }
  static isInstance(value: unknown): value is SubtleCrypto {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(SubtleCrypto, {
  name: "SubtleCrypto",
  operations: {
    digest: [any, bufferSource],
    generateKey: [any, boolean, any],
    importKey: [DOMString, any, any, boolean, any],
    exportKey: [DOMString, any],
    sign: [any, any, bufferSource],
    verify: [any, any, bufferSource, bufferSource],
  },
});

const integerArrays = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "BigInt64Array",
  "BigUint64Array",
];
export class Crypto {
  #subtle = new SubtleCrypto();
  get subtle(): SubtleCrypto {
    return this.#subtle;
  }
  getRandomValues<T extends ArrayBufferView<ArrayBuffer>>(array: T): T {
    if (!ArrayBuffer.isView(array)) {
      throw new TypeError(
        "Failed to execute 'getRandomValues' on 'Crypto': parameter 1 is not of type 'ArrayBufferView'.",
      );
    }
    const kind = (array as unknown as Record<symbol, string>)[Symbol.toStringTag]!;
    if (!integerArrays.includes(kind)) {
      throw new DOMException(
        `Failed to execute 'getRandomValues' on 'Crypto': The provided ArrayBufferView is of type '${kind}', which is not an integer array type.`,
        "TypeMismatchError",
      );
    }
    if (array.byteLength > 65536) {
      throw new DOMException(
        `Failed to execute 'getRandomValues' on 'Crypto': The ArrayBufferView's byte length (${array.byteLength}) exceeds the number of bytes of entropy available via this API (65536).`,
        "QuotaExceededError",
      );
    }
    native.randomFill(bytesOf(array));
    return array;
  }
  randomUUID(): string {
    return uuid();
  }
  static isInstance(value: unknown): value is Crypto {
    return typeof value === "object" && value !== null && #subtle in value;
  }
}
defineInterface(Crypto, { name: "Crypto" });
