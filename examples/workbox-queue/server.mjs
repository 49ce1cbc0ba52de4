// node server.mjs [--port 8080] [--host 127.0.0.1] [--data DIR]
// The social feed's server with this app's files, and Workbox as its npm packages carry it.
import { fileURLToPath } from 'node:url';
import { runServer } from '../social-feed/server/command.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const packageFile = path => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

await runServer('workbox-queue', {
  mounts: [
    { prefix: '/lib/workbox-core.js', file: packageFile('workbox-core/build/workbox-core.prod.js') },
    { prefix: '/lib/workbox-background-sync.js', file: packageFile('workbox-background-sync/build/workbox-background-sync.prod.js') },
    { prefix: '/', folder: `${here}public` },
  ],
  defaultData: `${here}data`,
});
