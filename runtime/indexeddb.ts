// Indexed Database API §4.3: IDBFactory, and what the daemon says on its own about connections.
import type { IdbNotice, IdbRequest, IdbNotice_Blocked, IdbNotice_UpgradeNeeded, IdbNotice_VersionChange, IdbReply } from "#ipc/storage.ts";
import { DOMException } from "./domexception.ts";
import { Event, fireInTask } from "./events.ts";
import { IDBDatabase, openDatabases } from "./indexeddb_database.ts";
import { compareKeys } from "./indexeddb_key.ts";
import { requireKey } from "./indexeddb_range.ts";
import { fireVersionChange, IDBOpenDBRequest, IDBRequest, IDBVersionChangeEvent } from "./indexeddb_request.ts";
import { decodeName, decodeSchema, encodeName, rememberSchema } from "./indexeddb_schema.ts";
import { IDBTransaction } from "./indexeddb_transaction.ts";
import { port } from "./port.ts";
import { setRuntimeTimer } from "./timers.ts";
import { any, defineInterface, DOMString, unsignedLongLong } from "./webidl.ts";

let lastConnection = 0;

// A request to open or delete a database that has no answer yet.
interface Opening {
  name: string;
  request: IDBOpenDBRequest;
  database: IDBDatabase | null;
  upgrade: IDBTransaction | null;
}
const openings = new Map<number, Opening>();

export class IDBFactory {
  #brand = true;
  open(name: string, version: number | undefined = undefined): IDBOpenDBRequest {
    if (version === 0) throw new TypeError("Failed to execute 'open' on 'IDBFactory': The version provided must not be 0.");
    return start(name, (connection) => ({ open: { connection, name: encodeName(name), version: version ?? 0 } }), opened);
  }
  deleteDatabase(name: string): IDBOpenDBRequest {
    return start(name, (connection) => ({ deleteDatabase: { connection, name: encodeName(name) } }), deleted);
  }
  async databases(): Promise<object[]> {
    const { idb } = await port.request({ idb: { databases: true } });
    if (idb!.errorName) throw new DOMException(idb!.errorMessage, idb!.errorName);
    return idb!.databases.map((database) => ({ name: decodeName(database.name), version: database.version }));
  }
  cmp(first: unknown, second: unknown): number {
    const key = requireKey(first, "cmp", "IDBFactory");
    return compareKeys(key, requireKey(second, "cmp", "IDBFactory"));
  }
  static isInstance(value: unknown): value is IDBFactory {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(IDBFactory, {
  name: "IDBFactory",
  operations: {
    open: [DOMString, unsignedLongLong.enforceRange.optional()],
    deleteDatabase: [DOMString],
    cmp: [any, any],
  },
});

type Answered = (opening: Opening, connection: number, reply: IdbReply) => void;
function start(name: string, message: (connection: number) => IdbRequest, answered: Answered): IDBOpenDBRequest {
  const connection = ++lastConnection;
  const request = new IDBOpenDBRequest();
  const opening: Opening = { name, request, database: null, upgrade: null };
  openings.set(connection, opening);
  const finish = (reply: Partial<IdbReply>) => {
    // An upgrade's last event comes first, wherever the two meet.
    const settle = () => {
      openings.delete(connection);
      if (reply.errorName) failed(opening, new DOMException(reply.errorMessage, reply.errorName));
      else answered(opening, connection, reply as IdbReply);
    };
    if (opening.upgrade) IDBTransaction.onEnd(opening.upgrade, () => setRuntimeTimer(settle, 0));
    else settle();
  };
  port.ask(
    { idb: message(connection) },
    ({ idb }) => finish(idb!),
    (error) => finish({ errorName: "UnknownError", errorMessage: error.message }),
  );
  return request;
}
function opened(opening: Opening, connection: number, reply: IdbReply): void {
  const { request, database: upgraded } = opening;
  const database = upgraded ?? new IDBDatabase(opening.name, connection, decodeSchema(reply.database!));
  endUpgrade(opening);
  if (IDBDatabase.isClosing(database)) {
    failed(opening, new DOMException("The connection was closed.", "AbortError"));
    return;
  }
  IDBRequest.settle(request, database, null);
  fireInTask(request, new Event("success"));
}
function deleted({ request }: Opening, _connection: number, reply: IdbReply): void {
  IDBRequest.settle(request, undefined, null);
  fireVersionChange(request, "success", reply.oldVersion, null);
}
function failed(opening: Opening, error: DOMException): void {
  endUpgrade(opening);
  if (opening.database) openDatabases.delete(IDBDatabase.connectionOf(opening.database));
  IDBRequest.settle(opening.request, undefined, error);
  fireInTask(opening.request, new Event("error", { bubbles: true, cancelable: true }));
}
function endUpgrade({ request, database }: Opening): void {
  IDBRequest.setTransaction(request, null);
  if (database) IDBDatabase.setUpgrade(database, null);
}

// ------------------------------------------------------------------------------------------------- notices
function upgradeNeeded({ connection, oldVersion, database: info }: IdbNotice_UpgradeNeeded): void {
  const opening = openings.get(connection);
  if (!opening) return;
  const schema = decodeSchema(info!);
  const revert = rememberSchema(schema, oldVersion);
  const database = new IDBDatabase(opening.name, connection, schema);
  const upgrade = new IDBTransaction(database, 1, "versionchange", "default", []);
  IDBTransaction.setRevert(upgrade, revert);
  IDBTransaction.onEnd(upgrade, () => IDBRequest.setTransaction(opening.request, null));
  IDBDatabase.setUpgrade(database, upgrade);
  opening.database = database;
  opening.upgrade = upgrade;
  IDBRequest.settle(opening.request, database, null);
  IDBRequest.setTransaction(opening.request, upgrade);
  const event = new IDBVersionChangeEvent("upgradeneeded", { oldVersion, newVersion: schema.version });
  IDBTransaction.fireUpgrade(upgrade, opening.request, event);
}
function versionChange({ id, connection, oldVersion, newVersion }: IdbNotice_VersionChange): void {
  const database = openDatabases.get(connection);
  if (database) fireVersionChange(database, "versionchange", oldVersion, newVersion || null);
  port.tell({ idb: { versionChangeDone: id } });
}
function blocked({ connection, oldVersion, newVersion }: IdbNotice_Blocked): void {
  const opening = openings.get(connection);
  if (opening) fireVersionChange(opening.request, "blocked", oldVersion, newVersion || null);
}
function receive(notice: IdbNotice): void {
  if (notice.upgradeNeeded) upgradeNeeded(notice.upgradeNeeded);
  else if (notice.versionChange) versionChange(notice.versionChange);
  else if (notice.blocked) blocked(notice.blocked);
  else if (notice.forceClosed !== undefined) {
    const database = openDatabases.get(notice.forceClosed);
    if (database) IDBDatabase.forceClose(database);
  }
}

// The scope's indexedDB.
export function openIndexedDB(): IDBFactory {
  port.on("idb", receive);
  return new IDBFactory();
}
