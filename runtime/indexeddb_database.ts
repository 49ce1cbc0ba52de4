// Indexed Database API §4.4: IDBDatabase.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, EventTarget, fireInTask } from "./events.ts";
import { isValidKeyPath, type KeyPath, toKeyPath } from "./indexeddb_key_path.ts";
import { failure } from "./indexeddb_range.ts";
import { DOMStringList, encodeKeyPath, encodeName, type Schema, type StoreSchema } from "./indexeddb_schema.ts";
import type { IDBObjectStore } from "./indexeddb_store.ts";
import { IDBTransaction, type Mode } from "./indexeddb_transaction.ts";
import { port } from "./port.ts";
import { any, boolean, defineInterface, dictionary, type Dictionary, DOMString, enumeration, fail, member } from "./webidl.ts";

const toMode = enumeration("IDBTransactionMode", ["readonly", "readwrite", "versionchange"] as const);
const toDurability = enumeration("IDBTransactionDurability", ["default", "strict", "relaxed"] as const);
const toKeyPathOrNull = (value: unknown): KeyPath | null => (value === null ? null : toKeyPath(value));

// Connections that can still get notices, by number.
export const openDatabases = new Map<number, IDBDatabase>();

export class IDBDatabase extends EventTarget {
  #name: string;
  #connection: number;
  #schema: Schema;
  #closing = false;
  #upgrade: IDBTransaction | null = null;
  #lastTransaction = 1;
  #live = new Set<IDBTransaction>();

  constructor(name: string, connection: number, schema: Schema) {
    super();
    this.#name = name;
    this.#connection = connection;
    this.#schema = schema;
    openDatabases.set(connection, this);
  }
  get name(): string {
    return this.#name;
  }
  get version(): number {
    return this.#schema.version;
  }
  get objectStoreNames(): DOMStringList {
    return new DOMStringList(this.#schema.stores.map((store) => store.name));
  }
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    // Transactions that are only known here belong to the connection still.
    for (const transaction of this.#live) IDBTransaction.begin(transaction);
    openDatabases.delete(this.#connection);
    port.tell({ idb: { close: this.#connection } });
  }
  createObjectStore(name: string, options: Dictionary = {}): IDBObjectStore {
    const upgrade = this.#requireUpgrade("createObjectStore");
    const refuse = (error: string, message: string) => {
      throw failure("createObjectStore", "IDBDatabase", error, message);
    };
    const keyPath = member(options, "IDBObjectStoreParameters", "keyPath", toKeyPathOrNull, null);
    const autoIncrement = member(options, "IDBObjectStoreParameters", "autoIncrement", boolean, false);
    if (keyPath !== null && !isValidKeyPath(keyPath)) refuse("SyntaxError", "The keyPath option is not a valid key path.");
    if (this.#schema.stores.some((store) => store.name === name)) {
      refuse("ConstraintError", "An object store with the specified name already exists.");
    }
    if (autoIncrement && (keyPath === "" || Array.isArray(keyPath))) {
      refuse("InvalidAccessError", "The autoIncrement option was set but the keyPath option was empty or an array.");
    }
    const store: StoreSchema = {
      id: this.#schema.nextId++, name, keyPath, autoIncrement, indexes: [], deleted: false, fresh: true,
    };
    this.#schema.stores.push(store);
    const createStore = { name: encodeName(name), keyPath: encodeKeyPath(keyPath), autoIncrement };
    IDBTransaction.place(upgrade, null, { store: store.id, index: 0, createStore }, null);
    return IDBTransaction.handleOf(upgrade, store);
  }
  deleteObjectStore(name: string): void {
    const upgrade = this.#requireUpgrade("deleteObjectStore");
    const position = this.#schema.stores.findIndex((store) => store.name === name);
    if (position < 0) throw failure("deleteObjectStore", "IDBDatabase", "NotFoundError", "The specified object store was not found.");
    const [store] = this.#schema.stores.splice(position, 1);
    store!.deleted = true;
    IDBTransaction.place(upgrade, null, { store: store!.id, index: 0, deleteStore: true }, null);
  }
  #requireUpgrade(operation: string): IDBTransaction {
    if (!this.#upgrade) {
      throw failure(operation, "IDBDatabase", "InvalidStateError", "The database is not running a version change transaction.");
    }
    if (!IDBTransaction.isActive(this.#upgrade)) {
      throw failure(operation, "IDBDatabase", "TransactionInactiveError", "The transaction is not active.");
    }
    return this.#upgrade;
  }
  transaction(names: unknown, mode: Mode = "readonly", options: Dictionary = {}): IDBTransaction {
    const refuse = (error: string, message: string): never => {
      throw failure("transaction", "IDBDatabase", error, message);
    };
    const wanted = toKeyPath(names);
    const durability = member(options, "IDBTransactionOptions", "durability", toDurability, "default");
    if (this.#upgrade) refuse("InvalidStateError", "A version change transaction is running.");
    if (this.#closing) refuse("InvalidStateError", "The database connection is closing.");
    const scope = new Set<StoreSchema>();
    for (const name of typeof wanted === "string" ? [wanted] : wanted) {
      const store = this.#schema.stores.find((each) => each.name === name);
      scope.add(store ?? refuse("NotFoundError", "One of the specified object stores was not found."));
    }
    if (scope.size === 0) refuse("InvalidAccessError", "The storeNames parameter was empty.");
    if (mode === "versionchange") fail("The mode provided ('versionchange') is not one of 'readonly' or 'readwrite'.");
    const transaction = new IDBTransaction(this, ++this.#lastTransaction, mode, durability, [...scope]);
    this.#live.add(transaction);
    IDBTransaction.onEnd(transaction, () => this.#live.delete(transaction));
    return transaction;
  }

  static schemaOf(database: IDBDatabase): Schema {
    return database.#schema;
  }
  static connectionOf(database: IDBDatabase): number {
    return database.#connection;
  }
  static isClosing(database: IDBDatabase): boolean {
    return database.#closing;
  }
  static setUpgrade(database: IDBDatabase, upgrade: IDBTransaction | null): void {
    database.#upgrade = upgrade;
  }
  // The daemon has closed the connection.
  static forceClose(database: IDBDatabase): void {
    if (database.#closing) return;
    database.#closing = true;
    openDatabases.delete(database.#connection);
    const live = database.#upgrade ? [...database.#live, database.#upgrade] : [...database.#live];
    for (const transaction of live) {
      IDBTransaction.abortWith(transaction, new DOMException("The connection was closed.", "AbortError"));
    }
    fireInTask(database, new Event("close"));
  }
  static override isInstance(value: unknown): value is IDBDatabase {
    return typeof value === "object" && value !== null && #connection in value;
  }
}
defineInterface(IDBDatabase, {
  name: "IDBDatabase",
  operations: {
    transaction: [any, toMode.optional("readonly"), dictionary("IDBTransactionOptions").optional({})],
    createObjectStore: [DOMString, dictionary("IDBObjectStoreParameters").optional({})],
    deleteObjectStore: [DOMString],
    close: [],
  },
});
defineEventHandlers(IDBDatabase.prototype, ["abort", "close", "error", "versionchange"], IDBDatabase.isInstance);
