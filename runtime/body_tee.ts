// Streams "ReadableStreamDefaultTee" with cloneForBranch2, as Fetch clones a body: what the reader of one branch does
// to a chunk, the reader of the other one does not see.
import { ReadableStream } from "./streams.ts";
import { deserialize, serialize } from "./structured_clone.ts";

interface Branch {
  enqueue(chunk: unknown): void;
  close(): void;
  error(reason: unknown): void;
}

class Tee {
  #reader: { read(): Promise<{ value?: unknown; done: boolean }>; cancel(reason: unknown): Promise<void> };
  #branches: Branch[] = []; // of those that are not cancelled
  #reasons: unknown[] = [undefined, undefined];
  #cancelled = 0;
  #reading = false;
  #again = false;

  constructor(stream: ReadableStream<unknown>) {
    this.#reader = stream.getReader();
  }
  branch(index: number): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#branches[index] = controller as Branch;
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.#cancel(index, reason),
    });
  }
  #pull(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#reader.read().then(
      ({ value, done }) => (done ? this.#each((branch) => branch.close()) : this.#pass(value)),
      (reason: unknown) => this.#each((branch) => branch.error(reason)),
    );
  }
  #pass(value: unknown): void {
    this.#again = false;
    try {
      const copy = this.#branches[1] ? deserialize(serialize(value)) : undefined;
      this.#branches[0]?.enqueue(value);
      this.#branches[1]?.enqueue(copy);
    } catch (reason) {
      this.#each((branch) => branch.error(reason));
      void this.#reader.cancel(reason).catch(() => {});
      return;
    }
    this.#reading = false;
    if (this.#again) this.#pull();
  }
  #each(act: (branch: Branch) => void): void {
    for (const index of [0, 1]) if (this.#branches[index]) act(this.#branches[index]);
  }
  #cancel(index: number, reason: unknown): Promise<void> | undefined {
    delete this.#branches[index];
    this.#reasons[index] = reason;
    return ++this.#cancelled === 2 ? this.#reader.cancel(this.#reasons) : undefined;
  }
}

export function teeWithClones(
  stream: ReadableStream<unknown>,
): [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>] {
  const tee = new Tee(stream);
  return [tee.branch(0), tee.branch(1)];
}
