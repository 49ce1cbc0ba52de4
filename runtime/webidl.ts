// Web IDL: turns a plain class into an interface as scripts expect to find it, and converts what scripts pass.
//
// A class describes behaviour; defineInterface() makes it look right: enumerable members, @@toStringTag, names and
// lengths, brand checks ("Illegal invocation"), counts and conversions of arguments, errors with the usual prefix
// ("Failed to execute 'register' on 'SyncManager': …"), promises that reject instead of throwing. The constructor that
// scripts see is not the class but a function of its own, so that inside the runtime every class can be constructed
// although its interface has no constructor.
import { type Converter, fail, isBare, withPrefix } from "./webidl_conversions.ts";

export * from "./webidl_conversions.ts";

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
function convertArguments(converters: Converter[] | undefined, args: unknown[], required: number): unknown[] {
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
    if (index > 0 && error instanceof TypeError && isBare(error) && error.message.startsWith("parameter 1 ")) {
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
