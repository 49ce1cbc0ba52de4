// A client of the DevTools protocol over a WebSocket, as small as a test needs it.
import WebSocket from 'ws';

export class Cdp {
  #socket;
  #last = 0;
  #waiting = new Map(); // id → settle
  #watchers = new Set();
  events = []; // everything that was not an answer, in order
  closed;

  static async connect(url, options) {
    const cdp = new Cdp();
    cdp.#socket = new WebSocket(url, options);
    cdp.closed = new Promise(resolve => cdp.#socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
    await new Promise((resolve, reject) => {
      cdp.#socket.once('open', resolve);
      cdp.#socket.once('error', reject);
    });
    cdp.#socket.on('message', data => cdp.#receive(JSON.parse(data)));
    return cdp;
  }

  #receive(message) {
    const settle = this.#waiting.get(message.id);
    if (message.id !== undefined && settle) {
      this.#waiting.delete(message.id);
      return settle(message);
    }
    this.events.push(message);
    for (const watcher of [...this.#watchers]) watcher(message);
  }

  raw(text) {
    this.#socket.send(text);
  }

  // Resolves with the whole answer, errors included.
  ask(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.raw(JSON.stringify({ id, method, params, sessionId }));
    return new Promise(resolve => this.#waiting.set(id, resolve));
  }

  async call(method, params, sessionId) {
    const { result, error } = await this.ask(method, params, sessionId);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  // The first event that fits, also if it has come already.
  event(method, fits = () => true, since = 0) {
    const matches = message => message.method === method && fits(message.params, message);
    const seen = this.events.slice(since).find(matches);
    if (seen) return Promise.resolve(seen);
    return new Promise(resolve => {
      const watcher = message => {
        if (!matches(message)) return;
        this.#watchers.delete(watcher);
        resolve(message);
      };
      this.#watchers.add(watcher);
    });
  }

  // Reads nothing more.
  pause() {
    this.#socket.pause();
  }

  close() {
    this.#socket.terminate();
  }
}

// The answer of /json/NAME.
export async function list(address, name = 'list') {
  const answer = await fetch(`http://${address}/json/${name}`);
  if (!answer.ok) throw new Error(`/json/${name}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// The address in the line by which the daemon says that it is ready.
export function devtoolsAddress(vigil) {
  return /developer tools on (\S+?)[ )]/.exec(vigil.process.text('stdout') + ' ')[1];
}
