// Web Cryptography §20–§22: RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP.
import {
  type Algorithm,
  buffer,
  hashOf,
  identifier,
  type ImportRequest,
  optional,
  type Operations,
  read,
  register,
  type Registration,
} from "./crypto_algorithms.ts";
import { checkAlgorithm, type JsonWebKey, requireBytes } from "./crypto_jwk.ts";
import { type Bytes, type CryptoKey, type KeySlots, raise, requireUsages, Usage } from "./crypto_key.ts";
import {
  checkJwk,
  checkPairUsages,
  exportPair,
  generatePair,
  importedKey,
  isPrivateImport,
  isRaw,
  type PairUsages,
  publicHalf,
  readStructure,
  requireKey,
  requireType,
  signWith,
  unsupportedFormat,
  verifyWith,
} from "./crypto_pairs.ts";
import { native } from "./native.ts";
import { bareError, typedArrayType, unsignedLong } from "./webidl.ts";

const kind = "RSA";
const publicMembers = ["n", "e"] as const;
const privateMembers = [...publicMembers, "d", "p", "q", "dp", "dq", "qi"] as const;
const nothing = new Uint8Array(0);

// What the member alg says for a hash.
type NameOf = (hash: string) => string;
const numbered = (prefix: string): NameOf => (hash) => `${prefix}${hash.slice(4)}`;
const oaepName: NameOf = (hash) => (hash === "SHA-1" ? "RSA-OAEP" : `RSA-OAEP-${hash.slice(4)}`);

function bitsOf(number: Bytes): number {
  return native.crypto.sizeOf(number) * 8 - (Math.clz32(number[0] ?? 0) - 24);
}
// Browsers make keys for the exponents 3 and 65537 only, and of sizes that are whole bytes.
function isUsualExponent(exponent: Bytes): boolean {
  let value = 0;
  for (let i = 0; i < native.crypto.sizeOf(exponent); ++i) value = Math.min(value * 256 + exponent[i]!, 2 ** 40);
  return value === 3 || value === 65537;
}

function checkGeneration({ modulusLength: bits, publicExponent }: Algorithm): void {
  if (bits! < 256 || bits! > 16384 || bits! % 8 !== 0) {
    raise("OperationError", "The modulus length must be a multiple of 8 bits and >= 256 and <= 16384");
  }
  if (!isUsualExponent(publicExponent!)) raise("OperationError", "The public exponent must be either 3 or 65537");
}
const checks = { generateKey: checkGeneration };

function bytesOf(request: ImportRequest, nameOf: NameOf, use: string): Bytes {
  if (request.format !== "jwk") return readStructure(request, kind);
  const jwk = checkJwk(request, "RSA", use);
  checkAlgorithm(jwk, nameOf(request.algorithm.hash!));
  if (jwk.oth !== undefined) raise("DataError", 'The JWK member "oth" is not supported: RSA keys have two primes');
  const isPrivate = isPrivateImport(request);
  const names = isPrivate ? privateMembers : publicMembers;
  const parts: Bytes[] = [];
  for (let i = 0; i < names.length; ++i) parts[i] = requireBytes(jwk, names[i]!);
  return requireKey(native.crypto.keyFromParts(kind, isPrivate, parts));
}
function importRsa(request: ImportRequest, usages: PairUsages, nameOf: NameOf): CryptoKey {
  checkPairUsages(request, usages);
  const bytes = bytesOf(request, nameOf, (usages.publicUsages & Usage.verify) !== 0 ? "sig" : "enc");
  const parts = native.crypto.partsOfKey(kind, isPrivateImport(request), bytes)!;
  const { name, hash } = request.algorithm;
  const algorithm = { name, hash: hash!, modulusLength: bitsOf(parts[0]!), publicExponent: parts[1]! };
  return importedKey(request, algorithm, bytes);
}
function membersOf(key: KeySlots, nameOf: NameOf): (parts: Bytes[]) => JsonWebKey {
  return (parts) => {
    const jwk: JsonWebKey = { alg: nameOf(key.algorithm.hash!), kty: "RSA" };
    const names = key.type === "private" ? privateMembers : publicMembers;
    for (let i = 0; i < names.length; ++i) jwk[names[i]!] = native.crypto.toBase64Url(parts[i]!);
    return jwk;
  };
}

type KeyOperations = "generateKey" | "importKey" | "exportKey" | "getPublicKey";
function rsaKeys(usages: PairUsages, nameOf: NameOf): Pick<Operations, KeyOperations> {
  return {
    generateKey(request) {
      requireUsages(request.usages, usages.publicUsages | usages.privateUsages);
      checkGeneration(request.algorithm);
      const { name, hash, modulusLength, publicExponent } = request.algorithm;
      return generatePair(request, usages, kind, {
        name,
        hash: hash!,
        modulusLength: modulusLength!,
        publicExponent: publicExponent!,
      });
    },
    importKey: (request) => importRsa(request, usages, nameOf),
    exportKey(format, key) {
      if (isRaw(format)) unsupportedFormat("export");
      return exportPair(format, key, kind, membersOf(key, nameOf));
    },
    getPublicKey: (key, given) => publicHalf(kind, key, given, usages),
  };
}
type Given = Record<string, unknown>;
const keyParameters: Registration["parameters"] = {
  generateKey(given: Given, method) {
    const type = "RsaHashedKeyGenParams";
    const modulusLength = read(given, type, "modulusLength", unsignedLong.enforceRange);
    const publicExponent = read(given, type, "publicExponent", bigInteger);
    const hash = hashOf(method, read(given, type, "hash", identifier));
    return { modulusLength, publicExponent, hash };
  },
  importKey: (given: Given, method) => ({
    hash: hashOf(method, read(given, "RsaHashedImportParams", "hash", identifier)),
  }),
};
function bigInteger(value: unknown): Bytes {
  if (typedArrayType(value) !== "Uint8Array") throw bareError("Not a Uint8Array");
  return native.crypto.copy(value as Bytes);
}

const signing = { publicUsages: Usage.verify, privateUsages: Usage.sign };
register("RSASSA-PKCS1-v1_5", {
  ...rsaKeys(signing, numbered("RS")),
  sign: (_algorithm, key, data) => signWith(kind, key, key.algorithm.hash!, data),
  verify: (_algorithm, key, signature, data) => verifyWith(kind, key, key.algorithm.hash!, data, signature),
}, keyParameters, checks);

const readSalt = (given: Given) => ({
  saltLength: read(given, "RsaPssParams", "saltLength", unsignedLong.enforceRange),
});
register("RSA-PSS", {
  ...rsaKeys(signing, numbered("PS")),
  sign: ({ saltLength }, key, data) => signWith(kind, key, key.algorithm.hash!, data, saltLength),
  verify: ({ saltLength }, key, signature, data) =>
    verifyWith(kind, key, key.algorithm.hash!, data, signature, saltLength),
}, { ...keyParameters, sign: readSalt, verify: readSalt }, checks);

function oaep(key: KeySlots, isDecryption: boolean, label: Bytes = nothing, data: Bytes): Bytes {
  requireType(key, isDecryption ? "private" : "public");
  const result = native.crypto.rsaOaep(isDecryption, key.bytes, key.algorithm.hash!, label, data);
  if (!result) raise("OperationError");
  return result;
}
const readLabel = (given: Given) => ({ label: optional(given, "RsaOaepParams", "label", buffer) });
const encrypting = {
  publicUsages: Usage.encrypt | Usage.wrapKey,
  privateUsages: Usage.decrypt | Usage.unwrapKey,
};
register("RSA-OAEP", {
  ...rsaKeys(encrypting, oaepName),
  encrypt: ({ label }, key, data) => oaep(key, false, label, data),
  decrypt: ({ label }, key, data) => oaep(key, true, label, data),
}, { ...keyParameters, encrypt: readLabel, decrypt: readLabel }, checks);
