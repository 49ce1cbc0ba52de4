// SubtleCrypto.supports(): what a method would find out about its algorithms before it looks at a key.
import { checkOf, normalize, type Operation, operationsOf } from "./crypto_algorithms.ts";

const methods = [
  ...["encrypt", "decrypt", "sign", "verify", "digest", "generateKey", "deriveKey", "deriveBits", "importKey"],
  ...["exportKey", "wrapKey", "unwrapKey", "encapsulateKey", "encapsulateBits", "decapsulateKey", "decapsulateBits"],
  "getPublicKey",
];

// more: the length of bits to derive, or the algorithm of the other key that the method has to do with.
export function supports(method: string, algorithm: unknown, more: unknown): boolean {
  if (!methods.includes(method)) return false;
  try {
    check(method, algorithm, more);
    return true;
  } catch {
    return false;
  }
}
function check(method: string, algorithm: unknown, more: unknown): void {
  switch (method) {
    case "deriveKey":
      checkOne("importKey", more);
      return checkOne("deriveBits", algorithm, keyLength(more));
    case "deriveBits":
      return checkOne("deriveBits", algorithm, typeof more === "number" ? more : null);
    case "wrapKey":
      checkOther("exportKey", more);
      return checkEither("wrapKey", "encrypt", algorithm);
    case "unwrapKey":
      checkOther("importKey", more);
      return checkEither("unwrapKey", "decrypt", algorithm);
    case "encapsulateKey":
    case "decapsulateKey":
      checkOne("importKey", more);
      return checkOne(method === "encapsulateKey" ? "encapsulate" : "decapsulate", algorithm);
    case "encapsulateBits":
      return checkOne("encapsulate", algorithm);
    case "decapsulateBits":
      return checkOne("decapsulate", algorithm);
    default:
      return checkOne(method as Operation, algorithm);
  }
}
function checkOne(operation: Operation, given: unknown, length: number | null = null): void {
  const algorithm = normalize("supports", operation, given);
  checkOf(algorithm.name, operation)?.(algorithm, length);
}
function checkOther(operation: Operation, given: unknown): void {
  if (given !== undefined && given !== null) checkOne(operation, given);
}
function checkEither(operation: "wrapKey" | "unwrapKey", otherwise: "encrypt" | "decrypt", given: unknown): void {
  try {
    checkOne(operation, given);
  } catch {
    checkOne(otherwise, given);
  }
}
function keyLength(given: unknown): number | null {
  const algorithm = normalize("supports", "getKeyLength", given);
  return operationsOf(algorithm.name).getKeyLength!(algorithm);
}
