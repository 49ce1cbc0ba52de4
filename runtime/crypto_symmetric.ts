// Web Cryptography §27–§31: AES in its modes, and HMAC.
import {
  type Algorithm,
  buffer,
  hashOf,
  identifier,
  type ImportRequest,
  type KeyFormat,
  type KeyRequest,
  type Operations,
  optional,
  read,
  register,
} from "./crypto_algorithms.ts";
import {
  checkAlgorithm,
  checkPermissions,
  checkType,
  exportedJwk,
  type JsonWebKey,
  requireBytes,
} from "./crypto_jwk.ts";
import { type Bytes, CryptoKey, type KeyAlgorithm, type KeySlots, raise, requireUsages, Usage } from "./crypto_key.ts";
import { native } from "./native.ts";
import { octet, unsignedLong, unsignedShort } from "./webidl.ts";

function secretKey({ extractable, usages }: KeyRequest, algorithm: KeyAlgorithm, bytes: Bytes): CryptoKey {
  return new CryptoKey({ type: "secret", extractable, algorithm, usages, bytes });
}
function randomBytes(size: number): Bytes {
  const bytes = new Uint8Array(size);
  native.randomFill(bytes);
  return bytes;
}
// The secret that is imported: raw, or the member k.
function secretOf({ format, data }: ImportRequest): Bytes {
  if (format === "raw" || format === "raw-secret") return data as Bytes;
  if (format !== "jwk") raise("NotSupportedError", "Unsupported import key format for algorithm");
  checkType(data as JsonWebKey, "oct");
  return requireBytes(data as JsonWebKey, "k");
}
function exportSecret(format: KeyFormat, key: KeySlots, alg: string): Bytes | JsonWebKey {
  if (format === "raw" || format === "raw-secret") return native.crypto.copy(key.bytes);
  if (format !== "jwk") raise("NotSupportedError", "Unsupported export key format for algorithm");
  return exportedJwk(key, { alg, k: native.crypto.toBase64Url(key.bytes), kty: "oct" });
}

// ------------------------------------------------------------------------------------------------- AES
const none = new Uint8Array(0);
const wrapping = Usage.wrapKey | Usage.unwrapKey;
const everything = Usage.encrypt | Usage.decrypt | wrapping;

function isAesLength(bits: number): boolean {
  return bits === 128 || bits === 192 || bits === 256;
}
function requireAesLength(bits: number): void {
  if (!isAesLength(bits)) raise("OperationError", "AES key length must be 128, 192 or 256 bits");
}
function run(key: KeySlots, isDecryption: boolean, data: Bytes, iv = none, parameter = 0, additional = none): Bytes {
  const { name } = key.algorithm;
  const result = native.crypto.aes(name, isDecryption, key.bytes, iv, parameter, additional, data);
  if (!result) raise("OperationError");
  return result;
}
const tagLengths = [32, 64, 96, 104, 112, 120, 128];
function checkGcm({ tagLength = 128 }: Algorithm): void {
  if (!tagLengths.includes(tagLength)) {
    raise("OperationError", "The tag length is invalid: Must be 32, 64, 96, 104, 112, 120, or 128 bits");
  }
}
function gcm(key: KeySlots, isDecryption: boolean, algorithm: Algorithm, data: Bytes): Bytes {
  checkGcm(algorithm);
  const { tagLength = 128, iv, additionalData } = algorithm;
  return run(key, isDecryption, data, iv, tagLength / 8, additionalData);
}
function requireBlock(block: Bytes, what: string): void {
  if (native.crypto.sizeOf(block) !== 16) {
    raise("OperationError", `The "${what}" has an unexpected length -- must be 16 bytes`);
  }
}
function checkCbc({ iv }: Algorithm): void {
  requireBlock(iv!, "iv");
}
function cbc(key: KeySlots, isDecryption: boolean, algorithm: Algorithm, data: Bytes): Bytes {
  checkCbc(algorithm);
  return run(key, isDecryption, data, algorithm.iv);
}
function checkCtr({ counter, length }: Algorithm): void {
  requireBlock(counter!, "counter");
  if (length! < 1 || length! > 128) raise("OperationError", 'The "length" member must be >= 1 and <= 128');
}
function ctr(key: KeySlots, algorithm: Algorithm, data: Bytes): Bytes {
  checkCtr(algorithm);
  return run(key, false, data, algorithm.counter, algorithm.length);
}

type KeyOperations = Pick<Operations, "generateKey" | "importKey" | "exportKey" | "getKeyLength">;
function aesKeys(usages: number, suffix: string): KeyOperations {
  return {
    generateKey(request) {
      requireUsages(request.usages, usages);
      const { name, length } = request.algorithm;
      requireAesLength(length!);
      return secretKey(request, { name, length: length! }, randomBytes(length! / 8));
    },
    importKey(request) {
      requireUsages(request.usages, usages);
      const bytes = secretOf(request);
      const length = native.crypto.sizeOf(bytes) * 8;
      if (!isAesLength(length)) raise("DataError", "AES key data must be 128, 192 or 256 bits");
      if (request.format === "jwk") {
        checkAlgorithm(request.data as JsonWebKey, `A${length}${suffix}`);
        checkPermissions(request.data as JsonWebKey, "enc", request.extractable, request.usages);
      }
      return secretKey(request, { name: request.algorithm.name, length }, bytes);
    },
    exportKey: (format, key) => exportSecret(format, key, `A${key.algorithm.length}${suffix}`),
    getKeyLength({ length }) {
      requireAesLength(length!);
      return length!;
    },
  };
}
type Given = Record<string, unknown>;
function readLength(type: string) {
  return (given: Given) => ({ length: read(given, type, "length", unsignedShort.enforceRange) });
}
const aesParameters = {
  generateKey: readLength("AesKeyGenParams"),
  getKeyLength: readLength("AesDerivedKeyParams"),
};
const checkLength = ({ length }: Algorithm) => requireAesLength(length!);
const aesChecks = { generateKey: checkLength, getKeyLength: checkLength };
// encrypt and decrypt, and wrapKey and unwrapKey by way of them, take the same parameters.
const bothWays = <T>(reader: T): { encrypt: T; decrypt: T } => ({ encrypt: reader, decrypt: reader });

register("AES-CBC", {
  ...aesKeys(everything, "CBC"),
  encrypt: (algorithm, key, data) => cbc(key, false, algorithm, data),
  decrypt: (algorithm, key, data) => cbc(key, true, algorithm, data),
}, { ...aesParameters, ...bothWays((given: Given) => ({ iv: read(given, "AesCbcParams", "iv", buffer) })) }, {
  ...aesChecks,
  ...bothWays(checkCbc),
});

register("AES-CTR", {
  ...aesKeys(everything, "CTR"),
  encrypt: (algorithm, key, data) => ctr(key, algorithm, data),
  decrypt: (algorithm, key, data) => ctr(key, algorithm, data),
}, {
  ...aesParameters,
  ...bothWays((given: Given) => ({
    counter: read(given, "AesCtrParams", "counter", buffer),
    length: read(given, "AesCtrParams", "length", octet.enforceRange),
  })),
}, { ...aesChecks, ...bothWays(checkCtr) });

register("AES-GCM", {
  ...aesKeys(everything, "GCM"),
  encrypt: (algorithm, key, data) => gcm(key, false, algorithm, data),
  decrypt: (algorithm, key, data) => gcm(key, true, algorithm, data),
}, {
  ...aesParameters,
  ...bothWays((given: Given) => ({
    additionalData: optional(given, "AesGcmParams", "additionalData", buffer),
    iv: read(given, "AesGcmParams", "iv", buffer),
    tagLength: optional(given, "AesGcmParams", "tagLength", octet.enforceRange),
  })),
}, { ...aesChecks, ...bothWays(checkGcm) });

register("AES-KW", {
  ...aesKeys(wrapping, "KW"),
  wrapKey: (_algorithm, key, data) => run(key, false, data),
  unwrapKey: (_algorithm, key, data) => run(key, true, data),
}, aesParameters, aesChecks);

// ------------------------------------------------------------------------------------------------- HMAC
function blockBits(hash: string): number {
  return hash === "SHA-384" || hash === "SHA-512" ? 1024 : 512;
}
function importHmac(request: ImportRequest): CryptoKey {
  requireUsages(request.usages, Usage.sign | Usage.verify);
  const { name, hash, length } = request.algorithm;
  const bytes = secretOf(request);
  if (request.format === "jwk") {
    checkAlgorithm(request.data as JsonWebKey, `HS${hash!.slice(4)}`);
    checkPermissions(request.data as JsonWebKey, "sig", request.extractable, request.usages);
  }
  const bits = native.crypto.sizeOf(bytes) * 8;
  if (bits === 0) raise("DataError", "HMAC key data must not be empty");
  if (length !== undefined && (length > bits || length <= bits - 8)) {
    raise("DataError", "The optional HMAC key length must be shorter than the key data, and by no more than 7 bits.");
  }
  const kept = length ?? bits;
  return secretKey(request, { name, hash: hash!, length: kept }, native.crypto.firstBits(bytes, kept));
}
function checkHmac({ length }: Algorithm): void {
  if (length === 0) raise("OperationError", "HMAC key length must not be zero");
}
function hmacParameters(type: string) {
  return (given: Given, method: string) => {
    const hash = read(given, type, "hash", identifier);
    const length = optional(given, type, "length", unsignedLong.enforceRange);
    return { hash: hashOf(method, hash), length };
  };
}
register("HMAC", {
  generateKey(request) {
    requireUsages(request.usages, Usage.sign | Usage.verify);
    checkHmac(request.algorithm);
    const { name, hash, length = blockBits(hash!) } = request.algorithm;
    const bytes = native.crypto.firstBits(randomBytes(Math.ceil(length / 8)), length);
    return secretKey(request, { name, hash: hash!, length }, bytes);
  },
  importKey: importHmac,
  exportKey: (format, key) => exportSecret(format, key, `HS${key.algorithm.hash!.slice(4)}`),
  sign: (_algorithm, key, data) => native.crypto.hmac(key.algorithm.hash!, key.bytes, data),
  verify: (_algorithm, key, signature, data) =>
    native.crypto.isEqual(native.crypto.hmac(key.algorithm.hash!, key.bytes, data), signature),
  getKeyLength({ hash, length = blockBits(hash!) }) {
    if (length === 0) throw new TypeError("HMAC key length must not be zero");
    return length;
  },
}, {
  generateKey: hmacParameters("HmacKeyGenParams"),
  importKey: hmacParameters("HmacImportParams"),
  getKeyLength: hmacParameters("HmacImportParams"),
}, { generateKey: checkHmac });
