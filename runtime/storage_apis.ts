// Where indexedDB and caches join the scopes. The holder is WorkerGlobalScope.prototype, or the window.
export function installStorageApis(_holder: object): void {}
