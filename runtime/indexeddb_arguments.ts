// How the arguments of IndexedDB's reading operations are converted (object stores and indexes alike).
import { any, enumeration } from "./webidl.ts";

export const toDirection = enumeration("IDBCursorDirection", ["next", "nextunique", "prev", "prevunique"] as const);
export type Direction = ReturnType<typeof toDirection>;

export const readOperations = {
  get: [any],
  getKey: [any],
  getAll: [any.optional(), any.optional()],
  getAllKeys: [any.optional(), any.optional()],
  getAllRecords: [any.optional()],
  count: [any.optional()],
  openCursor: [any.optional(), toDirection.optional("next")],
  openKeyCursor: [any.optional(), toDirection.optional("next")],
};
