// Web Cryptography §23–§26: ECDSA, ECDH, Ed25519 and X25519.
import {
  type Algorithm,
  hashOf,
  identifier,
  type ImportRequest,
  type Operations,
  read,
  register,
  type Registration,
} from "./crypto_algorithms.ts";
import { checkAlgorithm, inconsistent, type JsonWebKey, requireBytes } from "./crypto_jwk.ts";
import {
  type Bytes,
  CryptoKey,
  type KeyAlgorithm,
  type KeySlots,
  raise,
  requireUsages,
  Usage,
} from "./crypto_key.ts";
import {
  agree,
  checkJwk,
  checkPairUsages,
  checkSecretLength,
  exportPair,
  generatePair,
  importedKey,
  isPrivateImport,
  isRaw,
  type PairUsages,
  publicHalf,
  readStructure,
  requireKey,
  signWith,
  verifyWith,
} from "./crypto_pairs.ts";
import { native } from "./native.ts";
import { bareError, DOMString } from "./webidl.ts";

const signing = { publicUsages: Usage.verify, privateUsages: Usage.sign };
const agreeing = { publicUsages: 0, privateUsages: Usage.deriveKey | Usage.deriveBits };
type KeyOperations = Pick<Operations, "generateKey" | "importKey" | "exportKey" | "getPublicKey">;
type Given = Record<string, unknown>;
const useOf = (usages: PairUsages) => (usages === signing ? "sig" : "enc");

// RFC 7518 §6.2, RFC 8037 §2: these members have the size of the field, leading zeros and all.
function requireSized(jwk: JsonWebKey, name: "x" | "y" | "d", size: number): Bytes {
  const bytes = requireBytes(jwk, name);
  const given = native.crypto.sizeOf(bytes);
  if (given !== size) {
    const expected = `an octet string of length ${given} bytes but should be ${size}`;
    raise("DataError", `The JWK's "${name}" member defines ${expected}`);
  }
  return bytes;
}

// ------------------------------------------------------------------------------------------------- NIST curves
const curveBytes: Record<string, number> = { "P-256": 32, "P-384": 48, "P-521": 66 };
const signatureNames: Record<string, string> = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

function requireCurve(name: string): string {
  if (!Object.hasOwn(curveBytes, name)) raise("NotSupportedError", "Unrecognized namedCurve");
  return name;
}
function curveBytesOf(request: ImportRequest, usages: PairUsages): Bytes {
  const curve = request.algorithm.namedCurve!;
  if (isRaw(request.format)) return requireKey(native.crypto.keyFromParts(curve, false, [request.data as Bytes]));
  if (request.format !== "jwk") return readStructure(request, curve);
  const jwk = checkJwk(request, "EC", useOf(usages));
  if (jwk.crv !== curve) inconsistent("crv");
  if (usages === signing) checkAlgorithm(jwk, signatureNames[curve]!);
  const size = curveBytes[curve]!;
  const point = native.crypto.pointOf(requireSized(jwk, "x", size), requireSized(jwk, "y", size));
  if (!isPrivateImport(request)) return requireKey(native.crypto.keyFromParts(curve, false, [point]));
  return requireKey(native.crypto.keyFromParts(curve, true, [point, requireSized(jwk, "d", size)]));
}
function curveKeys(usages: PairUsages): KeyOperations {
  return {
    generateKey(request) {
      requireUsages(request.usages, usages.publicUsages | usages.privateUsages);
      const { name, namedCurve } = request.algorithm;
      return generatePair(request, usages, requireCurve(namedCurve!), { name, namedCurve: namedCurve! });
    },
    importKey(request) {
      const { name, namedCurve } = request.algorithm;
      requireCurve(namedCurve!);
      checkPairUsages(request, usages);
      return importedKey(request, { name, namedCurve: namedCurve! }, curveBytesOf(request, usages));
    },
    exportKey(format, key) {
      const curve = key.algorithm.namedCurve!;
      const size = curveBytes[curve]!;
      return exportPair(format, key, curve, (parts) => {
        const jwk: JsonWebKey = { crv: curve, kty: "EC" };
        jwk.x = native.crypto.toBase64Url(parts[0]!, 1, 1 + size);
        jwk.y = native.crypto.toBase64Url(parts[0]!, 1 + size);
        if (key.type === "private") jwk.d = native.crypto.toBase64Url(parts[1]!);
        return jwk;
      });
    },
    getPublicKey: (key, given) => publicHalf(key.algorithm.namedCurve!, key, given, usages),
  };
}
const curveParameters: Registration["parameters"] = {
  generateKey: (given: Given) => ({ namedCurve: read(given, "EcKeyGenParams", "namedCurve", DOMString) }),
  importKey: (given: Given) => ({ namedCurve: read(given, "EcKeyImportParams", "namedCurve", DOMString) }),
};
const checkCurve = ({ namedCurve }: Algorithm) => void requireCurve(namedCurve!);
const curveChecks = { generateKey: checkCurve, importKey: checkCurve };
const peerCurve = (algorithm: Algorithm) => CryptoKey.slotsOf(algorithm.public!).algorithm.namedCurve ?? "P-256";
const readHash = (given: Given, method: string) => ({
  hash: hashOf(method, read(given, "EcdsaParams", "hash", identifier)),
});
const readPeer = (given: Given) => ({ public: read(given, "EcdhKeyDeriveParams", "public", cryptoKey) });
function cryptoKey(value: unknown): CryptoKey {
  if (!CryptoKey.isInstance(value)) throw bareError("Not a CryptoKey");
  return value;
}

register("ECDSA", {
  ...curveKeys(signing),
  sign: ({ hash }, key, data) => signWith(key.algorithm.namedCurve!, key, hash!, data),
  verify: ({ hash }, key, signature, data) => verifyWith(key.algorithm.namedCurve!, key, hash!, data, signature),
}, { ...curveParameters, sign: readHash, verify: readHash }, curveChecks);
register("ECDH", {
  ...curveKeys(agreeing),
  deriveBits: (algorithm, key, length) => agree(key.algorithm.namedCurve!, algorithm, key, length),
}, { ...curveParameters, deriveBits: readPeer }, {
  ...curveChecks,
  deriveBits: (algorithm, length) => checkSecretLength(8 * curveBytes[peerCurve(algorithm)]!, length),
});

// ------------------------------------------------------------------------------------------------- RFC 8032, 7748
const edwardsBytes = 32;
function edwardsBytesOf(request: ImportRequest, usages: PairUsages): Bytes {
  const { name } = request.algorithm;
  if (isRaw(request.format)) return requireKey(native.crypto.keyFromParts(name, false, [request.data as Bytes]));
  if (request.format !== "jwk") return readStructure(request, name);
  const jwk = checkJwk(request, "OKP", useOf(usages));
  if (jwk.crv !== name) inconsistent("crv");
  if (usages === signing) checkAlgorithm(jwk, "Ed25519", "EdDSA");
  const x = requireSized(jwk, "x", edwardsBytes);
  if (!isPrivateImport(request)) return requireKey(native.crypto.keyFromParts(name, false, [x]));
  return requireKey(native.crypto.keyFromParts(name, true, [x, requireSized(jwk, "d", edwardsBytes)]));
}
function edwardsKeys(usages: PairUsages): KeyOperations {
  return {
    generateKey(request) {
      requireUsages(request.usages, usages.publicUsages | usages.privateUsages);
      const algorithm: KeyAlgorithm = { name: request.algorithm.name };
      return generatePair(request, usages, algorithm.name, algorithm);
    },
    importKey(request) {
      checkPairUsages(request, usages);
      return importedKey(request, { name: request.algorithm.name }, edwardsBytesOf(request, usages));
    },
    exportKey: (format, key) => exportPair(format, key, key.algorithm.name, (parts) => edwardsMembers(key, parts)),
    getPublicKey: (key, given) => publicHalf(key.algorithm.name, key, given, usages),
  };
}
function edwardsMembers(key: KeySlots, parts: Bytes[]): JsonWebKey {
  const { name } = key.algorithm;
  const jwk: JsonWebKey = { crv: name, kty: "OKP", x: native.crypto.toBase64Url(parts[0]!) };
  if (name === "Ed25519") jwk.alg = name;
  if (key.type === "private") jwk.d = native.crypto.toBase64Url(parts[1]!);
  return jwk;
}
register("Ed25519", {
  ...edwardsKeys(signing),
  sign: (_algorithm, key, data) => signWith("Ed25519", key, "", data),
  verify: (_algorithm, key, signature, data) => verifyWith("Ed25519", key, "", data, signature),
});
register("X25519", {
  ...edwardsKeys(agreeing),
  deriveBits: (algorithm, key, length) => agree("X25519", algorithm, key, length),
}, { deriveBits: readPeer }, { deriveBits: (_algorithm, length) => checkSecretLength(8 * edwardsBytes, length) });
