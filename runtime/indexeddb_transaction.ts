// Indexed Database API §2.7, §4.10: IDBTransaction, and its life.
//
// A transaction is active until the end of the microtask checkpoint after the script that made it, and while its
// requests' events are dispatched. What was asked for goes out then; and if nobody listens for a success, nothing more
// can be asked for, so that the commit goes along. Messages begin transactions in the order in which scripts created
// them, because that order decides who waits for whom.
import type { IdbResult } from "#ipc/storage.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, EventTarget, fireInTask, isHeard, setEventParent } from "./events.ts";
import { Conversation, type Entry, type Owner, type PartialOperation } from "./indexeddb_conversation.ts";
import { IDBDatabase } from "./indexeddb_database.ts";
import { failure } from "./indexeddb_range.ts";
import { IDBRequest } from "./indexeddb_request.ts";
import { DOMStringList, type StoreSchema } from "./indexeddb_schema.ts";
import { IDBObjectStore } from "./indexeddb_store.ts";
import { native, onCheckpointEnd } from "./native.ts";
import { setRuntimeTimer } from "./timers.ts";
import { defineInterface, DOMString } from "./webidl.ts";

const awaitsSuccess = (request: IDBRequest) => isHeard(request, "success");

export type Mode = "readonly" | "readwrite" | "versionchange";

// Creation order of those whose begin was not sent yet.
const unbegun = new Set<IDBTransaction>();
// Active since they were made: until the microtask checkpoint ends.
let fresh: IDBTransaction[] = [];
onCheckpointEnd(() => {
  const made = fresh;
  fresh = [];
  for (const transaction of made) IDBTransaction.endTurn(transaction);
});

export class IDBTransaction extends EventTarget {
  #db: IDBDatabase;
  #mode: Mode;
  #durability: string;
  #scope: StoreSchema[];
  #state: "active" | "inactive" | "committing" | "finished" = "inactive";
  #error: DOMException | null = null;
  #handles = new Map<StoreSchema, IDBObjectStore>();
  #conversation: Conversation;
  #writes = 0;
  #ended = false;
  #onEnd: (() => void)[] = [];
  #revert: (() => void) | null = null;

  constructor(db: IDBDatabase, id: number, mode: Mode, durability: string, scope: StoreSchema[]) {
    super();
    this.#db = db;
    this.#mode = mode;
    this.#durability = durability;
    this.#scope = scope;
    setEventParent(this, db);
    const begin = { write: mode === "readwrite", stores: scope.map((store) => store.id), strict: durability === "strict" };
    const upgrade = mode === "versionchange";
    const connection = IDBDatabase.connectionOf(db);
    this.#conversation = new Conversation(this.#owner(), connection, id, upgrade ? null : begin);
    if (upgrade) return;
    this.#state = "active";
    unbegun.add(this);
    if (fresh.push(this) === 1) native.wantCheckpointEnd();
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
    if (this.#isOver) throw failure("objectStore", "IDBTransaction", "InvalidStateError", "The transaction has finished.");
    const stores = this.#mode === "versionchange" ? IDBDatabase.schemaOf(this.#db).stores : this.#scope;
    const store = stores.find((each) => each.name === name);
    if (!store) throw failure("objectStore", "IDBTransaction", "NotFoundError", "The specified object store was not found.");
    return IDBTransaction.handleOf(this, store);
  }
  commit(): void {
    if (this.#state !== "active") {
      const message = this.#state === "inactive" ? "The transaction is not active." : "The transaction has finished.";
      throw failure("commit", "IDBTransaction", "InvalidStateError", message);
    }
    this.#state = "committing";
  }
  abort(): void {
    if (this.#state === "committing" || this.#isOver || !this.#abort(null)) {
      throw failure("abort", "IDBTransaction", "InvalidStateError", "The transaction has finished or is committing.");
    }
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

  // ----------------------------------------------------------------------------------------------- requests
  static place(
    transaction: IDBTransaction,
    request: IDBRequest | null,
    operation: PartialOperation | null,
    convert: ((result: IdbResult) => unknown) | null,
    more: { job?: (done: () => void) => void; result?: IdbResult } = {},
  ): void {
    if (operation && !operation.read && !operation.count) ++transaction.#writes;
    transaction.#beginInOrder();
    transaction.#conversation.place({ request, operation, convert, job: more.job ?? null, result: more.result ?? null, records: null });
  }
  // For jobs: operations of the runtime's own, at once.
  static runNow(transaction: IDBTransaction, operations: PartialOperation[], then: (results: IdbResult[]) => void, resume = false): void {
    transaction.#conversation.runNow(operations, then, resume);
  }
  // For jobs: what has failed ends the transaction.
  static failWith(transaction: IDBTransaction, result: IdbResult): void {
    transaction.#abort(new DOMException(result.errorMessage, result.errorName));
  }
  // Begins it: a connection that closes keeps the transactions it knows.
  static begin(transaction: IDBTransaction): void {
    transaction.#flush(false);
  }
  // Those that were created before this one begin before it.
  #beginInOrder(): void {
    if (unbegun.size < 2 || this.#conversation.begun) return;
    for (const transaction of unbegun) {
      if (transaction === this) return;
      transaction.#flush(false);
    }
  }
  #flush(commit: boolean): void {
    this.#beginInOrder();
    unbegun.delete(this);
    this.#conversation.flush(commit);
  }

  // ----------------------------------------------------------------------------------------------- results
  #owner(): Owner {
    return {
      settle: (entry, result) => this.#settle(entry, result),
      drained: () => this.#drained(),
      committed: () => this.#complete(),
      failed: (name, message) => {
        this.#conversation.drop();
        this.#abort(new DOMException(message, name));
      },
    };
  }
  #settle({ request, convert }: Entry, result: IdbResult): void {
    const error = result.errorName ? new DOMException(result.errorMessage, result.errorName) : null;
    if (!request) {
      if (error) this.#abort(error);
      else convert?.(result);
      return;
    }
    if (error) return this.#fireError(request, error);
    try {
      IDBRequest.settle(request, convert ? convert(result) : undefined, null);
    } catch (thrown) {
      return this.#fireError(request, DOMException.isInstance(thrown) ? thrown : new DOMException(String(thrown), "DataError"));
    }
    if (!isHeard(request, "success")) return;
    this.#dispatch(request, new Event("success"));
    this.#endTurn();
  }
  #fireError(request: IDBRequest, error: DOMException): void {
    IDBRequest.settle(request, undefined, error);
    if (this.#dispatch(request, new Event("error", { bubbles: true, cancelable: true }))) this.#abort(error);
    this.#endTurn();
  }
  // The upgrade's own event.
  static fireUpgrade(transaction: IDBTransaction, request: IDBRequest, event: Event): void {
    transaction.#dispatch(request, event);
    transaction.#endTurn();
  }
  // False: the event was canceled.
  #dispatch(request: IDBRequest, event: Event): boolean {
    // Once the commit is on its way nothing can be added any more.
    if (this.#state === "inactive" && !this.#conversation.commitSent) this.#state = "active";
    const goOn = fireInTask(request, event);
    if (this.#state === "active") this.#state = "inactive";
    if (Event.stateOf(event).threw) this.#abort(new DOMException("Uncaught exception in event handler.", "AbortError"));
    return goOn;
  }
  get #isOver(): boolean {
    return this.#state === "finished";
  }

  // ----------------------------------------------------------------------------------------------- ending
  static endTurn(transaction: IDBTransaction): void {
    if (transaction.#state === "active") transaction.#state = "inactive";
    transaction.#endTurn();
  }
  #endTurn(): void {
    if (this.#isOver) return;
    // What comes after the last event is decided when all results that are here have had theirs.
    const last = this.#conversation.delivering && this.#conversation.empty;
    if (!last) this.#flush(this.#nothingFollows());
  }
  // No script will be called while the transaction could still be used.
  #nothingFollows(): boolean {
    return this.#state === "committing" || !this.#conversation.hasRequest(awaitsSuccess);
  }
  #drained(): void {
    if (this.#state === "active" || this.#isOver) return;
    this.#state = "committing";
    if (this.#mode !== "readonly" || !this.#conversation.answered) {
      this.#flush(true);
    } else {
      // What only reads has nothing left that could fail.
      this.#conversation.release();
      this.#complete();
    }
  }
  #complete(): void {
    this.#finish();
    this.#fireLast(new Event("complete"));
  }
  static abortWith(transaction: IDBTransaction, error: DOMException | null): void {
    transaction.#abort(error);
  }
  // False: it has been committed.
  #abort(error: DOMException | null): boolean {
    if (this.#isOver) return true;
    const { requests } = this.#conversation;
    if (!this.#conversation.abort()) return false;
    this.#finish();
    this.#error = error;
    this.#revert?.();
    setRuntimeTimer(() => {
      for (const request of requests) {
        IDBRequest.settle(request, undefined, new DOMException("The transaction was aborted, so the request cannot be fulfilled.", "AbortError"));
        fireInTask(request, new Event("error", { bubbles: true, cancelable: true }));
      }
      this.#fireLast(new Event("abort", { bubbles: true }));
    }, 0);
    return true;
  }
  #fireLast(event: Event): void {
    if (this.#mode === "versionchange") IDBDatabase.setUpgrade(this.#db, null);
    if (isHeard(this, event.type)) fireInTask(this, event);
    this.#end();
  }
  #finish(): void {
    this.#state = "finished";
    unbegun.delete(this);
  }
  #end(): void {
    this.#ended = true;
    for (const action of this.#onEnd) action();
    this.#onEnd = [];
  }
}
defineInterface(IDBTransaction, { name: "IDBTransaction", operations: { objectStore: [DOMString] } });
defineEventHandlers(IDBTransaction.prototype, ["abort", "complete", "error"], IDBTransaction.isInstance);
