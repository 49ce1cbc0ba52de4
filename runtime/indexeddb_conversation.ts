// How the operations of one transaction travel to the daemon and their results come back (src/ipc/storage.proto,
// IdbRequest.Run).
//
// What is placed in one turn of a script goes out in one message at its end; the first message also begins the
// transaction, the last one commits it. Nothing waits for an answer before it is sent. Results are handed to the
// transaction in the order in which their operations were placed.
import type { IdbOperation, IdbRecord, IdbReply, IdbRequest_Begin, IdbRequest_Run, IdbResult } from "#ipc/storage.ts";
import type { IDBRequest } from "./indexeddb_request.ts";
import { port } from "./port.ts";
import { setRuntimeTimer } from "./timers.ts";

export type PartialOperation = { store: number; index: number } & Partial<Omit<IdbOperation, "store" | "index">>;

// One operation under way, or work of several operations that everything behind it waits for.
export interface Entry {
  request: IDBRequest | null;
  operation: PartialOperation | null;
  // Makes the request's result.
  convert: ((result: IdbResult) => unknown) | null;
  job: ((done: () => void) => void) | null;
  // Once it is known. An entry that has one when it is placed is not sent.
  result: IdbResult | null;
  // Of a read whose records come in several replies: those that have come.
  records: IdbRecord[] | null;
}
export interface Owner {
  // Fires the event, and runs what scripts left to do after it.
  settle(entry: Entry, result: IdbResult): void;
  // Every operation has been settled.
  drained(): void;
  committed(): void;
  failed(name: string, message: string): void;
}

// So that no message comes near the limit of a frame, and the daemon begins while a script still goes on.
const maxMessage = 1 << 20;
const maxOperations = 512;
// Events in a row before messages and timers have their turn.
const maxEvents = 128;
const committed: IdbResult = { errorName: "", errorMessage: "", key: new Uint8Array(), records: [], count: 0, more: false };

export class Conversation {
  #owner: Owner;
  #connection: number;
  #transaction: number;
  #begin: IdbRequest_Begin | null;
  #queue: Entry[] = []; // not settled, in order; those before #head are
  #head = 0;
  #next = 0; // the first that was not sent
  #runs = 0; // messages without an answer
  #unsentBytes = 0;
  #answered = false;
  #commitSent = false;
  #delivering = false;
  #inJob = false;
  #closed = false;

  // begin: null for the upgrade, which the daemon has begun.
  constructor(owner: Owner, connection: number, transaction: number, begin: IdbRequest_Begin | null) {
    this.#owner = owner;
    this.#connection = connection;
    this.#transaction = transaction;
    this.#begin = begin;
  }
  get begun(): boolean {
    return this.#begin === null;
  }
  // The daemon has let it start: it answered something.
  get answered(): boolean {
    return this.#answered;
  }
  get commitSent(): boolean {
    return this.#commitSent;
  }
  get delivering(): boolean {
    return this.#delivering;
  }
  // The requests that have no event yet, in order.
  get requests(): IDBRequest[] {
    return this.#queue.slice(this.#head).flatMap(({ request }) => (request ? [request] : []));
  }
  hasRequest(test: (request: IDBRequest) => boolean): boolean {
    for (let i = this.#head; i < this.#queue.length; ++i) {
      const { request } = this.#queue[i]!;
      if (request && test(request)) return true;
    }
    return false;
  }
  get empty(): boolean {
    return this.#head === this.#queue.length;
  }

  place(entry: Entry): void {
    this.#queue.push(entry);
    this.#unsentBytes += sizeOf(entry);
    if (entry.result) {
      if (!this.#delivering) setRuntimeTimer(() => this.#deliver(), 0);
    } else if (this.#unsentBytes > maxMessage || this.#queue.length - this.#next >= maxOperations) {
      this.flush(false);
    }
  }
  // Sends what was placed. commit: ends the transaction after it, unless something fails.
  flush(commit: boolean): void {
    if (this.#closed || this.#inJob) return;
    // The daemon looks at the operations of the commit's own message: it must not overtake another failure.
    const alone = this.#next === this.#head && this.#runs === 0;
    const unsent = this.#takeUnsent();
    if (unsent.length === 0 && !commit && !this.#begin) return this.#startJob();
    const parts = splitBySize(unsent);
    const last = commit && alone && parts.length <= 1 && this.#next === this.#queue.length;
    if (parts.length === 0 && (last || this.#begin)) parts.push([]);
    for (const part of parts) this.#sendEntries(part, last, false);
    this.#startJob();
  }
  // Operations of the runtime's own, at once: for jobs.
  runNow(operations: PartialOperation[], then: (results: IdbResult[]) => void, resume: boolean): void {
    this.#send({ operations: operations as IdbOperation[], resume, commit: false }, (reply) => then(reply.results));
  }
  // The end of a transaction that has only read: nobody has to wait for it.
  release(): void {
    this.#closed = true;
    port.tell({ idb: { run: this.#run({ commit: true }) } });
  }
  // Ends it without effect. False: the daemon had ended it before; its answer is on the way.
  abort(): boolean {
    if (this.begun && !this.#closed) {
      const run = this.#run({ abort: true });
      if (!this.#commitSent) port.tell({ idb: { run } });
      else if (port.requestSync({ idb: { run } }).idb!.errorName !== "") return false;
    }
    this.#closed = true;
    return true;
  }
  // The daemon has ended it.
  drop(): void {
    this.#closed = true;
  }

  #takeUnsent(): Entry[] {
    const entries: Entry[] = [];
    for (; this.#next < this.#queue.length; ++this.#next) {
      const entry = this.#queue[this.#next]!;
      if (entry.job) break;
      if (!entry.result) entries.push(entry);
    }
    this.#unsentBytes = 0;
    return entries;
  }
  #startJob(): void {
    const entry = this.#queue[this.#head];
    if (!entry?.job || this.#runs > 0 || this.#inJob) return;
    this.#inJob = true;
    entry.job(() => {
      this.#inJob = false;
      this.#dropHead();
      this.#next = this.#head;
      if (this.empty) this.#owner.drained();
      else this.flush(false);
    });
  }
  #dropHead(): void {
    ++this.#head;
    if (this.#head < 1024 && this.#head < this.#queue.length) return;
    // A cursor's walk has one operation at a time: no array is made for each.
    if (this.#queue.length === 1) this.#queue.pop();
    else this.#queue.splice(0, this.#head);
    this.#next = Math.max(0, this.#next - this.#head);
    this.#head = 0;
  }

  // ----------------------------------------------------------------------------------------------- messages
  #run(run: Partial<IdbRequest_Run>): IdbRequest_Run {
    const begin = this.#begin ?? undefined;
    this.#begin = null;
    return {
      connection: this.#connection, transaction: this.#transaction, begin, operations: [], commit: false, abort: false,
      resume: false, ...run,
    };
  }
  #sendEntries(entries: Entry[], commit: boolean, resume: boolean): void {
    if (commit) this.#commitSent = true;
    const operations = entries.map((entry) => entry.operation as IdbOperation);
    this.#send({ operations, commit, resume }, (reply) => this.#receive(reply, entries, commit));
  }
  #send(run: Partial<IdbRequest_Run>, then: (reply: IdbReply) => void): void {
    ++this.#runs;
    const answered = (reply: IdbReply | undefined, name: string, message: string) => {
      --this.#runs;
      if (this.#closed) return;
      this.#answered = true;
      if (name !== "") this.#owner.failed(name, message);
      else then(reply!);
    };
    port.ask(
      { idb: { run: this.#run(run) } },
      ({ idb }) => answered(idb!, idb!.errorName, idb!.errorMessage),
      (error: Error) => answered(undefined, "UnknownError", error.message),
    );
  }
  #receive(reply: IdbReply, entries: Entry[], commit: boolean): void {
    const { results } = reply;
    for (let i = 0; i < results.length; ++i) {
      const entry = entries[i]!;
      const result = results[i]!;
      const records = entry.records ? entry.records.concat(result.records) : result.records;
      if (result.more) {
        // The reply was full: the rest of this read, and of the message, is asked for again.
        entry.records = records;
        entry.operation = readOn(entry.operation!, result);
        this.#sendEntries(entries.slice(i), commit, true);
        break;
      }
      result.records = records;
      entry.result = result;
    }
    if (reply.committed) {
      this.#queue.push({ request: null, operation: null, convert: () => this.#owner.committed(), job: null, result: committed, records: null });
      this.#next = this.#queue.length;
    } else if (commit && !results.at(-1)?.more) {
      this.#commitSent = false;
    }
    this.#deliver();
  }

  // Hands over the results that are next, each event in a task of its own as far as scripts can tell.
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    let events = 0;
    while (!this.#closed && !this.empty && this.#queue[this.#head]!.result && events++ < maxEvents) {
      const entry = this.#queue[this.#head]!;
      const result = entry.result!;
      this.#next = Math.max(this.#next, this.#head + 1);
      this.#dropHead();
      this.#owner.settle(entry, result);
    }
    this.#delivering = false;
    if (this.#closed) return;
    if (this.empty) {
      if (this.#runs === 0) this.#owner.drained();
    } else if (this.#queue[this.#head]!.result) {
      setRuntimeTimer(() => this.#deliver(), 0);
    } else {
      this.#startJob();
    }
  }
}

function sizeOf({ operation }: Entry): number {
  return (operation?.put?.value.length ?? 0) + 128;
}
function splitBySize(entries: Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let size = maxMessage;
  for (const entry of entries) {
    const more = sizeOf(entry);
    if (size + more > maxMessage) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(entry);
    size += more;
  }
  return parts;
}

function readOn(operation: PartialOperation, result: IdbResult): PartialOperation {
  const read = { ...operation.read! };
  const last = result.records.at(-1);
  if (!last) return operation;
  // What was skipped and what was found is behind the new position.
  read.afterKey = last.key;
  read.afterPrimary = operation.index && !read.unique ? last.primary : new Uint8Array();
  read.targetKey = read.targetPrimary = new Uint8Array();
  read.skip = 0;
  if (read.limit > 0) read.limit -= result.records.length;
  return { ...operation, read };
}
