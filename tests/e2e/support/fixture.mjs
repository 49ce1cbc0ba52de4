// What most tests start with: a daemon and an app, ended after the test.
import { serveFiles } from './app-server.mjs';
import { AppServer } from './app-server.mjs';
import { Vigil } from './vigil.mjs';

export const kManual = ['--network', 'manual'];
export const kVirtual = ['--clock', 'virtual', '--network', 'manual'];

// A daemon that is online, for this test.
export async function startVigil(t, options = kManual) {
  const vigil = await Vigil.start({ options });
  t.after(() => vigil.stop());
  await vigil.call('network', 'online');
  return vigil;
}

export async function startServer(t, name) {
  const server = await AppServer.start(name);
  t.after(() => server.stop());
  return server;
}

export async function startFiles(t, files, options) {
  const server = await serveFiles(files, options);
  t.after(() => server.close());
  return server;
}

// Publishes through the article's function, in a page of its own. Resolves with the page's console lines.
export function publish(vigil, url, ...texts) {
  return vigil.inPage(url, texts.map(text => `await publishPostOnConnected(createPost(${JSON.stringify(text)}));`).join('\n'));
}

// The outcome of one call in a page: 'ok', or the name of the exception.
export function outcomeInPage(vigil, url, call) {
  return vigil.valueInPage(url,
    `navigator.serviceWorker.ready.then(registration => ${call}).then(() => 'ok', error => error.name)`);
}

export const tagsOf = syncs => syncs.map(sync => sync.tag).sort();
