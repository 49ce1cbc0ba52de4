// Web Cryptography §10: Crypto, the source of random values.
import { SubtleCrypto } from "./crypto_subtle.ts";
import { DOMException, QuotaExceededError } from "./domexception.ts";
import { native } from "./native.ts";
import { uuid } from "./url.ts";
import { defineInterface, typedArrayType } from "./webidl.ts";

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
    const kind = typedArrayType(array) ?? "DataView";
    if (!integerArrays.includes(kind)) {
      throw new DOMException(
        `Failed to execute 'getRandomValues' on 'Crypto': The provided ArrayBufferView is of type '${kind}', which is not an integer array type.`,
        "TypeMismatchError",
      );
    }
    const size = native.crypto.sizeOf(array);
    if (size > 65536) {
      throw new QuotaExceededError(
        `Failed to execute 'getRandomValues' on 'Crypto': The ArrayBufferView's byte length (${size}) exceeds the number of bytes of entropy available via this API (65536).`,
        { quota: 65536, requested: size },
      );
    }
    native.randomFill(array);
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
