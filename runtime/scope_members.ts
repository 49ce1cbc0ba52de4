// What both global scopes have: functions and lazily made objects on the object that carries them (in a worker the
// prototype WorkerGlobalScope.prototype, in a page the window itself).
import { Crypto } from "./crypto.ts";
import { installBase64 } from "./encoding.ts";
import { installErrors, reportException } from "./errors.ts";
import { installFetch } from "./fetch.ts";
import { Performance } from "./performance.ts";
import { installStorageApis } from "./storage_apis.ts";
import { installStructuredClone } from "./structured_clone.ts";
import { installTimers } from "./timers.ts";
import { environment } from "./url.ts";

// A read-only attribute whose object is made when it is first read. Replaceable: a script may put its own value there.
export function defineLazy(holder: object, name: string, make: () => unknown, replaceable = false): void {
  let value: unknown;
  let made = false;
  const accessors = {
    get [name](): unknown {
      if (!made) {
        value = make();
        made = true;
      }
      return value;
    },
    set [name](given: unknown) {
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
// The same, read anew each time.
export function defineGetter(holder: object, name: string, read: () => unknown, replaceable = false): void {
  const accessors = {
    get [name](): unknown {
      return read();
    },
    set [name](given: unknown) {
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
export function defineFunctions(holder: object, functions: Record<string, Function>): void {
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

export function isSecure(): boolean {
  return environment.url.startsWith("https:") ||
    /^http:\/\/(localhost|[^/]*\.localhost|127\.[\d.]+|\[::1\])(:\d+)?(\/|$)/.test(environment.url);
}

export function installScopeMembers(holder: object, interfaceName: string): void {
  installErrors(holder);
  installTimers(holder, interfaceName, reportException);
  installStructuredClone(holder);
  installBase64(holder, interfaceName);
  installFetch(holder, interfaceName);
  installStorageApis(holder);
  defineGetter(holder, "origin", () => environment.origin, true);
  defineGetter(holder, "isSecureContext", isSecure);
  defineGetter(holder, "crossOriginIsolated", () => false);
  defineLazy(holder, "performance", () => new Performance(), true);
  defineLazy(holder, "crypto", () => new Crypto());
}
