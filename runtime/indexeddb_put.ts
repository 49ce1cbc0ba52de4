// Indexed Database API §6.1 with its steps in the script's process: cloning, the key of a record, and its index keys.
import type { CursorSource } from "./indexeddb_cursor.ts";
import { decodeKey, type EncodedKey } from "./indexeddb_key.ts";
import { canInject, extractKey, indexKeys } from "./indexeddb_key_path.ts";
import { failure } from "./indexeddb_range.ts";
import { IDBRequest } from "./indexeddb_request.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { deserialize, serialize } from "./structured_clone.ts";

export interface PutArguments {
  source: CursorSource;
  handle: object; // the request's source
  operation: string;
  type: string;
  value: unknown;
  add: boolean;
  key: EncodedKey | null; // given by the script, or by a cursor
  checkClone?(clone: unknown): void;
}

const none = new Uint8Array();
// A record travels in one message; src/ipc/framing.h limits those.
const maxValue = 60 << 20;

export function putInto({ source, handle, operation, type, value, add, key, checkClone }: PutArguments): IDBRequest {
  const { transaction, store } = source;
  const bytes = IDBTransaction.whileInactive(transaction, () => serialize(value));
  if (!IDBTransaction.isActive(transaction)) throw failure(operation, type, "TransactionInactiveError", "The transaction is not active.");
  if (bytes.length > maxValue) {
    throw failure(operation, type, "DataError", `The serialized value is too large (size=${bytes.length} bytes, max=${maxValue} bytes).`);
  }
  // The key paths are evaluated on what will be stored, not on what the script may still change.
  const clone = store.keyPath !== null || store.indexes.length > 0 ? deserialize(bytes) : undefined;
  checkClone?.(clone);
  let primary = key;
  let pendingPath: string | null = null;
  if (primary === null && store.keyPath !== null) {
    const extraction = extractKey(clone, store.keyPath);
    if (extraction.kind === "invalid") {
      throw failure(operation, type, "DataError", "Evaluating the object store's key path yielded a value that is not a valid key.");
    }
    if (extraction.kind === "key") {
      primary = extraction.key;
    } else if (!store.autoIncrement) {
      throw failure(operation, type, "DataError", "Evaluating the object store's key path did not yield a value.");
    } else {
      pendingPath = store.keyPath as string;
      if (!canInject(clone, pendingPath)) {
        throw failure(operation, type, "DataError", "A generated key could not be inserted into the value.");
      }
    }
  }
  let placeholder = false;
  const keysOfIndexes = store.indexes.map((index) => {
    const found = indexKeys(clone, index.keyPath, index.multiEntry, pendingPath);
    placeholder ||= found.placeholder;
    return { index: index.id, keys: found.keys };
  });
  store.fresh = false;
  const request = new IDBRequest(handle, transaction);
  const put = { key: primary ?? none, value: bytes, add, indexKeys: keysOfIndexes, placeholder };
  IDBTransaction.place(transaction, request, { store: store.id, index: 0, put }, (result) => decodeKey(result.key));
  return request;
}
