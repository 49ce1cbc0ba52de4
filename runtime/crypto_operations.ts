// What the methods of SubtleCrypto have in common.
import {
  type Algorithm,
  type ImportRequest,
  type KeyFormat,
  normalize,
  type Operation,
  type Operations,
  operationsOf,
} from "./crypto_algorithms.ts";
import type { JsonWebKey } from "./crypto_jwk.ts";
import { type Bytes, CryptoKey, type KeySlots, type KeyUsage, raise, Usage } from "./crypto_key.ts";
import { requireKeyUsages } from "./crypto_pairs.ts";
import { queueTask } from "./timers.ts";

export function inParallel<T>(run: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    queueTask(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error);
      }
    });
  });
}
// An operation of an algorithm that was normalized for it, so that it is there.
export function operation<K extends Operation>(name: string, which: K): Operations[K] {
  return operationsOf(name)[which] as Operations[K];
}

// §14.3: the key has to be one of the algorithm's, and to be meant for this.
export function requireUse(algorithm: Algorithm, key: KeySlots, usage: KeyUsage): void {
  if (algorithm.name !== key.algorithm.name) {
    raise("InvalidAccessError", "key.algorithm does not match that of operation");
  }
  if ((key.usages & Usage[usage]) === 0) raise("InvalidAccessError", "key.usages does not permit this operation");
}
export function importKey(request: ImportRequest): CryptoKey {
  const key = operation(request.algorithm.name, "importKey")(request);
  if (CryptoKey.slotsOf(key).type !== "public") requireKeyUsages(request.usages);
  return key;
}
export function exportKey(format: KeyFormat, key: KeySlots): Bytes | JsonWebKey {
  const run = operationsOf(key.algorithm.name).exportKey;
  if (!run) raise("NotSupportedError", `${key.algorithm.name}: Unsupported operation: exportKey`);
  if (!key.extractable) raise("InvalidAccessError", "key is not extractable");
  return run(format, key);
}
// wrapKey and unwrapKey are also what encrypt and decrypt do, for algorithms that have no operation of their own.
export function normalizeEither(method: "wrapKey" | "unwrapKey", otherwise: "encrypt" | "decrypt", given: unknown) {
  let which: "wrapKey" | "unwrapKey" | "encrypt" | "decrypt" = method;
  let algorithm: Algorithm;
  try {
    algorithm = normalize(method, method, given);
  } catch {
    which = otherwise;
    algorithm = normalize(method, otherwise, given);
  }
  return { algorithm, run: operation(algorithm.name, which) };
}
