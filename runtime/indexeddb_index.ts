// Indexed Database API §4.6: IDBIndex.
import { type Direction, readOperations } from "./indexeddb_arguments.ts";
import type { CursorSource } from "./indexeddb_cursor.ts";
import { failure } from "./indexeddb_range.ts";
import { Reader } from "./indexeddb_read.ts";
import type { IDBRequest } from "./indexeddb_request.ts";
import { encodeName, type IndexSchema } from "./indexeddb_schema.ts";
import type { IDBObjectStore } from "./indexeddb_store.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { defineInterface, DOMString } from "./webidl.ts";

export class IDBIndex {
  #store: IDBObjectStore;
  #source: CursorSource;
  #schema: IndexSchema;
  #reader: Reader;

  constructor(store: IDBObjectStore, source: CursorSource, schema: IndexSchema) {
    this.#store = store;
    this.#source = { ...source, handle: this, index: schema, check: (operation) => this.#check(operation) };
    this.#schema = schema;
    this.#reader = new Reader(this.#source, "IDBIndex");
  }
  get name(): string {
    return this.#schema.name;
  }
  set name(name: string) {
    const { transaction, store } = this.#source;
    const fail = (error: string, message: string) => {
      throw failure("name", "IDBIndex", error, message);
    };
    if (transaction.mode !== "versionchange") fail("InvalidStateError", "The database is not running a version change transaction.");
    if (!IDBTransaction.isActive(transaction)) fail("TransactionInactiveError", "The transaction is not active.");
    if (this.#gone) fail("InvalidStateError", "The index or its object store has been deleted.");
    if (name === this.#schema.name) return;
    if (store.indexes.some((index) => index.name === name)) fail("ConstraintError", "An index with the specified name already exists.");
    this.#schema.name = name;
    IDBTransaction.place(transaction, null, { store: store.id, index: this.#schema.id, renameIndex: encodeName(name) }, null);
  }
  get objectStore(): IDBObjectStore {
    return this.#store;
  }
  get keyPath(): unknown {
    return this.#schema.keyPath;
  }
  get multiEntry(): boolean {
    return this.#schema.multiEntry;
  }
  get unique(): boolean {
    return this.#schema.unique;
  }
  get(query: unknown): IDBRequest {
    return this.#reader.get(query);
  }
  getKey(query: unknown): IDBRequest {
    return this.#reader.getKey(query);
  }
  getAll(query: unknown = undefined, count: unknown = undefined): IDBRequest {
    return this.#reader.many("getAll", query, count);
  }
  getAllKeys(query: unknown = undefined, count: unknown = undefined): IDBRequest {
    return this.#reader.many("getAllKeys", query, count);
  }
  getAllRecords(options: unknown = undefined): IDBRequest {
    return this.#reader.many("getAllRecords", options, undefined);
  }
  count(query: unknown = undefined): IDBRequest {
    return this.#reader.count(query);
  }
  openCursor(query: unknown = undefined, direction: Direction = "next"): IDBRequest {
    return this.#reader.openCursor("openCursor", query, direction);
  }
  openKeyCursor(query: unknown = undefined, direction: Direction = "next"): IDBRequest {
    return this.#reader.openCursor("openKeyCursor", query, direction);
  }

  get #gone(): boolean {
    return this.#schema.deleted || this.#source.store.deleted;
  }
  #check(operation: string): void {
    if (this.#gone) throw failure(operation, "IDBIndex", "InvalidStateError", "The index or its object store has been deleted.");
    const { transaction } = this.#source;
    if (IDBTransaction.isActive(transaction)) return;
    const message = IDBTransaction.isFinished(transaction) ? "The transaction has finished." : "The transaction is not active.";
    throw failure(operation, "IDBIndex", "TransactionInactiveError", message);
  }
  static isInstance(value: unknown): value is IDBIndex {
    return typeof value === "object" && value !== null && #schema in value;
  }
}
defineInterface(IDBIndex, { name: "IDBIndex", setters: { name: DOMString }, operations: readOperations });
