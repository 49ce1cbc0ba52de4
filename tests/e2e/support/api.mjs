// The daemon's local API over its Unix socket, without a process per call.
import { Agent, request } from 'node:http';
import { join } from 'node:path';

// The daemon refused the call. code: the API's name of the error.
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// The daemon went away before it answered: nobody knows whether the call was carried out.
export class Unanswered extends Error {}

export class Api {
  constructor(dataDirectory) {
    this.socketPath = join(dataDirectory, 'vigil.sock');
    this.agent = new Agent({ keepAlive: true });
  }

  close() {
    this.agent.destroy();
  }

  get(path) {
    return this.call('GET', path);
  }

  post(path, body) {
    return this.call('POST', path, body);
  }

  call(method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const options = {
        socketPath: this.socketPath, agent: this.agent, method, path,
        headers: { Host: 'vigil', 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
      };
      const lost = error => reject(new Unanswered(`${method} ${path}: ${error.message}`));
      const call = request(options, response => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', part => { answer += part; });
        response.on('error', lost);
        response.on('end', () => {
          try {
            resolve(readAnswer(response, answer));
          } catch (error) {
            reject(error);
          }
        });
      });
      call.on('error', lost);
      call.end(text);
    });
  }

  // The value of an expression, or of its promise, in an open page.
  async evaluate(page, code) {
    const outcome = await this.post(`/v1/pages/${encodeURIComponent(page)}/evaluate`, { code, name: 'torture' });
    if (!outcome.ok) throw new Refused('script', outcome.text);
    return outcome.value;
  }

  async openPage(url) {
    return (await this.post('/v1/pages', { url, keep: true })).page.id;
  }

  syncs() {
    return this.get('/v1/syncs');
  }
}

// One JSON document, or lines of which the last one is the answer.
function readAnswer(response, text) {
  if (!response.complete) throw new Unanswered('the answer was cut off');
  const lines = text.split('\n').filter(line => line !== '');
  if (lines.length === 0) throw new Unanswered('an empty answer');
  const answer = JSON.parse(lines.at(-1));
  if (answer.error) throw new Refused(answer.error.code, answer.error.message);
  return answer;
}
