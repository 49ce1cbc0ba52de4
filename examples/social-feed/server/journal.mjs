// The server's memory: an append-only file, one JSON document a line, each line on the disk before anybody hears of it.
import { open, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export class Journal {
  #file;
  #waiting = [];
  #flushing = false;

  // Opens or creates the file. Returns the journal and what it holds. A last line that was cut off by a crash was never
  // acknowledged; it is dropped.
  static async open(path) {
    await mkdir(dirname(path), { recursive: true });
    let text = '';
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const entries = whole.split('\n').filter(line => line !== '').map(line => JSON.parse(line));
    const file = await open(path, 'a');
    if (whole.length !== text.length) {
      await file.truncate(Buffer.byteLength(whole));
    }
    const folder = await open(dirname(path));
    await folder.sync();
    await folder.close();
    return { journal: new Journal(file), entries };
  }

  constructor(file) {
    this.#file = file;
  }

  // Resolves when the entry is on the disk. Entries that arrive while the disk is busy share one write.
  append(entry) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: `${JSON.stringify(entry)}\n`, resolve, reject });
      this.#flush();
    });
  }

  async #flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#file.appendFile(batch.map(item => item.line).join(''));
        await this.#file.datasync();
        batch.forEach(item => item.resolve());
      } catch (error) {
        batch.forEach(item => item.reject(error));
      }
    }
    this.#flushing = false;
  }

  close() {
    return this.#file.close();
  }
}
