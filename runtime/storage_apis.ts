// Where indexedDB and caches join the scopes. The holder is WorkerGlobalScope.prototype, or the window.
import { installCaches } from "./cache.ts";
import { installIndexedDB } from "./indexeddb.ts";

export function installStorageApis(holder: object): void {
  installIndexedDB(holder);
  installCaches(holder);
}
