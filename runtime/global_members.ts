// How the members of a global object are defined: attributes, lazily made objects, functions. They belong to that
// object alone (in a worker they are on WorkerGlobalScope.prototype, in a page on the window itself).
const AsyncFunction = (async () => {}).constructor;
// Calls without an explicit object mean the global one.
function isGlobal(self: unknown): boolean {
  return self === undefined || self === null || self === globalThis;
}

// A read-only attribute of the global object, read anew each time. Replaceable: a script may put its own value there.
export function defineGetter(holder: object, name: string, read: () => unknown, replaceable = false): void {
  const requireGlobal = (self: unknown) => {
    if (!isGlobal(self)) throw new TypeError("Illegal invocation");
  };
  const accessors = {
    get [name](): unknown {
      requireGlobal(this);
      return read();
    },
    set [name](given: unknown) {
      requireGlobal(this);
      Object.defineProperty(globalThis, name, { value: given, writable: true, enumerable: true, configurable: true });
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(accessors, name)!;
  Object.defineProperty(holder, name, {
    get,
    set: replaceable ? set : undefined,
    enumerable: true,
    configurable: true,
  });
}
// The same, of an object that is made when it is first read.
export function defineLazy(holder: object, name: string, make: () => unknown, replaceable = false): void {
  let value: unknown;
  let made = false;
  const read = () => {
    if (!made) {
      value = make();
      made = true;
    }
    return value;
  };
  defineGetter(holder, name, read, replaceable);
}
export function defineFunctions(holder: object, functions: Record<string, Function>): void {
  for (const [name, value] of Object.entries(functions)) {
    const method = {
      [name](this: unknown, ...args: unknown[]): unknown {
        if (isGlobal(this)) return Reflect.apply(value, this, args);
        const error = new TypeError("Illegal invocation");
        if (value instanceof AsyncFunction) return Promise.reject(error);
        throw error;
      },
    }[name]!;
    Object.defineProperty(method, "length", { value: value.length, configurable: true });
    Object.defineProperty(holder, name, { value: method, writable: true, enumerable: true, configurable: true });
  }
}
