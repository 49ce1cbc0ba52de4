// Debian's Chromium with a profile of its own, driven through its own DevTools protocol.
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { chromium } from 'playwright-core';
import { makeFolder } from './processes.mjs';

export const kChromium = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
const kFlags = ['--no-sandbox', '--disable-background-networking'];

// Why Chromium cannot sync here; undefined: it can. It fires no sync while the machine has no link but loopback.
export function whyNoChromium() {
  if (!existsSync(kChromium)) return `${kChromium} is not installed`;
  const links = Object.values(networkInterfaces()).flat();
  return links.some(link => !link.internal) ? undefined : 'this machine is offline, and Chromium fires no sync offline';
}

// executablePath: a wrapper, for instance one that enters a network namespace. flags: more of them.
export async function openChromium({ executablePath = kChromium, flags = [] } = {}) {
  const context = await chromium.launchPersistentContext(makeFolder('chromium'), {
    executablePath,
    headless: true,
    args: [...kFlags, ...flags],
  });
  return new Browser(context);
}

class Browser {
  #sessions = new Map();  // page → { session, registrations }

  constructor(context) {
    this.context = context;
  }

  close() {
    return this.context.close();
  }

  // Opens the app and waits for its active worker.
  async openApp(url) {
    const page = await this.context.newPage();
    await page.goto(url);
    await page.evaluate(async () => { await navigator.serviceWorker.ready; });
    return page;
  }

  // The page's DevTools session with the ServiceWorker domain on.
  async devtools(page) {
    if (!this.#sessions.has(page)) {
      const session = await this.context.newCDPSession(page);
      const state = { session, registrations: new Map(), versions: new Map(), tell: new Set() };
      const changed = () => state.tell.forEach(look => look());
      session.on('ServiceWorker.workerRegistrationUpdated', event => {
        for (const item of event.registrations) state.registrations.set(item.scopeURL, item.registrationId);
        changed();
      });
      session.on('ServiceWorker.workerVersionUpdated', event => {
        for (const item of event.versions) state.versions.set(item.registrationId, item);
        changed();
      });
      this.#sessions.set(page, state);
      await session.send('ServiceWorker.enable');
    }
    return this.#sessions.get(page);
  }

  // Resolves when observe(state) gives a value, with that value.
  async #when(page, observe) {
    const state = await this.devtools(page);
    return new Promise(resolve => {
      const look = () => {
        const value = observe(state);
        if (value === undefined) return;
        state.tell.delete(look);
        resolve(value);
      };
      state.tell.add(look);
      look();
    });
  }

  registrationId(page, scope) {
    return this.#when(page, state => state.registrations.get(scope));
  }

  async dispatchSync(page, scope, tag) {
    const registrationId = await this.registrationId(page, scope);
    const { session } = await this.devtools(page);
    await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(scope).origin, registrationId, tag, lastChance: false });
  }

  async dispatchPeriodicSync(page, scope, tag) {
    const registrationId = await this.registrationId(page, scope);
    const { session } = await this.devtools(page);
    await session.send('ServiceWorker.dispatchPeriodicSyncEvent', { origin: new URL(scope).origin, registrationId, tag });
  }

  async allowPeriodicSync(page, url) {
    const { session } = await this.devtools(page);
    await session.send('Browser.setPermission', {
      permission: { name: 'periodic-background-sync' }, setting: 'granted', origin: new URL(url).origin,
    });
  }

  // Resolves when the active worker of that scope is stopped.
  async stopWorker(page, scope) {
    const registrationId = await this.registrationId(page, scope);
    const { session } = await this.devtools(page);
    const version = await this.#when(page, state => state.versions.get(registrationId));
    await session.send('ServiceWorker.stopWorker', { versionId: version.versionId });
    await this.#when(page, state => (state.versions.get(registrationId)?.runningStatus === 'stopped' ? true : undefined));
  }
}
