// Web Cryptography §14: SubtleCrypto. What a method is given is converted, normalized and copied when it is called;
// the operation runs as a task of its own, in the order of calls.
import { type KeyFormat, normalize, operationsOf } from "./crypto_algorithms.ts";
import "./crypto_curves.ts";
import { type JsonWebKey, parseJsonWebKey, serializeJsonWebKey, toJsonWebKey } from "./crypto_jwk.ts";
import "./crypto_kdf.ts";
import { type Bytes, CryptoKey, type CryptoKeyPair, type KeyUsage, keyUsages, raise, usageBits } from "./crypto_key.ts";
import "./crypto_lattice.ts";
import { exportKey, importKey, inParallel, normalizeEither, operation, requireUse } from "./crypto_operations.ts";
import { requireKeyUsages } from "./crypto_pairs.ts";
import "./crypto_rsa.ts";
import { supports } from "./crypto_supports.ts";
import "./crypto_symmetric.ts";
import { native } from "./native.ts";
import {
  any,
  bareError,
  boolean,
  type BufferSource,
  bufferSource,
  converter,
  defineInterface,
  DOMString,
  enumeration,
  instance,
  isBufferSource,
  nullable,
  toDictionary,
  unsignedLong,
} from "./webidl.ts";

export class SubtleCrypto {
  #brand = true;
  encrypt(algorithm: unknown, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    return this.#crypt("encrypt", algorithm, key, data);
  }
  decrypt(algorithm: unknown, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    return this.#crypt("decrypt", algorithm, key, data);
  }
  sign(algorithm: unknown, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    return this.#crypt("sign", algorithm, key, data);
  }
  #crypt(method: "encrypt" | "decrypt" | "sign", given: unknown, key: CryptoKey, data: BufferSource) {
    const algorithm = normalize(method, method, given);
    const bytes = native.crypto.copy(data);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, method);
      return operation(algorithm.name, method)(algorithm, slots, bytes).buffer;
    });
  }
  verify(given: unknown, key: CryptoKey, signature: BufferSource, data: BufferSource): Promise<boolean> {
    const algorithm = normalize("verify", "verify", given);
    const signatureBytes = native.crypto.copy(signature);
    const bytes = native.crypto.copy(data);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, "verify");
      return operation(algorithm.name, "verify")(algorithm, slots, signatureBytes, bytes);
    });
  }
  digest(given: unknown, data: BufferSource): Promise<ArrayBuffer> {
    const algorithm = normalize("digest", "digest", given);
    const bytes = native.crypto.copy(data);
    return inParallel(() => operation(algorithm.name, "digest")(algorithm, bytes).buffer);
  }
  generateKey(given: unknown, extractable: boolean, usages: KeyUsage[]): Promise<CryptoKey | CryptoKeyPair> {
    const algorithm = normalize("generateKey", "generateKey", given);
    return inParallel(() => {
      const request = { algorithm, extractable, usages: usageBits(usages) };
      const result = operation(algorithm.name, "generateKey")(request);
      if (CryptoKey.isInstance(result)) requireKeyUsages(request.usages);
      return result;
    });
  }
  deriveKey(
    given: unknown,
    baseKey: CryptoKey,
    derivedKeyType: unknown,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey> {
    const algorithm = normalize("deriveKey", "deriveBits", given);
    const derived = normalize("deriveKey", "importKey", derivedKeyType);
    const sized = normalize("deriveKey", "getKeyLength", derivedKeyType);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(baseKey);
      requireUse(algorithm, slots, "deriveKey");
      const length = operation(sized.name, "getKeyLength")(sized);
      const data = operation(algorithm.name, "deriveBits")(algorithm, slots, length);
      return importKey({ format: "raw", data, algorithm: derived, extractable, usages: usageBits(usages) });
    });
  }
  deriveBits(given: unknown, baseKey: CryptoKey, length: number | null): Promise<ArrayBuffer> {
    const algorithm = normalize("deriveBits", "deriveBits", given);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(baseKey);
      requireUse(algorithm, slots, "deriveBits");
      return operation(algorithm.name, "deriveBits")(algorithm, slots, length).buffer;
    });
  }
  importKey(
    format: KeyFormat,
    keyData: BufferSource | JsonWebKey,
    given: unknown,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey> {
    const algorithm = normalize("importKey", "importKey", given);
    const isBytes = isBufferSource(keyData);
    if (isBytes && format === "jwk") throw bareError("Key data must be an object for JWK import");
    if (!isBytes && format !== "jwk") throw bareError("Key data must be a BufferSource for non-JWK formats");
    const data = isBytes ? native.crypto.copy(keyData) : keyData;
    return inParallel(() => importKey({ format, data, algorithm, extractable, usages: usageBits(usages) }));
  }
  exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey> {
    return inParallel(() => {
      const exported = exportKey(format, CryptoKey.slotsOf(key));
      return format === "jwk" ? (exported as JsonWebKey) : (exported as Bytes).buffer;
    });
  }
  wrapKey(format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey, given: unknown): Promise<ArrayBuffer> {
    const { algorithm, run } = normalizeEither("wrapKey", "encrypt", given);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(wrappingKey);
      requireUse(algorithm, slots, "wrapKey");
      const exported = exportKey(format, CryptoKey.slotsOf(key));
      const bytes = format === "jwk" ? serializeJsonWebKey(exported as JsonWebKey) : (exported as Bytes);
      return run(algorithm, slots, bytes).buffer;
    });
  }
  unwrapKey(
    format: KeyFormat,
    wrappedKey: BufferSource,
    unwrappingKey: CryptoKey,
    given: unknown,
    unwrappedKeyAlgorithm: unknown,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey> {
    const { algorithm, run } = normalizeEither("unwrapKey", "decrypt", given);
    const unwrapped = normalize("unwrapKey", "importKey", unwrappedKeyAlgorithm);
    const wrapped = native.crypto.copy(wrappedKey);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(unwrappingKey);
      requireUse(algorithm, slots, "unwrapKey");
      const bytes = run(algorithm, slots, wrapped);
      const data = format === "jwk" ? parseJsonWebKey(bytes) : bytes;
      return importKey({ format, data, algorithm: unwrapped, extractable, usages: usageBits(usages) });
    });
  }
  getPublicKey(key: CryptoKey, usages: KeyUsage[]): Promise<CryptoKey> {
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      const run = operationsOf(slots.algorithm.name).getPublicKey;
      if (!run) raise("NotSupportedError", `${slots.algorithm.name}: Unsupported operation: getPublicKey`);
      return run(slots, usageBits(usages));
    });
  }
  encapsulateBits(given: unknown, key: CryptoKey): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }> {
    const algorithm = normalize("encapsulateBits", "encapsulate", given);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, "encapsulateBits");
      const { sharedKey, ciphertext } = operation(algorithm.name, "encapsulate")(slots);
      return { sharedKey: sharedKey.buffer, ciphertext: ciphertext.buffer };
    });
  }
  encapsulateKey(
    given: unknown,
    key: CryptoKey,
    sharedKeyAlgorithm: unknown,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<{ sharedKey: CryptoKey; ciphertext: ArrayBuffer }> {
    const algorithm = normalize("encapsulateKey", "encapsulate", given);
    const shared = normalize("encapsulateKey", "importKey", sharedKeyAlgorithm);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, "encapsulateKey");
      const { sharedKey: data, ciphertext } = operation(algorithm.name, "encapsulate")(slots);
      const request = { algorithm: shared, extractable, usages: usageBits(usages) };
      return { sharedKey: importKey({ format: "raw-secret", data, ...request }), ciphertext: ciphertext.buffer };
    });
  }
  decapsulateBits(given: unknown, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer> {
    const algorithm = normalize("decapsulateBits", "decapsulate", given);
    const capsule = native.crypto.copy(ciphertext);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, "decapsulateBits");
      return operation(algorithm.name, "decapsulate")(slots, capsule).buffer;
    });
  }
  decapsulateKey(
    given: unknown,
    key: CryptoKey,
    ciphertext: BufferSource,
    sharedKeyAlgorithm: unknown,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey> {
    const algorithm = normalize("decapsulateKey", "decapsulate", given);
    const shared = normalize("decapsulateKey", "importKey", sharedKeyAlgorithm);
    const capsule = native.crypto.copy(ciphertext);
    return inParallel(() => {
      const slots = CryptoKey.slotsOf(key);
      requireUse(algorithm, slots, "decapsulateKey");
      const data = operation(algorithm.name, "decapsulate")(slots, capsule);
      return importKey({ format: "raw-secret", data, algorithm: shared, extractable, usages: usageBits(usages) });
    });
  }
  static supports(method: string, algorithm: unknown, more: unknown): boolean {
    return supports(method, algorithm, more);
  }
  static isInstance(value: unknown): value is SubtleCrypto {
    return typeof value === "object" && value !== null && #brand in value;
  }
}

const cryptoKey = instance("CryptoKey", () => CryptoKey);
const keyFormat = enumeration<KeyFormat>("KeyFormat", [
  ...["raw", "pkcs8", "spki", "jwk", "raw-public", "raw-secret", "raw-seed"] as const,
]);
const keyData = converter((value): BufferSource | JsonWebKey =>
  isBufferSource(value) ? value : toJsonWebKey(toDictionary(value, "JsonWebKey"))
);
const operations = {
  encrypt: [any, cryptoKey, bufferSource],
  decrypt: [any, cryptoKey, bufferSource],
  sign: [any, cryptoKey, bufferSource],
  verify: [any, cryptoKey, bufferSource, bufferSource],
  digest: [any, bufferSource],
  generateKey: [any, boolean, keyUsages],
  deriveKey: [any, cryptoKey, any, boolean, keyUsages],
  deriveBits: [any, cryptoKey, nullable(unsignedLong).optional(null)],
  importKey: [keyFormat, keyData, any, boolean, keyUsages],
  exportKey: [keyFormat, cryptoKey],
  wrapKey: [keyFormat, cryptoKey, cryptoKey, any],
  unwrapKey: [keyFormat, bufferSource, cryptoKey, any, any, boolean, keyUsages],
  getPublicKey: [cryptoKey, keyUsages],
  encapsulateBits: [any, cryptoKey],
  encapsulateKey: [any, cryptoKey, any, boolean, keyUsages],
  decapsulateBits: [any, cryptoKey, bufferSource],
  decapsulateKey: [any, cryptoKey, bufferSource, any, boolean, keyUsages],
};
defineInterface(SubtleCrypto, {
  name: "SubtleCrypto",
  operations,
  promises: Object.keys(operations),
  statics: { supports: [DOMString, any, any.optional()] },
});
