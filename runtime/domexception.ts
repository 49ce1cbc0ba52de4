// Web IDL §2.8: DOMException and QuotaExceededError.
import { defineInterface, type Dictionary, dictionary, DOMString, double, member } from "./webidl.ts";

const legacyCodes: Record<string, number> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
};

const captureStackTrace = (Error as unknown as { captureStackTrace(target: object, above?: unknown): void })
  .captureStackTrace;

export class DOMException {
  #message: string;
  #name: string;
  constructor(message = "", name = "Error") {
    this.#message = message;
    this.#name = name;
    captureStackTrace(this, DOMException);
  }
  get name(): string {
    return this.#name;
  }
  get message(): string {
    return this.#message;
  }
  get code(): number {
    return Object.hasOwn(legacyCodes, this.#name) ? legacyCodes[this.#name]! : 0;
  }
  static isInstance(value: unknown): value is DOMException {
    return typeof value === "object" && value !== null && #name in value;
  }
}
Object.setPrototypeOf(DOMException.prototype, Error.prototype);

const constants: Record<string, number> = {
  INDEX_SIZE_ERR: 1,
  DOMSTRING_SIZE_ERR: 2,
  HIERARCHY_REQUEST_ERR: 3,
  WRONG_DOCUMENT_ERR: 4,
  INVALID_CHARACTER_ERR: 5,
  NO_DATA_ALLOWED_ERR: 6,
  NO_MODIFICATION_ALLOWED_ERR: 7,
  NOT_FOUND_ERR: 8,
  NOT_SUPPORTED_ERR: 9,
  INUSE_ATTRIBUTE_ERR: 10,
  INVALID_STATE_ERR: 11,
  SYNTAX_ERR: 12,
  INVALID_MODIFICATION_ERR: 13,
  NAMESPACE_ERR: 14,
  INVALID_ACCESS_ERR: 15,
  VALIDATION_ERR: 16,
  TYPE_MISMATCH_ERR: 17,
  SECURITY_ERR: 18,
  NETWORK_ERR: 19,
  ABORT_ERR: 20,
  URL_MISMATCH_ERR: 21,
  QUOTA_EXCEEDED_ERR: 22,
  TIMEOUT_ERR: 23,
  INVALID_NODE_TYPE_ERR: 24,
  DATA_CLONE_ERR: 25,
};

defineInterface(DOMException, {
  name: "DOMException",
  constructorArguments: [DOMString.optional(""), DOMString.optional("Error")],
  constants,
});

// Web IDL §2.8.2: what was asked for, and how much there may be.
export class QuotaExceededError extends DOMException {
  #quota: number | null;
  #requested: number | null;
  constructor(message = "", options: Dictionary = {}) {
    super(message, "QuotaExceededError");
    this.#quota = member(options, "QuotaExceededErrorOptions", "quota", double, null);
    this.#requested = member(options, "QuotaExceededErrorOptions", "requested", double, null);
    const doing = "Failed to construct 'QuotaExceededError': ";
    if ((this.#quota ?? 0) < 0) throw new RangeError(`${doing}quota must not be negative.`);
    if ((this.#requested ?? 0) < 0) throw new RangeError(`${doing}requested must not be negative.`);
    if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota) {
      throw new RangeError(`${doing}requested must not be less than quota.`);
    }
  }
  get quota(): number | null {
    return this.#quota;
  }
  get requested(): number | null {
    return this.#requested;
  }
  static override isInstance(value: unknown): value is QuotaExceededError {
    return typeof value === "object" && value !== null && #quota in value;
  }
}
defineInterface(QuotaExceededError, {
  name: "QuotaExceededError",
  constructorArguments: [DOMString.optional(""), dictionary("QuotaExceededErrorOptions").optional({})],
});

// The exception that a failed reply of the port stands for.
export function exceptionFor(failure: { name: string; message: string }): Error | DOMException {
  switch (failure.name) {
    case "TypeError":
      return new TypeError(failure.message);
    case "RangeError":
      return new RangeError(failure.message);
    case "SyntaxError":
      return new SyntaxError(failure.message);
    case "QuotaExceededError":
      return new QuotaExceededError(failure.message);
    default:
      return new DOMException(failure.message, failure.name);
  }
}
