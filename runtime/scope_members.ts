// What both global scopes have: functions and lazily made objects on the object that carries them (in a worker the
// prototype WorkerGlobalScope.prototype, in a page the window itself).
import { Crypto } from "./crypto.ts";
import { installBase64 } from "./encoding.ts";
import { defineGetter, defineLazy } from "./global_members.ts";
import { installErrors, reportException } from "./errors.ts";
import { installFetch } from "./fetch.ts";
import { Performance } from "./performance.ts";
import { Scheduler } from "./scheduler.ts";
import { installStorageApis } from "./storage_apis.ts";
import { installStructuredClone } from "./structured_clone.ts";
import { installTimers } from "./timers.ts";
import { environment } from "./url.ts";

function isSecure(): boolean {
  return environment.url.startsWith("https:") ||
    /^http:\/\/(localhost|[^/]*\.localhost|127\.[\d.]+|\[::1\])(:\d+)?(\/|$)/.test(environment.url);
}

export function installScopeMembers(holder: object, interfaceName: string): void {
  installErrors(holder);
  installTimers(holder, interfaceName, reportException);
  installStructuredClone(holder, interfaceName);
  installBase64(holder, interfaceName);
  installFetch(holder, interfaceName);
  installStorageApis(holder);
  defineGetter(holder, "origin", () => environment.origin, true);
  defineGetter(holder, "isSecureContext", isSecure);
  defineGetter(holder, "crossOriginIsolated", () => false);
  defineLazy(holder, "performance", () => new Performance(), true);
  defineLazy(holder, "scheduler", () => new Scheduler(), true);
  defineLazy(holder, "crypto", () => new Crypto());
}
