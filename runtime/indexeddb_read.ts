// What object stores and indexes share: get, getKey, getAll, getAllKeys, getAllRecords, count and the cursors, all of
// them one kind of message.
import type { IdbOperation_Read, IdbRecord, IdbResult } from "#ipc/storage.ts";
import { type Direction, toDirection } from "./indexeddb_arguments.ts";
import { IDBCursor, IDBCursorWithValue, type CursorSource } from "./indexeddb_cursor.ts";
import { decodeKey } from "./indexeddb_key.ts";
import { hasKeyAt, injectKey } from "./indexeddb_key_path.ts";
import { isPotentialRange, type Range, toRange } from "./indexeddb_range.ts";
import { IDBRequest } from "./indexeddb_request.ts";
import type { StoreSchema } from "./indexeddb_schema.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { deserialize } from "./structured_clone.ts";
import { defineInterface, type Dictionary, member, unsignedLong } from "./webidl.ts";

const none = new Uint8Array();

export function readOf(range: Range, more: Partial<IdbOperation_Read> = {}): IdbOperation_Read {
  return {
    range, reverse: false, unique: false, keysOnly: false, limit: 0, afterKey: none, afterPrimary: none, targetKey: none,
    targetPrimary: none, skip: 0, ...more,
  };
}
// The value of a record as scripts get it. A key that the generator made is not in the stored value.
export function valueOf(store: StoreSchema, record: IdbRecord): unknown {
  const value = deserialize(record.value);
  if (store.autoIncrement && typeof store.keyPath === "string" && !hasKeyAt(value, store.keyPath)) {
    injectKey(value, store.keyPath, decodeKey(primaryOf(record)));
  }
  return value;
}
export function primaryOf(record: IdbRecord): Uint8Array {
  return record.primary.length > 0 ? record.primary : record.key;
}

// Indexed Database API §4.12 (IDBRecord).
export class IDBRecord {
  #key: unknown;
  #primaryKey: unknown;
  #value: unknown;
  constructor(key: unknown, primaryKey: unknown, value: unknown) {
    this.#key = key;
    this.#primaryKey = primaryKey;
    this.#value = value;
  }
  get key(): unknown {
    return this.#key;
  }
  get primaryKey(): unknown {
    return this.#primaryKey;
  }
  get value(): unknown {
    return this.#value;
  }
  static isInstance(value: unknown): value is IDBRecord {
    return typeof value === "object" && value !== null && #key in value;
  }
}
defineInterface(IDBRecord, { name: "IDBRecord" });

type ManyKind = "getAll" | "getAllKeys" | "getAllRecords";

// The reading half of an object store or an index.
export class Reader {
  #source: CursorSource;
  #type: string;
  constructor(source: CursorSource, type: string) {
    this.#source = source;
    this.#type = type;
  }
  #request(operation: object, convert: (result: IdbResult) => unknown): IDBRequest {
    const { transaction, store, index } = this.#source;
    const request = new IDBRequest(this.#source.handle, transaction);
    IDBTransaction.place(transaction, request, { store: store.id, index: index?.id ?? 0, ...operation }, convert);
    return request;
  }
  get(query: unknown): IDBRequest {
    this.#source.check("get");
    const read = readOf(toRange(query, "get", this.#type, true), { limit: 1 });
    const { store } = this.#source;
    return this.#request({ read }, ({ records }) => (records[0] ? valueOf(store, records[0]) : undefined));
  }
  getKey(query: unknown): IDBRequest {
    this.#source.check("getKey");
    const read = readOf(toRange(query, "getKey", this.#type, true), { limit: 1, keysOnly: true });
    return this.#request({ read }, ({ records }) => (records[0] ? decodeKey(primaryOf(records[0])) : undefined));
  }
  count(query: unknown): IDBRequest {
    this.#source.check("count");
    return this.#request({ count: toRange(query, "count", this.#type) }, (result) => result.count);
  }
  many(kind: ManyKind, queryOrOptions: unknown, count: unknown): IDBRequest {
    this.#source.check(kind);
    let query = queryOrOptions;
    let limit = count;
    let direction: Direction = "next";
    if (kind === "getAllRecords" || !isPotentialRange(query)) {
      const options = (queryOrOptions ?? {}) as Dictionary;
      query = options["query"];
      limit = options["count"];
      direction = member(options, "IDBGetAllOptions", "direction", toDirection, "next");
    }
    const read = readOf(toRange(query, kind, this.#type), {
      limit: limit === undefined ? 0 : unsignedLong.enforceRange(limit),
      keysOnly: kind === "getAllKeys",
      reverse: direction.startsWith("prev"),
      unique: direction.endsWith("unique"),
    });
    const { store } = this.#source;
    const convert: Record<ManyKind, (record: IdbRecord) => unknown> = {
      getAll: (record) => valueOf(store, record),
      getAllKeys: (record) => decodeKey(primaryOf(record)),
      getAllRecords: (record) => new IDBRecord(decodeKey(record.key), decodeKey(primaryOf(record)), valueOf(store, record)),
    };
    return this.#request({ read }, ({ records }) => records.map(convert[kind]));
  }
  openCursor(operation: "openCursor" | "openKeyCursor", query: unknown, direction: Direction): IDBRequest {
    this.#source.check(operation);
    const range = toRange(query, operation, this.#type);
    const request = new IDBRequest(this.#source.handle, this.#source.transaction);
    const Cursor = operation === "openCursor" ? IDBCursorWithValue : IDBCursor;
    IDBCursor.start(new Cursor(this.#source, request, range, direction, operation === "openKeyCursor"));
    return request;
  }
}
