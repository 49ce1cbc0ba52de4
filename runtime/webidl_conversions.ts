// Web IDL §3.2: what becomes of the values that scripts pass: types, buffers, dictionaries. A conversion that fails
// throws an error without the prefix that says where; the wrapper of the operation (webidl.ts) adds it.

export interface Converter<T = unknown> {
  (value: unknown): T;
  // An optional argument: undefined becomes the default without conversion.
  optional(): Converter<T | undefined>;
  optional<D>(fallback: D): Converter<T | D>;
  readonly isOptional: boolean;
}

// Errors whose message still lacks its prefix, with how to make one with another message; the wrapper of the operation
// adds it.
const bareErrors = new WeakMap<object, (message: string) => object>();
export function isBare(error: unknown): error is Error {
  return typeof error === "object" && error !== null && bareErrors.has(error);
}
export function bareError(message: string): TypeError {
  return bare(message, (text) => new TypeError(text));
}
export function bare<E extends object>(message: string, make: (message: string) => E): E {
  const error = make(message);
  bareErrors.set(error, make);
  return error;
}
export function fail(message: string): never {
  throw bareError(message);
}
export function withPrefix(error: unknown, prefix: string): unknown {
  const make = typeof error === "object" && error !== null ? bareErrors.get(error) : undefined;
  return make ? make(`${prefix}: ${(error as Error).message}`) : error;
}

export function converter<T>(convert: (value: unknown) => T): Converter<T> {
  const result = ((value: unknown) => convert(value)) as unknown as Converter<T>;
  const optional = (fallback?: unknown) => {
    const wrapped = converter((value) => (value === undefined ? fallback : convert(value)));
    return Object.assign(wrapped, { isOptional: true });
  };
  return Object.assign(result, { optional, isOptional: false }) as Converter<T>;
}

// ------------------------------------------------------------------------------------------------- conversions
export const any = converter((value) => value);
export const DOMString = converter((value): string => {
  if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
  return `${value as string}`;
});
export const USVString = converter((value): string => DOMString(value).toWellFormed());
export const ByteString = converter((value): string => {
  const text = DOMString(value);
  for (let i = 0; i < text.length; ++i) {
    if (text.charCodeAt(i) > 255) fail("String contains non ISO-8859-1 code point.");
  }
  return text;
});
export const boolean = converter((value): boolean => Boolean(value));
export const object = converter((value): object => {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    fail("The provided value is not of type 'object'.");
  }
  return value as object;
});
// ToNumber: unlike Number(), it refuses a BigInt.
const toNumber = (value: unknown): number => +(value as number);
export const double = converter((value): number => {
  const number = toNumber(value);
  if (!Number.isFinite(number)) fail("The provided double value is non-finite.");
  return number;
});

type IntegerConverter = Converter<number> & { enforceRange: Converter<number>; clamp: Converter<number> };
function integer(type: string, bits: number, signed: boolean): IntegerConverter {
  const size = 2 ** bits;
  const upper = bits === 64 ? Number.MAX_SAFE_INTEGER : signed ? size / 2 - 1 : size - 1;
  const lower = !signed ? 0 : bits === 64 ? Number.MIN_SAFE_INTEGER : -size / 2;
  const modulo = converter((value): number => {
    let number = toNumber(value);
    if (!Number.isFinite(number)) return 0;
    number = Math.trunc(number) % size;
    if (number < 0) number += size;
    return (signed && number >= size / 2 ? number - size : number) + 0;
  });
  const enforceRange = converter((value): number => {
    const number = toNumber(value);
    if (Number.isNaN(number)) fail(`Value is not of type '${type}'.`);
    if (!Number.isFinite(number)) fail(`Value is infinite and not of type '${type}'.`);
    const whole = Math.trunc(number) + 0;
    if (whole < lower || whole > upper) fail(`Value is outside the '${type}' value range.`);
    return whole;
  });
  const clamp = converter((value): number => {
    const number = Math.min(Math.max(toNumber(value), lower), upper);
    if (Number.isNaN(number)) return 0;
    // To the nearest integer; between two of them to the even one.
    const floor = Math.floor(number);
    const below = number - floor;
    return (below < 0.5 || (below === 0.5 && floor % 2 === 0) ? floor : floor + 1) + 0;
  });
  return Object.assign(modulo, { enforceRange, clamp });
}
export const long = integer("long", 32, true);
export const unsignedLong = integer("unsigned long", 32, false);
export const octet = integer("octet", 8, false);
export const unsignedShort = integer("unsigned short", 16, false);
export const longLong = integer("long long", 64, true);
export const unsignedLongLong = integer("unsigned long long", 64, false);

export function enumeration<T extends string>(type: string, values: readonly T[]): Converter<T> {
  return converter((value): T => {
    const text = DOMString(value);
    if (!values.includes(text as T)) fail(`The provided value '${text}' is not a valid enum value of type ${type}.`);
    return text as T;
  });
}
export function nullable<T>(inner: Converter<T>): Converter<T | null> {
  return converter((value) => (value === null || value === undefined ? null : inner(value)));
}
export function sequence<T>(inner: (value: unknown) => T): Converter<T[]> {
  return converter((value): T[] => {
    const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
    if (!isObject) fail("The provided value cannot be converted to a sequence.");
    const method = (value as Iterable<unknown>)[Symbol.iterator];
    if (typeof method !== "function") fail("The object must have a callable @@iterator property.");
    // Each item is converted before the next one is asked for, and the method is looked up once: scripts can tell.
    return Array.from({ [Symbol.iterator]: () => Reflect.apply(method, value, []) }, (item) => inner(item));
  });
}
export function instance<T extends object>(
  type: string,
  cls: () => { isInstance(value: unknown): value is T },
  refusal = `parameter 1 is not of type '${type}'.`,
): Converter<T> {
  return converter((value): T => {
    if (!cls().isInstance(value)) fail(refusal);
    return value as T;
  });
}
export const callback = converter((value): (...args: unknown[]) => unknown => {
  if (typeof value !== "function") fail("parameter 1 is not of type 'Function'.");
  return value as (...args: unknown[]) => unknown;
});

export type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
export function isBufferSource(value: unknown): value is BufferSource {
  return ArrayBuffer.isView(value) || isArrayBuffer(value);
}
const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")!.get!;
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  if (typeof value !== "object" || value === null) return false;
  try {
    byteLengthOf.call(value);
    return true;
  } catch {
    return false;
  }
}
// The type of a typed array, whatever scripts have made of @@toStringTag.
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;
export function typedArrayType(value: unknown): string | undefined {
  return typedArrayTag.call(value) as string | undefined;
}
// The bytes of a buffer source, not copied; none when it is detached.
export function bytesOf(source: BufferSource): Uint8Array<ArrayBuffer> {
  if ((ArrayBuffer.isView(source) ? source.buffer : source).detached) return new Uint8Array();
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
export function copyBytes(source: BufferSource): Uint8Array<ArrayBuffer> {
  return bytesOf(source).slice();
}
export const bufferSource = converter((value): BufferSource => {
  if (!isBufferSource(value)) fail("The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.");
  if (ArrayBuffer.isView(value) && !isArrayBuffer(value.buffer)) {
    fail("The provided ArrayBufferView value must not be shared.");
  }
  return value;
});
// [AllowShared] BufferSource. Only WebAssembly makes shared memory here.
export const sharedBufferSource = converter((value): BufferSource => {
  if (!isBufferSource(value) && Object.prototype.toString.call(value) !== "[object SharedArrayBuffer]") {
    fail("The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.");
  }
  return value as BufferSource;
});

// ------------------------------------------------------------------------------------------------- dictionaries
export type Dictionary = Record<string, unknown>;
export function toDictionary(value: unknown, type: string): Dictionary {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") fail(`The provided value is not of type '${type}'.`);
  return value as Dictionary;
}
export function dictionary(type: string): Converter<Dictionary> {
  return converter((value) => toDictionary(value, type));
}
export function member<T, D>(
  given: Dictionary,
  type: string,
  key: string,
  convert: (value: unknown) => T,
  fallback: D,
): T | D {
  const value = given[key];
  return value === undefined ? fallback : convertMember(value, type, key, convert);
}
export function requiredMember<T>(given: Dictionary, type: string, key: string, convert: (value: unknown) => T): T {
  const value = given[key];
  if (value === undefined) fail(`Failed to read the '${key}' property from '${type}': Required member is undefined.`);
  return convertMember(value, type, key, convert);
}
function convertMember<T>(value: unknown, type: string, key: string, convert: (value: unknown) => T): T {
  try {
    return convert(value);
  } catch (error) {
    if (isBare(error)) fail(`Failed to read the '${key}' property from '${type}': ${error.message}`);
    throw error;
  }
}
