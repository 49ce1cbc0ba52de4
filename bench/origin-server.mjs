// Starts server.mjs and reads what it saw.
import { join } from 'node:path';
import { Process, kNode, kRoot } from '../tests/e2e/support/processes.mjs';

export class OriginServer {
  // prefix: a command that server runs under, for instance one that enters a network namespace.
  static async start({ hosts = 1, prefix = [] } = {}) {
    const server = new OriginServer();
    const command = [...prefix, kNode, join(kRoot, 'bench/server.mjs'), String(hosts)];
    server.process = new Process(command[0], command.slice(1));
    server.port = Number((await server.process.line('ready ')).split(' ')[1]);
    server.url = server.origin(1);
    return server;
  }

  origin(number) {
    return `http://127.0.0.${number}:${this.port}/`;
  }

  // The requests seen so far, for that path.
  requests(path) {
    return this.process.lines('stdout').filter(line => line.startsWith('{')).map(line => JSON.parse(line)).filter(line => line.path === path);
  }

  // Resolves with the count-th request for that path.
  async request(path, count) {
    const line = await this.process.line(text => text.startsWith(`{"path":"${path}"`), { count, seconds: 300 });
    return JSON.parse(line);
  }

  // Resolves when the queue is drained: posts per second, from the first one's arrival to the last one's.
  async postsPerSecond(count) {
    await this.request('/drained', 1);
    const posts = this.requests('/posts');
    if (posts.length !== count) throw new Error(`${posts.length} posts arrived instead of ${count}`);
    return (count - 1) / ((posts.at(-1).atUs - posts[0].atUs) / 1e6);
  }

  stop() {
    return this.process.kill();
  }
}
