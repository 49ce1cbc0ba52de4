// Where indexedDB and caches join the scopes. The holder is WorkerGlobalScope.prototype, or the window.
import { CacheStorage } from "./cache.ts";
import { defineGetter } from "./global_members.ts";
import { openIndexedDB } from "./indexeddb.ts";

export function installStorageApis(holder: object): void {
  const indexedDB = openIndexedDB();
  defineGetter(holder, "indexedDB", () => indexedDB);
  const caches = new CacheStorage();
  defineGetter(holder, "caches", () => caches);
}
