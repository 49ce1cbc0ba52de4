import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { helpers, Session } from "./harness.ts";

let session: Session;
before(async () => {
  session = await Session.open();
  await session.run(helpers);
});
after(() => session.close());

test("a record goes in and comes out", async () => {
  const result = await session.run(`
    const db = await openDb("basic", 1, (db) => db.createObjectStore("posts", { keyPath: "id", autoIncrement: true }));
    const tx = db.transaction("posts", "readwrite");
    const key = await done(tx.objectStore("posts").add({ text: "hello", at: new Date(5), list: [1, undefined] }));
    await complete(tx);
    const value = await done(db.transaction("posts").objectStore("posts").get(key));
    return { key, value, version: db.version, names: [...db.objectStoreNames] };
  `);
  assert.deepEqual(result, {
    key: 1, value: { text: "hello", at: "1970-01-01T00:00:00.005Z", list: [1, null], id: 1 }, version: 1, names: ["posts"],
  });
});

test("promise reactions keep a transaction alive, nothing else does", async () => {
  const result = await session.run(`
    const db = await openDb("alive", 1, (db) => db.createObjectStore("s"));
    const tx = db.transaction("s", "readwrite");
    const s = tx.objectStore("s");
    for (let i = 0; i < 5; ++i) await done(s.put(i, i));
    await Promise.resolve();
    const all = await done(s.getAll());
    const end = await complete(tx);
    return { all, end, late: await nameOf(() => s.get(1)), closed: await nameOf(() => tx.objectStore("s")) };
  `);
  assert.deepEqual(result, { all: [0, 1, 2, 3, 4], end: "complete", late: "TransactionInactiveError", closed: "InvalidStateError" });
});

test("a failed request aborts unless its error is prevented", async () => {
  const result = await session.run(`
    const db = await openDb("errors", 1, (db) => db.createObjectStore("s"));
    const log = [];
    db.onerror = (event) => log.push("db:" + event.target.error.name);
    db.onabort = () => log.push("db:abort");
    let tx = db.transaction("s", "readwrite");
    tx.onerror = () => log.push("tx:error");
    tx.objectStore("s").add("a", 1);
    tx.objectStore("s").add("b", 1);
    log.push(await nameOf(() => complete(tx)));
    tx = db.transaction("s", "readwrite");
    tx.objectStore("s").add("a", 1);
    const second = tx.objectStore("s").add("b", 1);
    second.onerror = (event) => { event.preventDefault(); event.stopPropagation(); };
    log.push(await complete(tx));
    return { log, value: await done(db.transaction("s").objectStore("s").get(1)) };
  `);
  assert.deepEqual(result, { log: ["tx:error", "db:ConstraintError", "ConstraintError", "db:abort", "complete"], value: "a" });
});

test("an exception in a handler aborts, and abort() gives AbortError to what waits", async () => {
  const result = await session.run(`
    const db = await openDb("throws", 1, (db) => db.createObjectStore("s"));
    const tx = db.transaction("s", "readwrite");
    tx.objectStore("s").put("x", 1).onsuccess = () => { throw new Error("oops"); };
    const thrown = await nameOf(() => complete(tx));
    const other = db.transaction("s", "readwrite");
    const request = other.objectStore("s").put("y", 1);
    const failed = nameOf(() => done(request));
    other.abort();
    return [thrown, await failed, other.error, await done(db.transaction("s").objectStore("s").count())];
  `);
  assert.deepEqual(result, ["AbortError", "AbortError", null, 0]);
});

test("transactions run in the order of their creation", async () => {
  const result = await session.run(`
    const db = await openDb("order", 1, (db) => db.createObjectStore("s"));
    const order = [];
    const txs = ["readwrite", "readonly", "readwrite"].map((mode) => db.transaction("s", mode));
    txs.forEach((tx, i) => (tx.oncomplete = () => order.push(i)));
    const seen = done(txs[1].objectStore("s").get(1));
    txs[2].objectStore("s").put("second", 1);
    txs[0].objectStore("s").put("first", 1);
    await complete(db.transaction("s", "readwrite"));
    return { order, seen: await seen };
  `);
  assert.deepEqual(result, { order: [0, 1, 2], seen: "first" });
});

test("upgrades change the schema, fill new indexes, and are undone by abort", async () => {
  const result = await session.run(`
    let db = await openDb("upgrade", 1, (db) => {
      const s = db.createObjectStore("s", { keyPath: "id" });
      for (let id = 0; id < 1000; ++id) s.put({ id, tag: "t" + (id % 3), many: [id, "x", "x"] });
    });
    db.close();
    db = await openDb("upgrade", 2, (db, tx) => {
      const s = tx.objectStore("s");
      s.createIndex("tag", "tag");
      s.createIndex("many", "many", { multiEntry: true });
      s.index("tag").count("t1").onsuccess = (event) => (globalThis.early = event.target.result);
    });
    const s = db.transaction("s").objectStore("s");
    const counts = [await done(s.index("tag").count("t0")), await done(s.index("many").count("x")), await done(s.index("many").getKey(7))];
    db.close();
    const aborted = await nameOf(() => openDb("upgrade", 3, (db, tx) => {
      db.deleteObjectStore("s");
      db.createObjectStore("other");
      tx.abort();
    }));
    const unique = await nameOf(() => openDb("upgrade", 3, (db, tx) => tx.objectStore("s").createIndex("u", "tag", { unique: true })));
    db = await openDb("upgrade");
    return { counts, early, aborted, unique, version: db.version, names: [...db.objectStoreNames], indexes: [...db.transaction("s").objectStore("s").indexNames] };
  `);
  assert.deepEqual(result, {
    counts: [334, 1000, 7], early: 333, aborted: "AbortError", unique: "AbortError", version: 2, names: ["s"], indexes: ["many", "tag"],
  });
});

test("versionchange, blocked, deleteDatabase and databases()", async () => {
  const result = await session.run(`
    const first = await openDb("versions", 1, (db) => db.createObjectStore("s"));
    const log = [];
    first.onversionchange = (event) => log.push(["versionchange", event.oldVersion, event.newVersion]);
    const request = indexedDB.deleteDatabase("versions");
    request.onblocked = (event) => { log.push(["blocked", event.oldVersion, event.newVersion]); first.close(); };
    await new Promise((resolve) => (request.onsuccess = (event) => { log.push([event.type, event.oldVersion, event.newVersion, event.constructor.name]); resolve(); }));
    await openDb("versions", 7);
    const lower = await nameOf(() => openDb("versions", 3));
    return { log, lower, found: (await indexedDB.databases()).find(({ name }) => name === "versions") };
  `);
  assert.deepEqual(result, {
    log: [["versionchange", 1, null], ["blocked", 1, null], ["success", 1, null, "IDBVersionChangeEvent"]],
    lower: "VersionError", found: { name: "versions", version: 7 },
  });
});

test("cursors walk, skip, jump, update and delete in every direction", async () => {
  const result = await session.run(`
    const db = await openDb("cursors", 1, (db) => {
      const s = db.createObjectStore("s", { keyPath: "id" });
      s.createIndex("g", "g");
      for (let id = 1; id <= 300; ++id) s.put({ id, g: id % 3 });
    });
    const walk = (make, step = (cursor) => cursor.continue()) => new Promise((resolve) => {
      const seen = [];
      make().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return resolve(seen);
        seen.push(cursor.primaryKey);
        step(cursor, seen.length);
      };
    });
    const read = () => db.transaction("s").objectStore("s");
    const all = await walk(() => read().openCursor());
    const back = await walk(() => read().openKeyCursor(IDBKeyRange.bound(10, 13, true), "prev"));
    const unique = await walk(() => read().index("g").openCursor(null, "nextunique"));
    const uniqueBack = await walk(() => read().index("g").openCursor(null, "prevunique"));
    const jumps = await walk(() => read().openCursor(), (cursor) => (cursor.key < 100 ? cursor.advance(99) : cursor.continue(cursor.key + 150)));
    const pairs = await walk(() => read().index("g").openCursor(IDBKeyRange.lowerBound(1)), (cursor) => cursor.primaryKey > 290 ? cursor.continue() : cursor.continuePrimaryKey(cursor.key, 292));
    const tx = db.transaction("s", "readwrite");
    const changed = await walk(() => tx.objectStore("s").openCursor(), (cursor, n) => {
      if (n % 2) cursor.delete();
      else cursor.update({ ...cursor.value, touched: true });
      cursor.continue();
    });
    await complete(tx);
    const left = await done(read().getAll());
    return { all: all.length, last: all.at(-1), back, unique, uniqueBack, jumps, pairs, changed: changed.length, left: left.length, touched: left.every((each) => each.touched) };
  `);
  assert.deepEqual(result, {
    all: 300, last: 300, back: [13, 12, 11], unique: [3, 1, 2], uniqueBack: [2, 1, 3], jumps: [1, 100, 250],
    pairs: [1, 292, 295, 298, 2, 293, 296, 299], changed: 300, left: 150, touched: true,
  });
});

test("keys keep type and order", async () => {
  const result = await session.run(`
    const db = await openDb("keys", 1, (db) => db.createObjectStore("s"));
    const keys = [[[]], [1, "a"], [], new Uint8Array([200, 1]).buffer, new Uint8Array([]).buffer, "\\ud800x", "b", "a\\0", "a", "", new Date(3), Infinity, 1.5, 0, -1e9, -Infinity];
    const tx = db.transaction("s", "readwrite");
    keys.forEach((key, i) => tx.objectStore("s").put(i, key));
    await complete(tx);
    const values = await done(db.transaction("s").objectStore("s").getAll());
    const back = await done(db.transaction("s").objectStore("s").getAllKeys());
    const same = back.reverse().every((key, i) => indexedDB.cmp(key, keys[i]) === 0 && Object.prototype.toString.call(key) === Object.prototype.toString.call(keys[i]));
    const bad = [NaN, undefined, true, {}, [,1], new Date(NaN)].map((key) => { try { indexedDB.cmp(key, 1); } catch (error) { return error.name; } });
    return { values, same, bad };
  `);
  assert.deepEqual(result.values, [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.equal(result.same, true);
  assert.deepEqual(new Set(result.bad), new Set(["DataError"]));
});

test("reads larger than a reply come whole", async () => {
  const result = await session.run(`
    const db = await openDb("large", 1, (db) => db.createObjectStore("s"));
    const tx = db.transaction("s", "readwrite");
    for (let i = 0; i < 12; ++i) tx.objectStore("s").put("x".repeat(1 << 20), i);
    await complete(tx);
    const other = db.transaction("s", "readwrite");
    const all = done(other.objectStore("s").getAll());
    const cleared = done(other.objectStore("s").clear());
    return { lengths: (await all).map((text) => text.length), cleared: await cleared, end: await complete(other), left: await done(db.transaction("s").objectStore("s").count()) };
  `);
  assert.deepEqual(result.lengths, Array(12).fill(1 << 20));
  assert.deepEqual([result.end, result.left], ["complete", 0]);
});

test("an index is filled from records larger than a reply", async () => {
  const result = await session.run(`
    let db = await openDb("fill", 1, (db) => {
      const s = db.createObjectStore("s", { keyPath: "id" });
      for (let id = 0; id < 9; ++id) s.put({ id, half: id % 2, text: "x".repeat(1 << 20) });
    });
    db.close();
    db = await openDb("fill", 2, (db, tx) => tx.objectStore("s").createIndex("half", "half"));
    return await done(db.transaction("s").objectStore("s").index("half").getAllKeys(0));
  `);
  assert.deepEqual(result, [0, 2, 4, 6, 8]);
});

test("closing waits for transactions, and upgrades in another connection wait for closing", async () => {
  const result = await session.run(`
    const log = [];
    const first = await openDb("closing", 1, (db) => db.createObjectStore("s"));
    const tx = first.transaction("s", "readwrite");
    tx.objectStore("s").put("v", 1);
    tx.oncomplete = () => log.push("complete");
    first.close();
    log.push(await nameOf(() => first.transaction("s")));
    const second = await openDb("closing", 2, () => log.push("upgrade"));
    log.push(await done(second.transaction("s").objectStore("s").get(1)));
    const third = indexedDB.open("closing", 3);
    third.onupgradeneeded = () => third.result.close();
    second.onversionchange = async () => { await null; second.close(); };
    third.onblocked = () => log.push("blocked");
    log.push(await nameOf(() => done(third)));
    return log;
  `);
  assert.deepEqual(result, ["InvalidStateError", "complete", "upgrade", "v", "AbortError"]);
});

test("mistakes are answered with the specification's exceptions", async () => {
  const result = await session.run(`
    const db = await openDb("mistakes", 1, (db) => { db.createObjectStore("in", { keyPath: "id" }); db.createObjectStore("out").createIndex("i", "i"); });
    const ro = db.transaction(["in", "out"]);
    const rw = () => db.transaction(["in", "out"], "readwrite");
    const thrown = (work) => { try { work(); return "none"; } catch (error) { return error.name + ": " + error.message; } };
    return [
      () => db.transaction("nothing"), () => db.transaction([]), () => db.transaction("in", "versionchange"), () => db.createObjectStore("x"),
      () => ro.objectStore("in").put({ id: 1 }), () => rw().objectStore("in").put({}), () => rw().objectStore("in").put({ id: 1 }, 1),
      () => rw().objectStore("out").put(1), () => rw().objectStore("out").put(() => {}, 1), () => ro.objectStore("in").get(), () => ro.objectStore("in").get(null),
      () => ro.objectStore("out").index("j"), () => ro.objectStore("in").openCursor(null, "sideways"), () => IDBKeyRange.bound(2, 1), () => indexedDB.open("x", 0),
      () => indexedDB.open("x", -1), () => new IDBDatabase(), () => ro.objectStore("in").createIndex("a", "a"),
    ].map(thrown);
  `);
  assert.deepEqual(result, [
    "NotFoundError: Failed to execute 'transaction' on 'IDBDatabase': One of the specified object stores was not found.",
    "InvalidAccessError: Failed to execute 'transaction' on 'IDBDatabase': The storeNames parameter was empty.",
    "TypeError: Failed to execute 'transaction' on 'IDBDatabase': The mode provided ('versionchange') is not one of 'readonly' or 'readwrite'.",
    "InvalidStateError: Failed to execute 'createObjectStore' on 'IDBDatabase': The database is not running a version change transaction.",
    "ReadOnlyError: Failed to execute 'put' on 'IDBObjectStore': The transaction is read-only.",
    "DataError: Failed to execute 'put' on 'IDBObjectStore': Evaluating the object store's key path did not yield a value.",
    "DataError: Failed to execute 'put' on 'IDBObjectStore': The object store uses in-line keys and the key parameter was provided.",
    "DataError: Failed to execute 'put' on 'IDBObjectStore': The object store uses out-of-line keys and has no key generator and the key parameter was not provided.",
    result[8],
    "TypeError: Failed to execute 'get' on 'IDBObjectStore': 1 argument required, but only 0 present.",
    "DataError: Failed to execute 'get' on 'IDBObjectStore': No key or key range specified.",
    "NotFoundError: Failed to execute 'index' on 'IDBObjectStore': The specified index was not found.",
    "TypeError: Failed to execute 'openCursor' on 'IDBObjectStore': The provided value 'sideways' is not a valid enum value of type IDBCursorDirection.",
    "DataError: Failed to execute 'bound' on 'IDBKeyRange': The lower key is greater than the upper key.",
    "TypeError: Failed to execute 'open' on 'IDBFactory': The version provided must not be 0.",
    "TypeError: Failed to execute 'open' on 'IDBFactory': Value is outside the 'unsigned long long' value range.",
    "TypeError: Failed to construct 'IDBDatabase': Illegal constructor",
    "InvalidStateError: Failed to execute 'createIndex' on 'IDBObjectStore': The database is not running a version change transaction.",
  ]);
  assert.match(result[8], /^DataCloneError: /);
});

test("indexes see the generated key, and getAllRecords tells everything", async () => {
  const result = await session.run(`
    const db = await openDb("generated", 1, (db) => {
      const s = db.createObjectStore("s", { keyPath: "a.id", autoIncrement: true });
      s.createIndex("id", "a.id");
      s.createIndex("both", ["name", "a.id"]);
    });
    const tx = db.transaction("s", "readwrite");
    tx.objectStore("s").add({ name: "n" });
    tx.objectStore("s").add({ name: "m", a: {} });
    await complete(tx);
    const s = db.transaction("s").objectStore("s");
    return [await done(s.index("id").getAllKeys()), await done(s.index("both").get(["m", 2])), (await done(s.index("both").getAllRecords({ direction: "prev", count: 1 })))[0].key];
  `);
  assert.deepEqual(result, [[1, 2], { name: "m", a: { id: 2 } }, ["n", 1]]);
});

test("cursors that read ahead miss no record and see none twice, whatever turns they take", async () => {
  const result = await session.run(`
    const db = await openDb("ahead", 1, (db) => db.createObjectStore("s").createIndex("g", "g"));
    const all = Array.from({ length: 2500 }, (_, i) => i);
    const fill = db.transaction("s", "readwrite");
    for (const i of all) fill.objectStore("s").put({ g: i % 2 }, i);
    await complete(fill);
    const walk = (make, step = (cursor) => cursor.continue()) => new Promise((resolve) => {
      const seen = [];
      make().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return resolve(seen);
        seen.push(cursor.primaryKey);
        step(cursor, seen.length);
      };
    });
    const read = () => db.transaction("s").objectStore("s");
    const same = (seen, expected) => seen.length === expected.length && seen.every((key, i) => key === expected[i]);
    const byGroup = [...all.filter((i) => i % 2 === 0), ...all.filter((i) => i % 2)];
    // Jumps from the middle of what was read ahead.
    const jumping = (cursor) => cursor.key % 700 === 650 ? cursor.continue(cursor.key + 50) : cursor.key % 700 === 600 ? cursor.advance(10) : cursor.continue();
    const jumped = all.filter((i) => !(i % 700 > 650 || (i % 700 > 600 && i % 700 < 610)));
    return [
      same(await walk(() => read().openCursor()), all),
      same(await walk(() => read().openKeyCursor(null, "prev")), all.toReversed()),
      same(await walk(() => read().index("g").openCursor()), byGroup),
      same(await walk(() => read().index("g").openCursor(null, "prev")), byGroup.toReversed()),
      await walk(() => read().index("g").openCursor(null, "nextunique")),
      same(await walk(() => read().openCursor(), jumping), jumped),
      await Promise.all([1, 2].map(() => walk(() => read().openCursor()))).then((both) => both.every((seen) => same(seen, all))),
    ];
  `);
  assert.deepEqual(result, [true, true, true, true, [0, 1], true, true]);
});

test("records that grow while a cursor reads ahead keep nobody waiting", async () => {
  const result = await session.run(`
    const db = await openDb("growing", 1, (db) => db.createObjectStore("s"));
    const fill = db.transaction("s", "readwrite");
    for (let i = 0; i < 500; ++i) fill.objectStore("s").put(new Uint8Array(i < 300 ? 10 : 60000), i);
    await complete(fill);
    const count = (until) => new Promise((resolve) => {
      let bytes = 0;
      const tx = db.transaction("s");
      tx.oncomplete = () => resolve(bytes);
      tx.objectStore("s").openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        bytes += cursor.value.length;
        if (cursor.key < until) cursor.continue();
      };
    });
    const counts = [await count(Infinity), await count(130), await count(250)];
    // Every one of them has ended for the daemon, too.
    const tx = db.transaction("s", "readwrite");
    tx.objectStore("s").clear();
    return [...counts, await complete(tx)];
  `);
  assert.deepEqual(result, [300 * 10 + 200 * 60000, 131 * 10, 251 * 10, "complete"]);
});

test("a transaction costs one message if nobody listens for a success, else two, of which a reader wants one answered", async () => {
  await session.run(`globalThis.db = await openDb("cost", 1, (db) => db.createObjectStore("s"));`);
  const costOf = async (code: string) => {
    const start = session.requests;
    await session.run(code);
    return session.requests - start;
  };
  assert.equal(await costOf(`const tx = db.transaction("s", "readwrite"); tx.objectStore("s").put("v", 1); await complete(tx);`), 1);
  assert.equal(await costOf(`const tx = db.transaction("s", "readwrite"); await done(tx.objectStore("s").put("v", 1)); await complete(tx);`), 2);
  const { unanswered } = session;
  assert.equal(await costOf(`const tx = db.transaction("s"); await done(tx.objectStore("s").get(1)); await complete(tx);`), 2);
  assert.equal(session.unanswered - unanswered, 1);
});

test("a version may be any integer that is exact", async () => {
  const versions = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, 2 ** 53 - 1];
  const result = await session.run(`
    const seen = [];
    for (const version of ${JSON.stringify(versions)}) {
      const db = await openDb("exact", version, (db, tx, event) => seen.push(event.oldVersion, event.newVersion));
      seen.push(db.version);
      db.close();
    }
    return seen;
  `);
  assert.deepEqual(result, versions.flatMap((version, i) => [i === 0 ? 0 : versions[i - 1], version, version]));
});

test("keys: no proxies; a path may name what a value has by nature, or what the generator gives", async () => {
  const result = await session.run(`
    const db = await openDb("natural", 1, (db) => db.createObjectStore("s", { autoIncrement: true, keyPath: "length" }));
    const tx = db.transaction("s", "readwrite");
    const s = tx.objectStore("s");
    s.put("abc");
    s.put({ other: 1 });
    const all = await done(s.getAll());
    return [all, await nameOf(() => s.get(new Proxy([1], {})))];
  `);
  assert.deepEqual(result, [["abc", { other: 1, length: 4 }], "DataError"]);
});

test("abort() wins over a commit that has not happened, and says so when it has", async () => {
  const result = await session.run(`
    const db = await openDb("late abort", 1, (db) => db.createObjectStore("s"));
    const next = () => new Promise((resolve) => setTimeout(resolve, 0));
    const first = db.transaction("s", "readwrite");
    let keep = true;
    const spin = () => { first.objectStore("s").get(1).onsuccess = () => { if (keep) spin(); }; };
    spin();
    const waiting = db.transaction("s", "readwrite");
    waiting.objectStore("s").put("lost", 1);
    await next();
    const ended = complete(waiting);
    waiting.abort();
    const log = [await nameOf(() => ended), waiting.error];
    keep = false;
    await complete(first);
    const quick = db.transaction("s", "readwrite");
    quick.objectStore("s").put("kept", 2);
    await complete(quick);
    log.push(await nameOf(() => quick.abort()));
    return [...log, await done(db.transaction("s").objectStore("s").getAll())];
  `);
  assert.deepEqual(result, ["AbortError", null, "InvalidStateError", ["kept"]]);
});

test("microtasks run between listeners, and what they begin is not active in the next one", async () => {
  const result = await session.run(`
    const db = await openDb("listeners", 1, (db) => db.createObjectStore("s"));
    const log = [];
    const request = db.transaction("s").objectStore("s").get(1);
    const ended = new Promise((resolve) => request.transaction.oncomplete = resolve);
    let other;
    request.addEventListener("success", () => {
      other = db.transaction("s");
      Promise.resolve().then(() => log.push("microtask"));
    });
    request.addEventListener("success", async () => {
      log.push(await nameOf(() => other.objectStore("s").get(1)));
      log.push(await nameOf(() => request.transaction.objectStore("s").get(1)));
    });
    await ended;
    return log;
  `);
  assert.deepEqual(result, ["microtask", "TransactionInactiveError", "no error"]);
});

test("workbox-background-sync's QueueStore and the idb package run on it", async () => {
  const modules = new URL("../../../node_modules/", import.meta.url);
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: `export { QueueStore } from "workbox-background-sync/lib/QueueStore.js"; export { openDB } from "idb";`, resolveDir: modules.pathname },
    bundle: true, write: false, format: "iife", globalName: "packages",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  await session.run(`${outputFiles[0]!.text}; globalThis.packages = packages; 0;`);
  const result = await session.run(`
    const store = new packages.QueueStore("queue");
    for (const n of [1, 2, 3]) await store.pushEntry({ requestData: { url: "https://shop.example/" + n, headers: {}, body: new ArrayBuffer(2) }, timestamp: n });
    await store.unshiftEntry({ requestData: { url: "https://shop.example/0", headers: {} }, timestamp: 0 });
    const size = await store.size();
    const order = [];
    for (let entry; (entry = await store.shiftEntry()); ) order.push(entry.timestamp);
    const db = await packages.openDB("with-idb", 1, { upgrade: (db) => db.createObjectStore("s").createIndex("i", "i") });
    for (let i = 0; i < 5; ++i) await db.put("s", { i: -i }, i);
    const tx = db.transaction("s", "readwrite");
    let cursor = await tx.store.index("i").openCursor();
    const walked = [];
    while (cursor) { walked.push(cursor.primaryKey); if (cursor.primaryKey === 3) await cursor.delete(); cursor = await cursor.continue(); }
    await tx.done;
    return { size, order, walked, left: await db.count("s") };
  `);
  assert.deepEqual(result, { size: 4, order: [0, 1, 2, 3], walked: [4, 3, 2, 1, 0], left: 4 });
});
