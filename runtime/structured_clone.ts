// HTML §2.7: structured clone. V8 does the work; here are the platform objects that can be cloned or transferred.
import { Blob, File } from "./blob.ts";
import { CryptoKey, restoreKey } from "./crypto_key.ts";
import { DOMException, QuotaExceededError } from "./domexception.ts";
import { defineFunctions } from "./global_members.ts";
import { type DeserializeHost, native, type SerializeHost } from "./native.ts";
import {
  bare,
  bareError,
  converter,
  type Dictionary,
  fail,
  interfaces,
  isArrayBuffer,
  member,
  sequence,
  withPrefix,
} from "./webidl.ts";

const enum Tag {
  Blob = 1,
  File = 2,
  DOMException = 3,
  Transferred = 4,
  CryptoKey = 5,
  QuotaExceededError = 6,
}

// A kind of objects that can be transferred. The files that know them need this one, so they register themselves.
export interface TransferableKind<T extends object = object> {
  isInstance(value: unknown): value is T;
  isPort: boolean; // becomes one of the message's ports
  fault(object: T): string | null; // why it cannot be transferred now
  detach(object: T): unknown; // takes it out of this scope; what is returned makes it again elsewhere
  attach(payload: unknown): T;
  leave(payload: unknown): void; // the message with it goes to another process
}
const kinds: TransferableKind[] = [];
export function addTransferable<T extends object>(kind: TransferableKind<T>): void {
  kinds.push(kind as unknown as TransferableKind);
}
interface Detached {
  kind: number;
  payload: unknown;
}

let platformPrototypes: Set<object> | null = null;
function isPlatformObject(value: object): boolean {
  platformPrototypes ??= new Set([...interfaces.values()].map((each) => each.constructor.prototype as object));
  for (let proto: unknown = Object.getPrototypeOf(value); proto; proto = Object.getPrototypeOf(proto)) {
    if (platformPrototypes.has(proto as object)) return true;
  }
  return false;
}
export function dataCloneError(message: string): DOMException {
  return bare(message, (text) => new DOMException(text, "DataCloneError"));
}
// The interface, whatever a script has made of its name.
function nameOf(value: object): string {
  for (let proto: unknown = Object.getPrototypeOf(value); proto; proto = Object.getPrototypeOf(proto)) {
    for (const [name, { constructor }] of interfaces) if (constructor.prototype === proto) return name;
  }
  return "Object";
}
function cannotClone(value: object): DOMException {
  return dataCloneError(`${nameOf(value)} object could not be cloned.`);
}

class Writer implements SerializeHost {
  #transferred: Map<object, number>;
  constructor(transferred: Map<object, number>) {
    this.#transferred = transferred;
  }
  write(value: object): { tag: number; payload: unknown } | undefined {
    if (File.isInstance(value)) {
      const payload = {
        bytes: Blob.bytesOf(value),
        type: value.type,
        name: value.name,
        lastModified: value.lastModified,
      };
      return { tag: Tag.File, payload };
    }
    if (Blob.isInstance(value)) return { tag: Tag.Blob, payload: { bytes: Blob.bytesOf(value), type: value.type } };
    if (DOMException.isInstance(value)) {
      const { name, message } = value;
      const { stack } = value as { stack?: unknown };
      const payload = { name, message, stack };
      if (!QuotaExceededError.isInstance(value)) return { tag: Tag.DOMException, payload };
      const { quota, requested } = value;
      return { tag: Tag.QuotaExceededError, payload: { ...payload, quota, requested } };
    }
    if (CryptoKey.isInstance(value)) return { tag: Tag.CryptoKey, payload: CryptoKey.slotsOf(value) };
    const index = this.#transferred.get(value);
    if (index !== undefined) return { tag: Tag.Transferred, payload: index };
    if (kinds.some((kind) => kind.isPort && kind.isInstance(value))) {
      throw dataCloneError("A MessagePort could not be cloned because it was not transferred.");
    }
    if (isPlatformObject(value)) throw cannotClone(value);
    return undefined;
  }
}
function unknownObject(): never {
  throw new DOMException("The object could not be cloned.", "DataCloneError");
}
class Reader implements DeserializeHost {
  #transferred: object[];
  constructor(received: object[]) {
    this.#transferred = received;
  }
  read(tag: number, payload: unknown): object {
    const given = payload as Record<string, unknown>;
    switch (tag) {
      case Tag.Blob:
        return Blob.over(given["bytes"] as Uint8Array<ArrayBuffer>, given["type"] as string);
      case Tag.File: {
        const { name, type, lastModified } = given as { name: string; type: string; lastModified: number };
        return File.overNamed(given["bytes"] as Uint8Array<ArrayBuffer>, name, type, lastModified);
      }
      case Tag.DOMException:
        return withStack(new DOMException(given["message"] as string, given["name"] as string), given["stack"]);
      case Tag.QuotaExceededError: {
        const { message, quota, requested } = given as { message: string; quota: number | null; requested: number | null };
        const options = { quota: quota ?? undefined, requested: requested ?? undefined };
        return withStack(new QuotaExceededError(message, options), given["stack"]);
      }
      case Tag.Transferred:
        return this.#transferred[payload as number]!;
      case Tag.CryptoKey:
        return restoreKey(payload) ?? unknownObject();
      default:
        return unknownObject();
    }
  }
}

function withStack(exception: DOMException, stack: unknown): DOMException {
  return Object.defineProperty(exception, "stack", { value: stack, writable: true, configurable: true });
}

// For what is stored: no transfer.
const plainWriter = new Writer(new Map());
const plainReader = new Reader([]);
export function serialize(value: unknown): Uint8Array {
  return native.serialize(value, undefined, plainWriter);
}
export function deserialize(data: Uint8Array): unknown {
  return native.deserialize(data, plainReader);
}

function refuse(fault: string): never {
  throw dataCloneError(fault);
}
function checkTransferable(kind: TransferableKind, item: object): void {
  const fault = kind.fault(item);
  if (fault !== null) refuse(fault);
}
// The list, checked: buffers, which V8 transfers, and the others with their kinds.
function sortTransfer(transfer: readonly object[]): { buffers: ArrayBuffer[]; others: Map<object, TransferableKind> } {
  const buffers = new Set<ArrayBuffer>();
  const others = new Map<object, TransferableKind>();
  for (const [index, item] of transfer.entries()) {
    if (buffers.has(item as ArrayBuffer)) refuse(`ArrayBuffer at index ${index} is a duplicate of an earlier ArrayBuffer.`);
    if (others.has(item)) {
      const [first, earlier] = others.get(item)!.isPort ? ["Message port", "port"] : [nameOf(item), nameOf(item)];
      refuse(`${first} at index ${index} is a duplicate of an earlier ${earlier}.`);
    }
    if (isArrayBuffer(item)) {
      if (item.detached) refuse("An ArrayBuffer is detached and could not be cloned.");
      buffers.add(item);
      continue;
    }
    const kind = kinds.find((each) => each.isInstance(item));
    if (!kind) refuse(`Value at index ${index} does not have a transferable type.`);
    checkTransferable(kind, item);
    others.set(item, kind);
  }
  return { buffers: [...buffers], others };
}
// For messages: StructuredSerializeWithTransfer. The data holds the value and what stands for the transferred objects.
// The message stays in this process or leaves it; what is transferred comes along.
export type Way = "stays" | "leaves";
export function serializeMessage(value: unknown, transfer: readonly object[], way: Way): Uint8Array {
  const { buffers, others } = sortTransfer(transfer);
  const writer = new Writer(new Map([...others.keys()].map((item, index) => [item, index])));
  if (others.size === 0) return native.serialize([value], buffers, writer);
  // The value is tried before anything is detached: an uncloneable value leaves everything as it was.
  native.serialize(value, undefined, writer);
  const detached = [...others].map(([item, kind]): Detached => {
    checkTransferable(kind, item); // again: a transform stream takes its sides with it
    return { kind: kinds.indexOf(kind), payload: kind.detach(item) };
  });
  const inner = native.serialize(value, buffers, writer);
  if (way === "leaves") leave(detached);
  return native.serialize({ inner, detached });
}
function leave(detached: Detached[]): void {
  for (const { kind, payload } of detached) kinds[kind]!.leave(payload);
}
type Outer = unknown[] | { inner: Uint8Array; detached: Detached[] };
// A message that was to stay leaves after all: the port leaves in whose queue it is.
export function messageLeaves(data: Uint8Array): Uint8Array {
  const outer = native.deserialize(data, new Reader([])) as Outer;
  if (!Array.isArray(outer)) leave(outer.detached);
  return data;
}
export function deserializeMessage(data: Uint8Array): { value: unknown; ports: object[] } {
  const outer = native.deserialize(data, new Reader([])) as Outer;
  if (Array.isArray(outer)) return { value: outer[0], ports: [] };
  const received = outer.detached.map(({ kind, payload }) => kinds[kind]!.attach(payload));
  const ports = received.filter((item, index) => kinds[outer.detached[index]!.kind]!.isPort);
  return { value: native.deserialize(outer.inner, new Reader(received)), ports };
}

const transferList = sequence(converter((value): object => {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject ? value : fail("Failed to convert value to 'object'.");
}));
// The second argument of postMessage() and structuredClone(): a list, or options with one.
export function toTransferList(options: unknown): object[] {
  if (options === undefined || options === null) return [];
  if (typeof options !== "object") {
    throw bareError("The provided value is not of type 'StructuredSerializeOptions'.");
  }
  if (Symbol.iterator in options) return transferList(options);
  return member(options as Dictionary, "StructuredSerializeOptions", "transfer", transferList, []);
}

export function installStructuredClone(global: object, scopeName: string): void {
  const prefix = `Failed to execute 'structuredClone' on '${scopeName}'`;
  defineFunctions(global, {
    structuredClone(value: unknown, options: unknown = undefined): unknown {
      if (arguments.length === 0) throw new TypeError(`${prefix}: 1 argument required, but only 0 present.`);
      try {
        return deserializeMessage(serializeMessage(value, toTransferList(options), "stays")).value;
      } catch (error) {
        throw withPrefix(error, prefix);
      }
    },
  });
}
