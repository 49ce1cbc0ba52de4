// Web IDL: turns a plain class into an interface as scripts expect to find it, and converts what scripts pass.
//
// A class describes behaviour; defineInterface() makes it look right: enumerable members, @@toStringTag, names and
// lengths, brand checks ("Illegal invocation"), counts and conversions of arguments, errors with the usual prefix
// ("Failed to execute 'register' on 'SyncManager': …"), promises that reject instead of throwing. The constructor that
// scripts see is not the class but a function of its own, so that inside the runtime every class can be constructed
// although its interface has no constructor.

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
    const method = (typeof value === "object" && value !== null) || typeof value === "function"
      ? (value as Iterable<unknown>)[Symbol.iterator]
      : undefined;
    if (typeof method !== "function") fail("The object must have a callable @@iterator property.");
    // Each item is converted before the next one is asked for, and the method is looked up once: scripts can tell.
    return Array.from({ [Symbol.iterator]: () => Reflect.apply(method, value, []) }, (item) => inner(item));
  });
}
export function instance<T extends object>(
  type: string,
  cls: () => { isInstance(value: unknown): value is T },
): Converter<T> {
  return converter((value): T => {
    if (!cls().isInstance(value)) fail(`parameter 1 is not of type '${type}'.`);
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
    if (typeof error === "object" && error !== null && bareErrors.has(error)) {
      fail(`Failed to read the '${key}' property from '${type}': ${(error as Error).message}`);
    }
    throw error;
  }
}

// ------------------------------------------------------------------------------------------------- interfaces
export type Exposure = "everywhere" | "service-worker" | "page" | "nowhere";
export interface InterfaceOptions {
  name: string;
  prototype?: object; // instead of the class's own
  constructorArguments?: Converter<any>[]; // absent: the interface has no constructor
  construct?: InterfaceClass; // what `new` makes, if not the class itself
  operations?: Record<string, Converter<any>[]>; // arguments of prototype methods; others: any, as the method's length says
  synchronousStatics?: string[]; // statics that share a name with a promise operation
  promises?: string[]; // operations and attributes with a promise type, besides async methods
  setters?: Record<string, Converter<any>>; // conversion of writable attributes
  statics?: Record<string, Converter<any>[]>;
  constants?: Record<string, unknown>;
  exposed?: Exposure; // default: everywhere
}
// any: classes differ in every parameter.
export type InterfaceClass = (abstract new (...args: any[]) => object) & { isInstance(value: unknown): boolean };

export interface DefinedInterface {
  name: string;
  constructor: Function;
  exposed: Exposure;
}
// All interfaces by name, in order of definition; the scopes expose them.
export const interfaces = new Map<string, DefinedInterface>();
const exposedConstructors = new Map<Function, Function>();

const AsyncFunction = (async () => {}).constructor;

function counted(count: number): string {
  return `${count} argument${count === 1 ? "" : "s"} required`;
}
export function convertArguments(converters: Converter[] | undefined, args: unknown[], required: number): unknown[] {
  if (args.length < required) fail(`${counted(required)}, but only ${args.length} present.`);
  if (!converters) return args;
  const result: unknown[] = [];
  for (let i = 0; i < converters.length; ++i) {
    const convert = converters[i]!;
    result.push(convertArgument(convert, args[i], i));
  }
  return result;
}
function convertArgument(convert: Converter, value: unknown, index: number): unknown {
  try {
    return convert(value);
  } catch (error) {
    if (index > 0 && error instanceof TypeError && bareErrors.has(error) && error.message.startsWith("parameter 1 ")) {
      fail(error.message.replace("parameter 1 ", `parameter ${index + 1} `));
    }
    throw error;
  }
}
function requiredCount(converters: Converter[] | undefined, fallback: number): number {
  if (!converters) return fallback;
  const first = converters.findIndex((convert) => convert.isOptional);
  return first < 0 ? converters.length : first;
}

// A member named toString must not find Object.prototype's.
function own<T>(table: Record<string, T> | undefined, key: string): T | undefined {
  return table && Object.hasOwn(table, key) ? table[key] : undefined;
}
type AnyFunction = (this: any, ...args: any[]) => unknown;
function define(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  Object.defineProperty(target, key, { configurable: true, ...descriptor });
}

function wrapOperation(
  name: string,
  method: AnyFunction,
  converters: Converter[] | undefined,
  where: string,
  promise: boolean,
  isInstance: (value: unknown) => boolean,
): AnyFunction {
  const required = requiredCount(converters, method.length);
  const prefix = `Failed to execute '${name}' on '${where}'`;
  const wrapper = {
    [name](this: unknown, ...args: unknown[]): unknown {
      try {
        const self = this ?? globalThis;
        if (!isInstance(self)) fail("Illegal invocation");
        return method.apply(self, convertArguments(converters, args, required));
      } catch (error) {
        if (promise) return Promise.reject(withPrefix(error, prefix));
        throw withPrefix(error, prefix);
      }
    },
  }[name]!;
  define(wrapper, "length", { value: required });
  return wrapper;
}

function wrapAttribute(
  target: object,
  name: string,
  descriptor: PropertyDescriptor,
  options: InterfaceOptions,
  isInstance: (value: unknown) => boolean,
): void {
  const { get, set } = descriptor;
  const promise = options.promises?.includes(name) ?? false;
  const convert = own(options.setters, name);
  const prefix = `Failed to set the '${name}' property on '${options.name}'`;
  const accessors = {
    get [name](): unknown {
      const self = this ?? globalThis;
      if (!isInstance(self)) {
        const error = new TypeError("Illegal invocation");
        if (promise) return Promise.reject(error);
        throw error;
      }
      return get!.call(self);
    },
    set [name](value: unknown) {
      try {
        const self = this ?? globalThis;
        if (!isInstance(self)) throw new TypeError("Illegal invocation");
        set!.call(self, convert ? convert(value) : value);
      } catch (error) {
        throw withPrefix(error, prefix);
      }
    },
  };
  const wrapped = Object.getOwnPropertyDescriptor(accessors, name)!;
  define(target, name, { enumerable: true, get: wrapped.get, set: set ? wrapped.set : undefined });
}

function prototypeOf(cls: InterfaceClass, options: InterfaceOptions): object {
  return options.prototype ?? (cls.prototype as object);
}

function makeConstructor(cls: InterfaceClass, options: InterfaceOptions): Function {
  const { name, constructorArguments } = options;
  const required = requiredCount(constructorArguments, 0);
  const prefix = `Failed to construct '${name}'`;
  const target = function (...args: unknown[]): object {
    const newTarget = new.target as Function | undefined;
    if (!constructorArguments) {
      throw new TypeError(newTarget ? `${prefix}: Illegal constructor` : "Illegal constructor");
    }
    if (!newTarget) {
      throw new TypeError(
        `${prefix}: Please use the 'new' operator, this DOM object constructor cannot be called as a function.`,
      );
    }
    try {
      return Reflect.construct(
        options.construct ?? cls,
        convertArguments(constructorArguments, args, required),
        newTarget,
      );
    } catch (error) {
      throw withPrefix(error, prefix);
    }
  };
  target.prototype = prototypeOf(cls, options);
  // A bound function prints as native code, and can have the prototype it needs.
  const exposed = target.bind(undefined);
  define(exposed, "length", { value: required });
  define(exposed, "name", { value: name });
  Object.defineProperty(exposed, "prototype", { value: prototypeOf(cls, options) });
  return exposed;
}

// Makes the interface object and dresses the prototype; both happen once, when the module is loaded.
export function defineInterface(cls: InterfaceClass, options: InterfaceOptions): Function {
  const { name } = options;
  const prototype = prototypeOf(cls, options);
  const isInstance = (value: unknown) => cls.isInstance(value);
  for (const key of Reflect.ownKeys(cls.prototype as object)) {
    if (key === "constructor") continue;
    const descriptor = Object.getOwnPropertyDescriptor(cls.prototype, key)!;
    if (typeof key === "symbol") continue;
    if (typeof descriptor.value === "function") {
      const method = descriptor.value as AnyFunction;
      const promise = method instanceof AsyncFunction || (options.promises?.includes(key) ?? false);
      const wrapper = wrapOperation(key, method, own(options.operations, key), name, promise, isInstance);
      define(prototype, key, { value: wrapper, writable: true, enumerable: true });
    } else if (descriptor.get) {
      wrapAttribute(prototype, key, descriptor, options, isInstance);
    }
  }
  define(prototype, Symbol.toStringTag, { value: name });
  const exposed = makeConstructor(cls, options);
  define(prototype, "constructor", { value: exposed, writable: true, enumerable: false });
  const parent = exposedConstructors.get(Object.getPrototypeOf(cls) as Function);
  if (parent) {
    Object.setPrototypeOf(exposed, parent);
    if (!options.prototype) Object.setPrototypeOf(prototype, parent.prototype as object);
  }
  for (const [key, converters] of Object.entries(options.statics ?? {})) {
    const method = (cls as unknown as Record<string, AnyFunction>)[key]!;
    const listed = (options.promises?.includes(key) ?? false) && !options.synchronousStatics?.includes(key);
    const promise = method instanceof AsyncFunction || listed;
    const wrapper = wrapOperation(key, method, converters, name, promise, () => true);
    const bound = {
      [key](...args: unknown[]) {
        return wrapper.apply(cls, args);
      },
    }[key]!;
    define(bound, "length", { value: wrapper.length });
    define(exposed, key, { value: bound, writable: true, enumerable: true });
  }
  for (const [key, value] of Object.entries(options.constants ?? {})) {
    const descriptor = { value, writable: false, enumerable: true, configurable: false };
    Object.defineProperty(exposed, key, descriptor);
    Object.defineProperty(prototype, key, descriptor);
  }
  exposedConstructors.set(cls, exposed);
  interfaces.set(name, { name, constructor: exposed, exposed: options.exposed ?? "everywhere" });
  return exposed;
}

// A read-only static attribute of an interface.
export function defineStaticAttribute(exposed: Function, name: string, read: () => unknown): void {
  const { get } = Object.getOwnPropertyDescriptor(
    {
      get [name](): unknown {
        return read();
      },
    },
    name,
  )!;
  Object.defineProperty(exposed, name, { get, enumerable: true, configurable: true });
}

// Puts the interfaces that belong to this kind of scope on the global object.
export function exposeInterfaces(global: object, scope: "service-worker" | "page"): void {
  for (const { name, constructor, exposed } of interfaces.values()) {
    if (exposed === "everywhere" || exposed === scope) {
      define(global, name, { value: constructor, writable: true, enumerable: false });
    }
  }
}

// A pair iterator (Headers, FormData): entries() is also @@iterator.
export function defineIterable<T extends object, K, V>(
  cls: abstract new (...args: any[]) => T,
  name: string,
  pairs: (self: T) => [K, V][],
): void {
  const isInstance = (cls as unknown as InterfaceClass).isInstance;
  const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  const states = new WeakMap<object, { target: T; index: number; kind: "key" | "value" | "entry" }>();
  const prototype = Object.create(iteratorPrototype) as object;
  define(prototype, "next", {
    writable: true,
    enumerable: true,
    value: {
      next(this: object) {
        const state = states.get(this);
        if (!state) throw new TypeError("Illegal invocation");
        const list = pairs(state.target);
        if (state.index >= list.length) return { value: undefined, done: true };
        const pair = list[state.index++]!;
        const [key, value] = pair;
        return { value: state.kind === "key" ? key : state.kind === "value" ? value : [key, value], done: false };
      },
    }.next,
  });
  define(prototype, Symbol.toStringTag, { value: `${name} Iterator` });
  const make = (method: string, kind: "key" | "value" | "entry") =>
    ({
      [method](this: T) {
        if (!isInstance(this)) throw new TypeError(`Failed to execute '${method}' on '${name}': Illegal invocation`);
        const iterator = Object.create(prototype) as object;
        states.set(iterator, { target: this, index: 0, kind });
        return iterator;
      },
    })[method]!;
  const entries = make("entries", "entry");
  const methods: Record<string, Function> = { entries, keys: make("keys", "key"), values: make("values", "value") };
  methods["forEach"] = {
    forEach(this: T, action: (value: V, key: K, target: T) => void, thisArgument: unknown = undefined): void {
      if (!isInstance(this)) throw new TypeError(`Failed to execute 'forEach' on '${name}': Illegal invocation`);
      if (typeof action !== "function") {
        throw new TypeError(`Failed to execute 'forEach' on '${name}': parameter 1 is not of type 'Function'.`);
      }
      for (let i = 0;; ++i) {
        const list = pairs(this);
        if (i >= list.length) return;
        action.call(thisArgument, list[i]![1], list[i]![0], this);
      }
    },
  }.forEach;
  for (const [key, value] of Object.entries(methods)) {
    define(cls.prototype, key, { value, writable: true, enumerable: true });
  }
  define(cls.prototype, Symbol.iterator, { value: entries, writable: true, enumerable: false });
}
