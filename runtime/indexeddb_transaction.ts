// Indexed Database API §2.7, §4.10: IDBTransaction, and how its requests travel.
//
// Requests made in one turn of a task go to the daemon in one message, at its end (a microtask); the first message also
// begins the transaction. Nothing waits for an answer before it is sent. When a task has run to its end, promise
// reactions included, and no request is left, the commit goes out. Messages begin transactions in the order in which
// scripts created them, because that order decides who waits for whom.
import type { IdbOperation, IdbReply, IdbRequest_Run, IdbResult } from "#ipc/storage.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers, Event, EventTarget, fire, fireSimple, setEventParent } from "./events.ts";
import { IDBDatabase } from "./indexeddb_database.ts";
import { failure } from "./indexeddb_range.ts";
import { IDBRequest, isHeard } from "./indexeddb_request.ts";
import { DOMStringList, type StoreSchema } from "./indexeddb_schema.ts";
import { IDBObjectStore } from "./indexeddb_store.ts";
import { port } from "./port.ts";
import { setRuntimeTimer } from "./timers.ts";
import { defineInterface, DOMString } from "./webidl.ts";

export type Mode = "readonly" | "readwrite" | "versionchange";
export type PartialOperation = { store: number; index?: number } & Partial<Omit<IdbOperation, "store" | "index">>;

// One operation under way, or work of several operations that everything behind it waits for.
interface Entry {
  request: IDBRequest | null;
  operation: PartialOperation | null;
  // Makes the request's result. For reads of several records the parts are put together before.
  convert: ((result: IdbResult) => unknown) | null;
  job: ((done: () => void) => void) | null;
  partial: IdbResult | null;
  local: IdbResult | null; // the answer is known already
}

// Creation order of those whose begin was not sent yet.
const unbegun = new Set<IDBTransaction>();
// Active since they were made, or since an event: until the task ends.
const turn = new Set<IDBTransaction>();
let turnEndPending = false;

function endTurnLater(): void {
  if (turnEndPending) return;
  turnEndPending = true;
  setRuntimeTimer(() => {
    turnEndPending = false;
    const ended = [...turn];
    turn.clear();
    for (const transaction of ended) IDBTransaction.endTurn(transaction);
  }, 0);
}

export class IDBTransaction extends EventTarget {
  #db: IDBDatabase;
  #id: number;
  #mode: Mode;
  #durability: string;
  #scope: StoreSchema[];
  #state: "active" | "inactive" | "committing" | "finished" = "active";
  #error: DOMException | null = null;
  #begun: boolean;
  #handles = new Map<StoreSchema, IDBObjectStore>();
  #outgoing: Entry[] = [];
  #waiting = new Set<Entry>(); // sent or about to be; in order
  #runs = 0; // messages without an answer
  #results: { entry: Entry; result: IdbResult }[] = [];
  #delivering = false;
  #flushPending = false;
  #job = false;
  #writes = 0;
  #onEnd: (() => void)[] = [];
  #revert: (() => void) | null = null;

  constructor(db: IDBDatabase, id: number, mode: Mode, durability: string, scope: StoreSchema[]) {
    super();
    this.#db = db;
    this.#id = id;
    this.#mode = mode;
    this.#durability = durability;
    this.#scope = scope;
    this.#begun = mode === "versionchange";
    setEventParent(this, db);
    if (!this.#begun) unbegun.add(this);
    turn.add(this);
    endTurnLater();
  }

  get objectStoreNames(): DOMStringList {
    const stores = this.#mode === "versionchange" ? IDBDatabase.schemaOf(this.#db).stores : this.#scope;
    return new DOMStringList(stores.map((store) => store.name));
  }
  get mode(): Mode {
    return this.#mode;
  }
  get durability(): string {
    return this.#durability;
  }
  get db(): IDBDatabase {
    return this.#db;
  }
  get error(): DOMException | null {
    return this.#error;
  }
  objectStore(name: string): IDBObjectStore {
    if (this.#state === "finished") throw failure("objectStore", "IDBTransaction", "InvalidStateError", "The transaction has finished.");
    const stores = this.#mode === "versionchange" ? IDBDatabase.schemaOf(this.#db).stores : this.#scope;
    const store = stores.find((each) => each.name === name);
    if (!store) throw failure("objectStore", "IDBTransaction", "NotFoundError", "The specified object store was not found.");
    return IDBTransaction.handleOf(this, store);
  }
  commit(): void {
    if (this.#state !== "active") {
      const message = this.#state === "inactive" ? "The transaction is not active." : "The transaction has finished or is committing.";
      throw failure("commit", "IDBTransaction", "InvalidStateError", message);
    }
    this.#state = "committing";
    this.#flushLater();
  }
  abort(): void {
    if (this.#state === "committing" || this.#state === "finished") {
      throw failure("abort", "IDBTransaction", "InvalidStateError", "The transaction has finished or is committing.");
    }
    IDBTransaction.abortWith(this, null);
  }

  static override isInstance(value: unknown): value is IDBTransaction {
    return typeof value === "object" && value !== null && #mode in value;
  }
  static handleOf(transaction: IDBTransaction, store: StoreSchema): IDBObjectStore {
    let handle = transaction.#handles.get(store);
    if (!handle) transaction.#handles.set(store, (handle = new IDBObjectStore(transaction, store)));
    return handle;
  }
  static isFinished(transaction: IDBTransaction): boolean {
    return transaction.#state === "finished";
  }
  static isActive(transaction: IDBTransaction): boolean {
    return transaction.#state === "active";
  }
  // Counts what may change records: prefetched ones are stale after.
  static writesOf(transaction: IDBTransaction): number {
    return transaction.#writes;
  }
  // While the value is cloned, getters must not use the transaction.
  static whileInactive<T>(transaction: IDBTransaction, work: () => T): T {
    transaction.#state = "inactive";
    try {
      return work();
    } finally {
      if ((transaction.#state as string) === "inactive") transaction.#state = "active";
    }
  }
  static onEnd(transaction: IDBTransaction, action: () => void): void {
    if (transaction.#ended) action();
    else transaction.#onEnd.push(action);
  }
  static setRevert(transaction: IDBTransaction, revert: () => void): void {
    transaction.#revert = revert;
  }
  #ended = false;

  // ----------------------------------------------------------------------------------------------- sending
  static place(
    transaction: IDBTransaction,
    request: IDBRequest | null,
    operation: PartialOperation | null,
    convert: ((result: IdbResult) => unknown) | null,
    more: { job?: (done: () => void) => void; local?: IdbResult } = {},
  ): void {
    const entry = { request, operation, convert, job: more.job ?? null, partial: null, local: more.local ?? null };
    if (operation && !operation.read && !operation.count) ++transaction.#writes;
    transaction.#outgoing.push(entry);
    transaction.#waiting.add(entry);
    transaction.#flushLater();
  }
  // For jobs: operations of the runtime's own, at once.
  static runNow(transaction: IDBTransaction, operations: PartialOperation[], then: (results: IdbResult[]) => void, resume = false): void {
    transaction.#send({ operations: operations as IdbOperation[], resume }, (reply) => then(reply.results));
  }
  static isIdle(transaction: IDBTransaction): boolean {
    return transaction.#waiting.size === 0;
  }

  #flushLater(): void {
    if (this.#flushPending) return;
    this.#flushPending = true;
    queueMicrotask(() => {
      this.#flushPending = false;
      this.#flush();
    });
  }
  #flush(): void {
    if (this.#state === "finished" || this.#job) return;
    IDBTransaction.beginUpTo(this);
    const count = this.#outgoing.findIndex((entry) => entry.operation === null || entry.local !== null);
    const entries = this.#outgoing.splice(0, count < 0 ? this.#outgoing.length : count);
    // A commit must not overtake an error that the script has not seen.
    const parts = splitBySize(entries);
    const last = this.#outgoing.length === 0 && this.#waiting.size === entries.length && parts.length <= 1;
    const commit = this.#state === "committing" && last;
    if (parts.length === 0 && (commit || !this.#begun)) parts.push([]);
    for (const part of parts) this.#sendEntries(part, commit, false);
    const next = this.#outgoing[0];
    if (next?.job && this.#runs === 0) {
      this.#startJob(next);
    } else if (next?.local && this.#runs === 0) {
      this.#outgoing.shift();
      this.#results.push({ entry: next, result: next.local });
      setRuntimeTimer(() => this.#deliver(), 0);
      if (this.#outgoing.length > 0) this.#flushLater();
    }
  }
  #startJob(entry: Entry): void {
    this.#outgoing.shift();
    this.#job = true;
    entry.job!(() => {
      this.#job = false;
      this.#waiting.delete(entry);
      this.#flush();
      this.#endTurn();
    });
  }
  static begin(transaction: IDBTransaction): void {
    IDBTransaction.beginUpTo(transaction);
    transaction.#flush();
  }
  // Begins, in order, all transactions that were created before this one.
  static beginUpTo(last: IDBTransaction): void {
    if (last.#begun) return;
    for (const transaction of unbegun) {
      if (transaction === last) return;
      transaction.#flush();
      if (!transaction.#begun) transaction.#sendEntries([], false, false);
    }
  }
  #sendEntries(entries: Entry[], commit: boolean, resume: boolean): void {
    const run = { operations: entries.map((entry) => entry.operation as IdbOperation), commit, resume };
    this.#send(run, (reply) => this.#receive(reply, entries, commit));
  }
  #send(run: Partial<IdbRequest_Run>, then: (reply: IdbReply) => void): void {
    const message: Partial<IdbRequest_Run> = { ...run, connection: IDBDatabase.connectionOf(this.#db), transaction: this.#id };
    if (!this.#begun) {
      this.#begun = true;
      unbegun.delete(this);
      message.begin = {
        write: this.#mode === "readwrite",
        stores: this.#scope.map((store) => store.id),
        strict: this.#durability === "strict",
      };
    }
    ++this.#runs;
    port.request({ idb: { run: message } }).then(
      (reply) => {
        --this.#runs;
        if (this.#state === "finished") return;
        if (reply.idb!.errorName !== "") this.#fail(reply.idb!.errorName, reply.idb!.errorMessage);
        else then(reply.idb!);
      },
      (error: Error) => {
        --this.#runs;
        if (this.#state !== "finished") this.#fail("UnknownError", error.message);
      },
    );
  }
  #fail(name: string, message: string): void {
    IDBTransaction.abortWith(this, new DOMException(message, name));
  }

  // ----------------------------------------------------------------------------------------------- receiving
  #receive(reply: IdbReply, entries: Entry[], commit: boolean): void {
    const { results } = reply;
    for (let i = 0; i < results.length; ++i) {
      const entry = entries[i]!;
      const result = results[i]!;
      if (entry.partial) result.records = entry.partial.records.concat(result.records);
      if (result.more) {
        // The reply was full: the rest of this read, and of the message, is asked for again.
        entry.partial = result;
        const rest = entries.slice(i);
        entry.operation = readOn(entry.operation!, result);
        this.#sendEntries(rest, commit, true);
        break;
      }
      this.#results.push({ entry, result });
    }
    if (reply.committed) {
      this.#state = "committing";
      this.#results.push({ entry: { request: null, operation: null, convert: () => this.#complete(), job: null, partial: null, local: null }, result: {} as IdbResult });
    }
    this.#deliver();
  }
  // Gives results to the requests, each event in a task of its own.
  #deliver(): void {
    if (this.#delivering) return;
    while (this.#results.length > 0 && this.#state !== "finished") {
      const { entry, result } = this.#results.shift()!;
      this.#waiting.delete(entry);
      if (!this.#settle(entry, result)) continue;
      if (this.#results.length > 0) {
        this.#delivering = true;
        setRuntimeTimer(() => {
          this.#delivering = false;
          this.#deliver();
        }, 0);
        return;
      }
    }
    this.#endTurn();
    if (this.#outgoing.length > 0) this.#flushLater();
  }
  // True: an event was fired.
  #settle({ request, convert }: Entry, result: IdbResult): boolean {
    const error = result.errorName ? new DOMException(result.errorMessage, result.errorName) : null;
    if (!request) {
      if (error) IDBTransaction.abortWith(this, error);
      else convert?.(result);
      return false;
    }
    if (error) {
      IDBRequest.settle(request, undefined, error);
      return this.#fireError(request, error);
    }
    try {
      IDBRequest.settle(request, convert ? convert(result) : undefined, null);
    } catch (thrown) {
      const failed = DOMException.isInstance(thrown) ? thrown : new DOMException(String(thrown), "DataError");
      IDBRequest.settle(request, undefined, failed);
      return this.#fireError(request, failed);
    }
    if (!isHeard(request, "success")) return false;
    const event = new Event("success");
    this.#fireActive(request, event);
    if (Event.listenerThrew(event) && !this.#isOver()) this.#abortAfterThrow();
    return true;
  }
  #fireError(request: IDBRequest, error: DOMException): boolean {
    const event = new Event("error", { bubbles: true, cancelable: true });
    const goOn = this.#fireActive(request, event);
    if (this.#isOver()) return true;
    if (Event.listenerThrew(event)) this.#abortAfterThrow();
    else if (goOn) IDBTransaction.abortWith(this, error);
    return true;
  }
  #fireActive(request: IDBRequest, event: Event): boolean {
    if (this.#state === "inactive") this.#state = "active";
    turn.add(this);
    endTurnLater();
    return fire(request, event);
  }
  #isOver(): boolean {
    return this.#state === "finished";
  }
  #abortAfterThrow(): void {
    IDBTransaction.abortWith(this, new DOMException("Uncaught exception in event handler.", "AbortError"));
  }

  // ----------------------------------------------------------------------------------------------- ending
  static endTurn(transaction: IDBTransaction): void {
    if (transaction.#state === "active") transaction.#state = "inactive";
    transaction.#endTurn();
  }
  // Active again, for upgradeneeded.
  static fireUpgrade(transaction: IDBTransaction, dispatch: () => Event): void {
    transaction.#state = "active";
    turn.add(transaction);
    endTurnLater();
    const event = dispatch();
    if (Event.listenerThrew(event) && !transaction.#isOver()) transaction.#abortAfterThrow();
  }
  // Commits when nothing is left to do.
  #endTurn(): void {
    if (turn.has(this) && this.#state === "active") return;
    if (this.#waiting.size > 0 || this.#results.length > 0 || this.#runs > 0 || this.#job) return;
    if (this.#state === "inactive") this.#state = "committing";
    else if (this.#state !== "committing") return;
    IDBTransaction.beginUpTo(this);
    this.#sendEntries([], true, false);
  }
  #complete(): void {
    this.#finish();
    fireSimple(this, "complete");
    this.#end();
  }
  static failWith(transaction: IDBTransaction, result: IdbResult): void {
    transaction.#fail(result.errorName, result.errorMessage);
  }
  static abortWith(transaction: IDBTransaction, error: DOMException | null): void {
    transaction.#abort(error);
  }
  #abort(error: DOMException | null): void {
    if (this.#state === "finished") return;
    const told = this.#begun;
    const requests = [...this.#waiting].flatMap(({ request }) => (request ? [request] : []));
    this.#finish();
    this.#error = error;
    this.#revert?.();
    if (told) {
      const run = { connection: IDBDatabase.connectionOf(this.#db), transaction: this.#id, abort: true };
      port.request({ idb: { run } }).catch(() => {});
    }
    setRuntimeTimer(() => {
      for (const request of requests) {
        IDBRequest.settle(request, undefined, new DOMException("The transaction was aborted, so the request cannot be fulfilled.", "AbortError"));
        fireSimple(request, "error", { bubbles: true, cancelable: true });
      }
      fireSimple(this, "abort", { bubbles: true });
      this.#end();
    }, 0);
  }
  #finish(): void {
    this.#state = "finished";
    unbegun.delete(this);
    turn.delete(this);
    this.#outgoing = [];
    this.#waiting.clear();
    this.#results = [];
  }
  #end(): void {
    this.#ended = true;
    for (const action of this.#onEnd) action();
    this.#onEnd = [];
  }
}
defineInterface(IDBTransaction, { name: "IDBTransaction", operations: { objectStore: [DOMString] } });
defineEventHandlers(IDBTransaction.prototype, ["abort", "complete", "error"], IDBTransaction.isInstance);

// So that no message comes near the limit of a frame.
function splitBySize(entries: Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let size = maxMessage;
  for (const entry of entries) {
    const more = (entry.operation?.put?.value.length ?? 0) + 128;
    if (size + more > maxMessage) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(entry);
    size += more;
  }
  return parts;
}
const maxMessage = 1 << 20;

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
const queueMicrotask = ((resolved, then) => (run: () => void): void => {
  Reflect.apply(then, resolved, [run]);
})(Promise.resolve(), Promise.prototype.then);
