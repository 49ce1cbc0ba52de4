// A daemon that runs tests, one after the other, each in a page of its own.
import { Vigil } from '../e2e/support/vigil.mjs';

// Hands over the results, and leaves no registration and no cookie behind for the next test.
const kCollect = `
const results = await globalThis.vigilResults;
for (const cookie of document.cookie.split('; ')) {
  const [name] = cookie.split('=');
  for (const path of ['', '; path=/']) document.cookie = name + '=; max-age=0' + path;
}
for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
return results;
`;

export class Browser {
  #options;
  #seconds;
  #vigil;

  // options: of vigil serve. seconds: how long a test may take.
  constructor(options, seconds) {
    this.#options = options;
    this.#seconds = seconds;
  }

  async #daemon() {
    this.#vigil ??= await Vigil.start({ options: this.#options });
    return this.#vigil;
  }

  // Resolves with { tests: [[name, status, message]], status, message }, or { error } if there are no results.
  async run(url) {
    const vigil = await this.#daemon();
    const page = vigil.begin('page', 'open', url, '--json', '--eval', kCollect);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      page.kill('SIGKILL');
    }, this.#seconds * 1000);
    await page.ended;
    clearTimeout(limit);
    const answer = late ? { error: `no results within ${this.#seconds} s` } : read(page.text('stdout'), page.text('stderr'));
    // What a lost test left behind must not disturb the next one.
    if (answer.error) await this.close();
    return answer;
  }

  async close() {
    const vigil = this.#vigil;
    this.#vigil = undefined;
    if (vigil) await vigil.kill();
  }
}

function read(output, errors) {
  try {
    const { script, console } = JSON.parse(output);
    if (script?.value?.tests) return script.value;
    return { error: [script?.text, ...(console ?? []).map(line => line.text)].filter(Boolean).join(' / ') || 'no results' };
  } catch {
    return { error: errors || output || 'no answer' };
  }
}
