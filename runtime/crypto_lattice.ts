// Modern Algorithms in the Web Cryptography API: ML-DSA (FIPS 204) and ML-KEM (FIPS 203).
import { buffer, type ImportRequest, type Operations, optional, register } from "./crypto_algorithms.ts";
import { checkAlgorithm, type JsonWebKey, requireBytes, requireMember } from "./crypto_jwk.ts";
import { type Bytes, type KeySlots, raise, requireUsages, Usage } from "./crypto_key.ts";
import {
  checkJwk,
  checkPairUsages,
  exportPair,
  generatePair,
  importedKey,
  isPrivateImport,
  type PairUsages,
  partsOf,
  publicHalf,
  readStructure,
  requireKey,
  requireType,
  signWith,
  unsupportedFormat,
  verifyWith,
} from "./crypto_pairs.ts";
import { native } from "./native.ts";

const nothing = new Uint8Array(0);
const signing = { publicUsages: Usage.verify, privateUsages: Usage.sign };
const encapsulating = {
  publicUsages: Usage.encapsulateKey | Usage.encapsulateBits,
  privateUsages: Usage.decapsulateKey | Usage.decapsulateBits,
};

function bytesOf(request: ImportRequest, usages: PairUsages, isPrivate: boolean): Bytes {
  const { format, data, algorithm: { name } } = request;
  if (format === "raw-public") return requireKey(native.crypto.keyFromParts(name, false, [data as Bytes]));
  if (format === "raw-seed") return requireKey(native.crypto.keyFromParts(name, true, [nothing, data as Bytes]));
  if (format !== "jwk") return readStructure(request, name);
  const jwk = checkJwk(request, "AKP", usages === signing ? "sig" : "enc");
  requireMember(jwk, "alg");
  checkAlgorithm(jwk, name);
  const shared = requireBytes(jwk, "pub");
  if (!isPrivate) return requireKey(native.crypto.keyFromParts(name, false, [shared]));
  return requireKey(native.crypto.keyFromParts(name, true, [shared, requireBytes(jwk, "priv")]));
}
function membersOf(key: KeySlots, parts: Bytes[]): JsonWebKey {
  const jwk: JsonWebKey = { alg: key.algorithm.name, kty: "AKP", pub: native.crypto.toBase64Url(parts[0]!) };
  if (key.type === "private") jwk.priv = native.crypto.toBase64Url(parts[1]!);
  return jwk;
}
type KeyOperations = Pick<Operations, "generateKey" | "importKey" | "exportKey" | "getPublicKey">;
function latticeKeys(usages: PairUsages): KeyOperations {
  return {
    generateKey(request) {
      requireUsages(request.usages, usages.publicUsages | usages.privateUsages);
      const { name } = request.algorithm;
      return generatePair(request, usages, name, { name });
    },
    importKey(request) {
      const isPrivate = isPrivateImport(request, "priv");
      checkPairUsages(request, usages, isPrivate);
      return importedKey(request, { name: request.algorithm.name }, bytesOf(request, usages, isPrivate), isPrivate);
    },
    exportKey(format, key) {
      const { name } = key.algorithm;
      if (format === "raw" || format === "raw-secret") unsupportedFormat("export");
      if (format !== "raw-seed") return exportPair(format, key, name, (parts) => membersOf(key, parts));
      requireType(key, "private");
      return partsOf(name, key)[1]!;
    },
    getPublicKey: (key, given) => publicHalf(key.algorithm.name, key, given, usages),
  };
}

const readContext = (given: Record<string, unknown>) => ({
  context: optional(given, "ContextParams", "context", buffer),
});
for (const name of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) {
  register(name, {
    ...latticeKeys(signing),
    sign: ({ context = nothing }, key, data) => signWith(name, key, "", data, context),
    verify: ({ context = nothing }, key, signature, data) => verifyWith(name, key, "", data, signature, context),
  }, { sign: readContext, verify: readContext });
}
for (const name of ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"]) {
  register(name, {
    ...latticeKeys(encapsulating),
    encapsulate(key) {
      requireType(key, "public");
      const made = native.crypto.encapsulate(name, key.bytes);
      if (!made) raise("OperationError");
      return { ciphertext: made[0], sharedKey: made[1] };
    },
    decapsulate(key, ciphertext) {
      requireType(key, "private");
      const secret = native.crypto.decapsulate(name, key.bytes, ciphertext);
      if (!secret) raise("OperationError");
      return secret;
    },
  });
}
