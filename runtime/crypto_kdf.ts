// Web Cryptography §32–§34: digests, HKDF and PBKDF2.
import { type Algorithm, buffer, hashOf, identifier, type ImportRequest, read, register } from "./crypto_algorithms.ts";
import { type Bytes, CryptoKey, type KeySlots, raise, requireUsages, Usage } from "./crypto_key.ts";
import { native } from "./native.ts";
import { unsignedLong } from "./webidl.ts";

const digestBits: Record<string, number> = { "SHA-1": 160, "SHA-256": 256, "SHA-384": 384, "SHA-512": 512 };
for (const name of Object.keys(digestBits)) {
  register(name, { digest: (algorithm, data) => native.crypto.digest(algorithm.name, data) });
}

function importKdf({ format, data, algorithm, extractable, usages }: ImportRequest): CryptoKey {
  if (format !== "raw" && format !== "raw-secret") {
    raise("NotSupportedError", "Unsupported import key format for algorithm");
  }
  requireUsages(usages, Usage.deriveKey | Usage.deriveBits);
  if (extractable) raise("SyntaxError", "KDF keys must set extractable=false");
  const bytes = data as Bytes;
  return new CryptoKey({ type: "secret", extractable, algorithm: { name: algorithm.name }, usages, bytes });
}
const nothing = new Uint8Array(0);
function checkDerivation({ name, hash, iterations }: Algorithm, length: number | null): asserts length is number {
  if (length === null) raise("OperationError", "No length was specified for the derived bits");
  if (length % 8 !== 0) raise("OperationError", "The length provided for the derived bits must be a multiple of 8");
  if (name === "PBKDF2" && iterations === 0) raise("OperationError", "PBKDF2 requires iterations > 0");
  // RFC 5869 §2.3
  if (name === "HKDF" && length > 255 * digestBits[hash!]!) {
    raise("OperationError", "The length provided for the derived bits is too large");
  }
}
function derive(algorithm: Algorithm, key: KeySlots, length: number | null): Bytes {
  checkDerivation(algorithm, length);
  if (length === 0) return new Uint8Array(0);
  const { name, hash, salt, info = nothing, iterations = 0 } = algorithm;
  const bytes = native.crypto.derive(name, hash!, key.bytes, salt!, info, iterations, length / 8);
  if (!bytes) raise("OperationError");
  return bytes;
}
type Given = Record<string, unknown>;

register("HKDF", {
  importKey: importKdf,
  deriveBits: derive,
  getKeyLength: () => null,
}, {
  deriveBits(given: Given, method) {
    const hash = read(given, "HkdfParams", "hash", identifier);
    const info = read(given, "HkdfParams", "info", buffer);
    const salt = read(given, "HkdfParams", "salt", buffer);
    return { hash: hashOf(method, hash), info, salt };
  },
}, { deriveBits: checkDerivation });
register("PBKDF2", {
  importKey: importKdf,
  deriveBits: derive,
  getKeyLength: () => null,
}, {
  deriveBits(given: Given, method) {
    const hash = read(given, "Pbkdf2Params", "hash", identifier);
    const iterations = read(given, "Pbkdf2Params", "iterations", unsignedLong.enforceRange);
    const salt = read(given, "Pbkdf2Params", "salt", buffer);
    return { hash: hashOf(method, hash), iterations, salt };
  },
}, { deriveBits: checkDerivation });
