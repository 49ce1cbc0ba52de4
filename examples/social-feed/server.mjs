// node server.mjs [--port 8080] [--host 127.0.0.1] [--data DIR]
import { fileURLToPath } from 'node:url';
import { runServer } from './server/command.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
await runServer('social-feed', {
  mounts: [{ prefix: '/', folder: `${here}public` }],
  defaultData: `${here}data`,
});
