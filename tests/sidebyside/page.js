// Loaded by each page of an app: what the page saw, and helpers for what is run in it. Plain JSON comes out.
(() => {
  const log = [];
  const stateOf = worker => worker?.state ?? null;
  const portOf = url => url.replaceAll(location.origin, 'ORIGIN');
  const shown = value => JSON.parse(JSON.stringify(value, (key, each) => {
    if (each === undefined) return '<undefined>';
    if (each instanceof Error || each instanceof DOMException) return { error: each.name, message: portOf(each.message) };
    return typeof each === 'string' ? portOf(each) : each;
  }) ?? '"<undefined>"');
  const note = (...words) => log.push(shown(words));

  const watched = new WeakSet();
  const watch = worker => {
    if (!worker || watched.has(worker)) return;
    watched.add(worker);
    worker.addEventListener('statechange', () => note('statechange', worker.scriptURL, worker.state));
  };
  const registrationState = registration => registration
    && { scope: registration.scope, installing: stateOf(registration.installing), waiting: stateOf(registration.waiting), active: stateOf(registration.active) };
  const { serviceWorker } = navigator;
  serviceWorker.addEventListener('controllerchange', () => note('controllerchange', stateOf(serviceWorker.controller)));
  serviceWorker.addEventListener('message', event => note('message', event.data, event.origin, event.source.scriptURL, event.ports.length));

  const describe = async response => ({
    url: response.url, status: response.status, statusText: response.statusText, type: response.type, redirected: response.redirected,
    headers: [...response.headers].filter(([name]) => !['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name)),
    text: await response.text().catch(error => error),
  });
  const until = async condition => {
    for (;;) {
      const value = await condition();
      if (value) return value;
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  };
  const promised = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  globalThis.page = {
    log, shown, note, until, registrationState,
    // Registers, and waits for a worker that takes over.
    async takeOver(script = '/sw.js', options = {}) {
      const registration = await serviceWorker.register(script, options);
      [registration.installing, registration.waiting, registration.active].forEach(watch);
      registration.addEventListener('updatefound', () => watch(registration.installing));
      await until(() => serviceWorker.controller);
      await until(() => registration.active.state === 'activated');
      return registrationState(registration);
    },
    get: (url, init) => fetch(url, init).then(describe, error => error),
    // Asks the worker over a channel.
    ask: data => new Promise(resolve => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = event => resolve(event.data);
      serviceWorker.controller.postMessage(data, [port2]);
    }),
    async caches() {
      const all = {};
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        all[name] = await Promise.all((await cache.keys()).map(async request => [request.method, request.url, await describe(await cache.match(request))]));
      }
      return all;
    },
    async databases() {
      const all = {};
      for (const { name, version } of await indexedDB.databases()) {
        const database = await promised(indexedDB.open(name));
        all[name] = { version };
        for (const store of database.objectStoreNames) {
          const objects = database.transaction(store).objectStore(store);
          const [keys, values] = await Promise.all([promised(objects.getAllKeys()), promised(objects.getAll())]);
          all[name][store] = keys.map((key, index) => [key, values[index]]);
        }
        database.close();
      }
      return all;
    },
    registrations: async () => (await serviceWorker.getRegistrations()).map(registrationState),
  };
})();
