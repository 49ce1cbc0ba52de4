// Indexed Database API §2.9, §4.9: IDBCursor and IDBCursorWithValue.
//
// The daemon keeps nothing about a cursor: every step says where it stands. After a few steps a cursor fetches records
// ahead; they are used as long as its transaction has written nothing since.
import type { IdbOperation_Read, IdbRecord, IdbResult } from "#ipc/storage.ts";
import type { Direction } from "./indexeddb_arguments.ts";
import { compareKeys, decodeKey } from "./indexeddb_key.ts";
import { extractKey } from "./indexeddb_key_path.ts";
import { failure, onlyKey, type Range, requireKey } from "./indexeddb_range.ts";
import { primaryOf, readOf, valueOf } from "./indexeddb_read.ts";
import { IDBRequest } from "./indexeddb_request.ts";
import type { IndexSchema, StoreSchema } from "./indexeddb_schema.ts";
import { putInto } from "./indexeddb_put.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { any, defineInterface, unsignedLong } from "./webidl.ts";

export interface CursorSource {
  readonly handle: object; // what scripts see as source
  readonly transaction: IDBTransaction;
  readonly store: StoreSchema;
  readonly index: IndexSchema | null;
  // Throws when the source is deleted or the transaction not active.
  check(operation: string): void;
}

const maxAhead = 1024;
const maxAheadBytes = 256 << 10;
const undecoded = Symbol("undecoded");
const none = new Uint8Array();

export class IDBCursor {
  #source: CursorSource;
  #request: IDBRequest;
  #range: Range;
  #direction: Direction;
  #keysOnly: boolean;
  #record: IdbRecord | null = null;
  #gotValue = false;
  // Made of the record when they are asked for first.
  #key: unknown = undecoded;
  #primaryKey: unknown = undecoded;
  #value: unknown = undecoded;
  #ahead: IdbRecord[] = []; // what the last reply brought
  #aheadAt = 0; // the next of them
  #aheadWrites = 0;
  #aheadEnd = false; // nothing comes after what is in #ahead
  #steps = 0;
  #recordBytes = 0; // of the largest in the last reply

  constructor(source: CursorSource, request: IDBRequest, range: Range, direction: Direction, keysOnly: boolean) {
    this.#source = source;
    this.#request = request;
    this.#range = range;
    this.#direction = direction;
    this.#keysOnly = keysOnly;
  }
  get source(): object {
    return this.#source.handle;
  }
  get direction(): Direction {
    return this.#direction;
  }
  get key(): unknown {
    if (this.#key === undecoded) this.#key = this.#record ? decodeKey(this.#record.key) : undefined;
    return this.#key;
  }
  get primaryKey(): unknown {
    if (!this.#source.index) return this.key;
    if (this.#primaryKey === undecoded) this.#primaryKey = this.#record ? decodeKey(primaryOf(this.#record)) : undefined;
    return this.#primaryKey;
  }
  get request(): IDBRequest {
    return this.#request;
  }

  advance(count: number): void {
    if (count === 0) throw new TypeError("Failed to execute 'advance' on 'IDBCursor': A count argument with value 0 (zero) was supplied, must be greater than 0.");
    this.#checkIterable("advance");
    this.#step({ ...this.#position(), skip: count - 1 }, 0);
  }
  continue(target: unknown = undefined): void {
    this.#checkIterable("continue");
    if (target === undefined) {
      this.#next();
      return;
    }
    const key = requireKey(target, "continue", "IDBCursor");
    const order = compareKeys(key, this.#record!.key);
    if (this.#forward ? order <= 0 : order >= 0) {
      const side = this.#forward ? "less than or equal to" : "greater than or equal to";
      throw failure("continue", "IDBCursor", "DataError", `The parameter is ${side} this cursor's position.`);
    }
    this.#step({ targetKey: key }, 0);
  }
  continuePrimaryKey(target: unknown, primaryTarget: unknown): void {
    const where = ["continuePrimaryKey", "IDBCursor"] as const;
    this.#checkActive("continuePrimaryKey");
    this.#checkSource("continuePrimaryKey");
    if (!this.#source.index) throw failure(...where, "InvalidAccessError", "The cursor's source is not an index.");
    if (this.#direction.endsWith("unique")) {
      throw failure(...where, "InvalidAccessError", "The cursor's direction is not 'next' or 'prev'.");
    }
    this.#checkIterable("continuePrimaryKey");
    const key = requireKey(target, ...where);
    const primary = requireKey(primaryTarget, ...where);
    let order = compareKeys(key, this.#record!.key) || compareKeys(primary, primaryOf(this.#record!));
    if (!this.#forward) order = -order as typeof order;
    if (order <= 0) throw failure(...where, "DataError", "The parameter is not beyond this cursor's position.");
    this.#step({ targetKey: key, targetPrimary: primary }, 0);
  }
  update(value: unknown): IDBRequest {
    this.#checkWritable("update");
    const { store } = this.#source;
    const primary = primaryOf(this.#record!);
    return putInto({
      source: this.#source, handle: this, operation: "update", type: "IDBCursor", value, add: false, key: primary,
      checkClone(clone) {
        if (store.keyPath === null) return;
        const extraction = extractKey(clone, store.keyPath);
        if (extraction.kind !== "key" || compareKeys(extraction.key, primary) !== 0) {
          throw failure("update", "IDBCursor", "DataError", "The effective object store of this cursor uses in-line keys and evaluating the key path of the value parameter results in a different value than the cursor's effective key.");
        }
      },
    });
  }
  delete(): IDBRequest {
    this.#checkWritable("delete");
    const { transaction, store } = this.#source;
    const request = new IDBRequest(this, transaction);
    IDBTransaction.place(transaction, request, { store: store.id, index: 0, deleteRange: onlyKey(primaryOf(this.#record!)) }, () => undefined);
    return request;
  }

  // The first record.
  static start(cursor: IDBCursor): void {
    cursor.#place(readOf(cursor.#range), 1);
  }
  static valueOf(cursor: IDBCursor): unknown {
    if (cursor.#value === undecoded) {
      cursor.#value = cursor.#record ? valueOf(cursor.#source.store, cursor.#record) : undefined;
    }
    return cursor.#value;
  }
  static isInstance(value: unknown): value is IDBCursor {
    return typeof value === "object" && value !== null && #source in value;
  }

  get #forward(): boolean {
    return this.#direction.startsWith("next");
  }
  // Here the transaction is looked at before the source, other than in object stores and indexes.
  #checkActive(operation: string): void {
    if (IDBTransaction.isActive(this.#source.transaction)) return;
    const message = IDBTransaction.isFinished(this.#source.transaction) ? "The transaction has finished." : "The transaction is not active.";
    throw failure(operation, "IDBCursor", "TransactionInactiveError", message);
  }
  #checkSource(operation: string): void {
    if (!this.#source.store.deleted && !this.#source.index?.deleted) return;
    throw failure(operation, "IDBCursor", "InvalidStateError", "The cursor's source or effective object store has been deleted.");
  }
  #checkIterable(operation: string): void {
    this.#checkActive(operation);
    this.#checkSource(operation);
    if (!this.#gotValue) {
      throw failure(operation, "IDBCursor", "InvalidStateError", "The cursor is being iterated or has iterated past its end.");
    }
  }
  #checkWritable(operation: string): void {
    this.#checkActive(operation);
    if (this.#source.transaction.mode === "readonly") {
      throw failure(operation, "IDBCursor", "ReadOnlyError", "The record may not be changed inside a read-only transaction.");
    }
    this.#checkSource(operation);
    if (!this.#gotValue) {
      throw failure(operation, "IDBCursor", "InvalidStateError", "The cursor is being iterated or has iterated past its end.");
    }
    if (this.#keysOnly) throw failure(operation, "IDBCursor", "InvalidStateError", "The cursor is a key cursor.");
  }
  #position(): Partial<IdbOperation_Read> {
    const whole = this.#source.index && !this.#direction.endsWith("unique");
    return { afterKey: this.#record!.key, afterPrimary: whole ? primaryOf(this.#record!) : none };
  }

  #next(): void {
    const fresh = this.#aheadWrites === IDBTransaction.writesOf(this.#source.transaction);
    if (fresh && (this.#aheadAt < this.#ahead.length || this.#aheadEnd)) {
      const record = this.#ahead[this.#aheadAt++];
      this.#await();
      const records = record ? [record] : [];
      const local: IdbResult = { errorName: "", errorMessage: "", key: none, records, count: 0, more: false };
      IDBTransaction.place(this.#source.transaction, this.#request, null, (result) => this.#arrive(result, -1), { result: local });
      return;
    }
    ++this.#steps;
    // 1, 1, 4, 16 … so that a cursor that looks at one record costs one record.
    const ahead = this.#steps < 2 ? 1 : Math.min(4 ** (this.#steps - 1), maxAhead, maxAheadBytes / (this.#recordBytes + 1));
    this.#step(this.#position(), Math.floor(ahead));
  }
  #step(where: Partial<IdbOperation_Read>, ahead: number): void {
    this.#ahead = [];
    this.#aheadAt = 0;
    this.#aheadEnd = false;
    this.#await();
    this.#place(readOf(this.#range, where), Math.max(ahead, 1));
  }
  #await(): void {
    this.#gotValue = false;
    IDBRequest.reset(this.#request);
  }
  #place(read: IdbOperation_Read, limit: number): void {
    read.reverse = !this.#forward;
    read.unique = this.#direction.endsWith("unique");
    read.keysOnly = this.#keysOnly;
    read.limit = limit;
    const { transaction, store, index } = this.#source;
    const writes = IDBTransaction.writesOf(transaction);
    IDBTransaction.place(transaction, this.#request, { store: store.id, index: index?.id ?? 0, read }, (result) => {
      this.#aheadWrites = writes;
      return this.#arrive(result, limit);
    });
  }
  // The request's result: this cursor, or null at the end. limit: how many were asked for; -1: fetched ahead.
  #arrive(result: IdbResult, limit: number): IDBCursor | null {
    const record = result.records[0];
    if (limit >= 0) {
      this.#ahead = result.records;
      this.#aheadAt = 1;
      this.#recordBytes = result.records.reduce((most, { value }) => Math.max(most, value.length), 0);
      this.#aheadEnd = limit > 1 && result.records.length < limit;
    }
    this.#record = record ?? null;
    this.#key = this.#primaryKey = this.#value = undecoded;
    if (!record) return null;
    this.#gotValue = true;
    return this;
  }
}
defineInterface(IDBCursor, {
  name: "IDBCursor",
  operations: {
    advance: [unsignedLong.enforceRange],
    continue: [any.optional()],
    continuePrimaryKey: [any, any],
    update: [any],
    delete: [],
  },
});

export class IDBCursorWithValue extends IDBCursor {
  #brand = true;
  get value(): unknown {
    return IDBCursor.valueOf(this);
  }
  static override isInstance(value: unknown): value is IDBCursorWithValue {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(IDBCursorWithValue, { name: "IDBCursorWithValue" });
