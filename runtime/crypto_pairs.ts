// What the algorithms with a public and a private key have in common.
import { type Algorithm, type ImportRequest, type KeyFormat, type KeyRequest } from "./crypto_algorithms.ts";
import { checkPermissions, checkType, exportedJwk, type JsonWebKey } from "./crypto_jwk.ts";
import {
  type Bytes,
  CryptoKey,
  type CryptoKeyPair,
  type KeyAlgorithm,
  type KeySlots,
  type KeyType,
  raise,
  requireUsages,
} from "./crypto_key.ts";
import { native } from "./native.ts";

export interface PairUsages {
  publicUsages: number;
  privateUsages: number;
}

export function generatePair(
  { extractable, usages }: KeyRequest,
  { publicUsages, privateUsages }: PairUsages,
  kind: string,
  algorithm: KeyAlgorithm,
): CryptoKeyPair {
  requireKeyUsages(usages & privateUsages);
  const halves = native.crypto.generateKeyPair(kind, algorithm.modulusLength, algorithm.publicExponent);
  if (!halves) raise("OperationError");
  const half = (type: KeyType, isExtractable: boolean, allowed: number, bytes: Bytes) =>
    new CryptoKey({ type, extractable: isExtractable, algorithm, usages: usages & allowed, bytes });
  return {
    publicKey: half("public", true, publicUsages, halves[0]),
    privateKey: half("private", extractable, privateUsages, halves[1]),
  };
}
export function requireKeyUsages(usages: number): void {
  if (usages === 0) raise("SyntaxError", "Usages cannot be empty when creating a key.");
}

// The half that is imported: the structures say which it is, a JSON Web Key with the secret member is a private one.
export function isPrivateImport({ format, data }: ImportRequest, secretMember: "d" | "priv" = "d"): boolean {
  if (format === "jwk") return (data as JsonWebKey)[secretMember] !== undefined;
  return format === "pkcs8" || format === "raw-seed";
}
export function isRaw(format: KeyFormat): boolean {
  return format === "raw" || format === "raw-public";
}
export function checkPairUsages(
  request: ImportRequest,
  { publicUsages, privateUsages }: PairUsages,
  isPrivate = isPrivateImport(request),
): void {
  requireUsages(request.usages, isPrivate ? privateUsages : publicUsages);
}
export function checkJwk({ data, extractable, usages }: ImportRequest, type: string, use: string): JsonWebKey {
  checkType(data as JsonWebKey, type);
  checkPermissions(data as JsonWebKey, use, extractable, usages);
  return data as JsonWebKey;
}
export function requireKey(bytes: Bytes | undefined): Bytes {
  if (!bytes) raise("DataError");
  return bytes;
}
// SubjectPublicKeyInfo or PKCS #8.
export function readStructure(request: ImportRequest, kind: string): Bytes {
  if (request.format !== "spki" && request.format !== "pkcs8") unsupportedFormat("import");
  return requireKey(native.crypto.readKey(kind, request.format === "pkcs8", request.data as Bytes));
}
export function importedKey(
  request: ImportRequest,
  algorithm: KeyAlgorithm,
  bytes: Bytes,
  isPrivate = isPrivateImport(request),
): CryptoKey {
  const { extractable, usages } = request;
  const type = isPrivate ? "private" : "public";
  return new CryptoKey({ type, extractable, algorithm, usages, bytes });
}
export function unsupportedFormat(operation: "import" | "export"): never {
  raise("NotSupportedError", `Unsupported ${operation} key format for algorithm`);
}

export function requireType(key: KeySlots, type: KeyType): void {
  if (key.type !== type) raise("InvalidAccessError", "The requested operation is not valid for the provided key");
}
export function partsOf(kind: string, key: KeySlots): Bytes[] {
  const parts = native.crypto.partsOfKey(kind, key.type === "private", key.bytes);
  if (!parts) raise("OperationError");
  return parts;
}
// A structure or raw key; what JSON Web Keys have is the algorithm's own.
export function exportPair(
  format: KeyFormat,
  key: KeySlots,
  kind: string,
  membersOf: (parts: Bytes[]) => JsonWebKey,
): Bytes | JsonWebKey {
  if (format === "jwk") return exportedJwk(key, membersOf(partsOf(kind, key)));
  requireType(key, format === "pkcs8" ? "private" : "public");
  return isRaw(format) ? partsOf(kind, key)[0]! : native.crypto.copy(key.bytes);
}
export function publicHalf(kind: string, key: KeySlots, usages: number, { publicUsages }: PairUsages): CryptoKey {
  requireType(key, "private");
  requireUsages(usages, publicUsages);
  const bytes = native.crypto.publicKeyOf(kind, key.bytes);
  if (!bytes) raise("OperationError");
  return new CryptoKey({ type: "public", extractable: true, algorithm: key.algorithm, usages, bytes });
}

// The parameter: the length of the salt of RSA-PSS, the context of ML-DSA.
export function signWith(kind: string, key: KeySlots, hash: string, data: Bytes, parameter?: number | Bytes): Bytes {
  requireType(key, "private");
  const signature = native.crypto.sign(kind, key.bytes, hash, parameter, data);
  if (!signature) raise("OperationError");
  return signature;
}
export function verifyWith(
  kind: string,
  key: KeySlots,
  hash: string,
  data: Bytes,
  signature: Bytes,
  parameter?: number | Bytes,
): boolean {
  requireType(key, "public");
  return native.crypto.verify(kind, key.bytes, hash, parameter, data, signature);
}
// ECDH and X25519
export function agree(kind: string, algorithm: Algorithm, key: KeySlots, length: number | null): Bytes {
  requireType(key, "private");
  const other = CryptoKey.slotsOf(algorithm.public!);
  requireType(other, "public");
  if (other.algorithm.name !== key.algorithm.name || other.algorithm.namedCurve !== key.algorithm.namedCurve) {
    raise("InvalidAccessError", "The public parameter's algorithm or curve is not that of the base key");
  }
  const secret = native.crypto.agree(kind, key.bytes, other.bytes);
  if (!secret) raise("OperationError");
  checkSecretLength(native.crypto.sizeOf(secret) * 8, length);
  return length === null ? secret : native.crypto.firstBits(secret, length);
}
export function checkSecretLength(most: number, length: number | null): void {
  if (length !== null && length > most) {
    raise("OperationError", "The length provided for the derived bits is too large");
  }
}
