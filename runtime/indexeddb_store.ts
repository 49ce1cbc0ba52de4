// Indexed Database API §4.5: IDBObjectStore.
import { type Direction, readOperations } from "./indexeddb_arguments.ts";
import type { CursorSource } from "./indexeddb_cursor.ts";
import { IDBDatabase } from "./indexeddb_database.ts";
import { IDBIndex } from "./indexeddb_index.ts";
import { indexKeys, isValidKeyPath, toKeyPath } from "./indexeddb_key_path.ts";
import { putInto } from "./indexeddb_put.ts";
import { everything, failure, requireKey, toRange } from "./indexeddb_range.ts";
import { primaryOf, Reader, readOf, valueOf } from "./indexeddb_read.ts";
import { IDBRequest } from "./indexeddb_request.ts";
import { DOMStringList, encodeKeyPath, encodeName, type IndexSchema, type StoreSchema } from "./indexeddb_schema.ts";
import type { PartialOperation } from "./indexeddb_conversation.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { any, boolean, converter, defineInterface, dictionary, type Dictionary, DOMString, member } from "./webidl.ts";

const keyPathArgument = converter(toKeyPath);

export class IDBObjectStore {
  #transaction: IDBTransaction;
  #schema: StoreSchema;
  #source: CursorSource;
  #reader: Reader;
  #indexes = new Map<IndexSchema, IDBIndex>();

  constructor(transaction: IDBTransaction, schema: StoreSchema) {
    this.#transaction = transaction;
    this.#schema = schema;
    this.#source = { handle: this, transaction, store: schema, index: null, check: (operation) => this.#check(operation) };
    this.#reader = new Reader(this.#source, "IDBObjectStore");
  }
  get name(): string {
    return this.#schema.name;
  }
  set name(name: string) {
    const fail = (error: string, message: string) => {
      throw failure("name", "IDBObjectStore", error, message);
    };
    if (this.#schema.deleted) fail("InvalidStateError", "The object store has been deleted.");
    if (this.#transaction.mode !== "versionchange") fail("InvalidStateError", "The database is not running a version change transaction.");
    if (!IDBTransaction.isActive(this.#transaction)) fail("TransactionInactiveError", "The transaction is not active.");
    if (name === this.#schema.name) return;
    if (IDBDatabase.schemaOf(this.#transaction.db).stores.some((store) => store.name === name)) {
      fail("ConstraintError", "An object store with the specified name already exists.");
    }
    this.#schema.name = name;
    IDBTransaction.place(this.#transaction, null, { store: this.#schema.id, index: 0, renameStore: encodeName(name) }, null);
  }
  get keyPath(): unknown {
    return this.#schema.keyPath;
  }
  get indexNames(): DOMStringList {
    return new DOMStringList(this.#schema.deleted ? [] : this.#schema.indexes.map((index) => index.name));
  }
  get transaction(): IDBTransaction {
    return this.#transaction;
  }
  get autoIncrement(): boolean {
    return this.#schema.autoIncrement;
  }

  put(value: unknown, key: unknown = undefined): IDBRequest {
    return this.#put("put", value, key);
  }
  add(value: unknown, key: unknown = undefined): IDBRequest {
    return this.#put("add", value, key);
  }
  #put(operation: "put" | "add", value: unknown, key: unknown): IDBRequest {
    this.#checkWritable(operation);
    const { keyPath, autoIncrement } = this.#schema;
    const fail = (message: string) => {
      throw failure(operation, "IDBObjectStore", "DataError", message);
    };
    if (keyPath !== null && key !== undefined) fail("The object store uses in-line keys and the key parameter was provided.");
    if (keyPath === null && !autoIncrement && key === undefined) {
      fail("The object store uses out-of-line keys and has no key generator and the key parameter was not provided.");
    }
    const given = key === undefined ? null : requireKey(key, operation, "IDBObjectStore");
    return putInto({
      source: this.#source, handle: this, operation, type: "IDBObjectStore", value, add: operation === "add", key: given,
    });
  }
  delete(query: unknown): IDBRequest {
    this.#checkWritable("delete");
    const deleteRange = toRange(query, "delete", "IDBObjectStore", true);
    return this.#request({ deleteRange });
  }
  clear(): IDBRequest {
    this.#checkWritable("clear");
    return this.#request({ clear: true });
  }
  #request(operation: Pick<PartialOperation, "deleteRange" | "clear">): IDBRequest {
    const request = new IDBRequest(this, this.#transaction);
    IDBTransaction.place(this.#transaction, request, { store: this.#schema.id, index: 0, ...operation }, () => undefined);
    return request;
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

  index(name: string): IDBIndex {
    if (this.#schema.deleted) throw failure("index", "IDBObjectStore", "InvalidStateError", "The object store has been deleted.");
    if (IDBTransaction.isFinished(this.#transaction)) {
      throw failure("index", "IDBObjectStore", "InvalidStateError", "The transaction has finished.");
    }
    const index = this.#schema.indexes.find((each) => each.name === name);
    if (!index) throw failure("index", "IDBObjectStore", "NotFoundError", "The specified index was not found.");
    return this.#handleOf(index);
  }
  #handleOf(index: IndexSchema): IDBIndex {
    let handle = this.#indexes.get(index);
    if (!handle) this.#indexes.set(index, (handle = new IDBIndex(this, this.#source, index)));
    return handle;
  }
  createIndex(name: string, keyPath: string | string[], options: Dictionary = {}): IDBIndex {
    this.#checkUpgrade("createIndex");
    const fail = (error: string, message: string) => {
      throw failure("createIndex", "IDBObjectStore", error, message);
    };
    const unique = member(options, "IDBIndexParameters", "unique", boolean, false);
    const multiEntry = member(options, "IDBIndexParameters", "multiEntry", boolean, false);
    if (this.#schema.indexes.some((index) => index.name === name)) {
      fail("ConstraintError", "An index with the specified name already exists.");
    }
    if (!isValidKeyPath(keyPath)) fail("SyntaxError", "The keyPath argument contains an invalid key path.");
    if (Array.isArray(keyPath) && multiEntry) {
      fail("InvalidAccessError", "The keyPath argument was an array and the multiEntry option is true.");
    }
    const schema = IDBDatabase.schemaOf(this.#transaction.db);
    const index: IndexSchema = { id: schema.nextId++, name, keyPath, unique, multiEntry, deleted: false };
    this.#schema.indexes.push(index);
    const createIndex = { name: encodeName(name), keyPath: encodeKeyPath(keyPath), unique, multiEntry };
    IDBTransaction.place(this.#transaction, null, { store: this.#schema.id, index: index.id, createIndex }, null);
    if (!this.#schema.fresh) {
      IDBTransaction.place(this.#transaction, null, null, null, { job: (done) => this.#fill(index, new Uint8Array(), done) });
    }
    return this.#handleOf(index);
  }
  deleteIndex(name: string): void {
    this.#checkUpgrade("deleteIndex");
    const { indexes } = this.#schema;
    const position = indexes.findIndex((index) => index.name === name);
    if (position < 0) throw failure("deleteIndex", "IDBObjectStore", "NotFoundError", "The specified index was not found.");
    const [index] = indexes.splice(position, 1);
    index!.deleted = true;
    IDBTransaction.place(this.#transaction, null, { store: this.#schema.id, index: index!.id, deleteIndex: true }, null);
  }
  // Gives a new index the records that are there already: only the script's side can look into their values.
  #fill(index: IndexSchema, afterKey: Uint8Array, done: () => void): void {
    const store = this.#schema.id;
    const read = readOf(everything, { afterKey, limit: 256 });
    IDBTransaction.runNow(this.#transaction, [{ store, index: 0, read }], ([result]) => {
      const { records, more } = result!;
      if (records.length === 0) return done();
      const operations = records.map((record): PartialOperation => {
        const { keys } = indexKeys(valueOf(this.#schema, record), index.keyPath, index.multiEntry, null);
        return { store, index: index.id, setIndexKeys: { primary: primaryOf(record), keys } };
      });
      IDBTransaction.runNow(this.#transaction, operations, (results) => {
        const failed = results.find((each) => each.errorName !== "");
        if (failed) IDBTransaction.failWith(this.#transaction, failed);
        else this.#fill(index, records.at(-1)!.key, done);
      }, more);
    });
  }

  #check(operation: string): void {
    if (this.#schema.deleted) throw failure(operation, "IDBObjectStore", "InvalidStateError", "The object store has been deleted.");
    if (!IDBTransaction.isActive(this.#transaction)) {
      const finished = IDBTransaction.isFinished(this.#transaction);
      const message = finished ? "The transaction has finished." : "The transaction is not active.";
      throw failure(operation, "IDBObjectStore", "TransactionInactiveError", message);
    }
  }
  #checkWritable(operation: string): void {
    this.#check(operation);
    if (this.#transaction.mode === "readonly") {
      throw failure(operation, "IDBObjectStore", "ReadOnlyError", "The transaction is read-only.");
    }
  }
  #checkUpgrade(operation: string): void {
    if (this.#transaction.mode !== "versionchange") {
      throw failure(operation, "IDBObjectStore", "InvalidStateError", "The database is not running a version change transaction.");
    }
    this.#check(operation);
  }
  static isInstance(value: unknown): value is IDBObjectStore {
    return typeof value === "object" && value !== null && #schema in value;
  }
}
defineInterface(IDBObjectStore, {
  name: "IDBObjectStore",
  setters: { name: DOMString },
  operations: {
    ...readOperations,
    put: [any, any.optional()],
    add: [any, any.optional()],
    delete: [any],
    clear: [],
    index: [DOMString],
    createIndex: [DOMString, keyPathArgument, dictionary("IDBIndexParameters").optional({})],
    deleteIndex: [DOMString],
  },
});
