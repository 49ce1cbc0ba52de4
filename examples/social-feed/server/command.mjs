// The command line that the example servers share.
import { parseArgs } from 'node:util';
import { FeedServer } from './server.mjs';

function readOptions(name, defaultData) {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: defaultData },
      },
    }).values;
  } catch (error) {
    console.error(`${name}: ${error.message}\nusage: server.mjs [--port PORT] [--host ADDRESS] [--data DIR]`);
    process.exit(2);
  }
}

// Starts the server and prints one line when it accepts calls. Ends on SIGTERM or SIGINT.
export async function runServer(name, { mounts, defaultData }) {
  const { port, host, data } = readOptions(name, defaultData);
  let server;
  try {
    server = await FeedServer.start({ dataDir: data, mounts, host, port: Number(port) });
  } catch (error) {
    const reason = error.code === 'EADDRINUSE' ? `port ${port} is taken; choose another with --port` : error.message;
    console.error(`${name}: ${reason}`);
    process.exit(1);
  }
  console.log(`${name}: ready on http://${host}:${server.port}/`);
  const stop = async () => {
    await server.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
