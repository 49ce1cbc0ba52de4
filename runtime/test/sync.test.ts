// SyncManager, PeriodicSyncManager and their events as scripts see them. The messages of errors are Chromium's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, Scope } from "./harness.ts";

const failure = (name: string, message: string) => ({ failure: { name, message } });
// [kind, name, message, code] of what code throws or rejects with.
const errorOf = (code: string) =>
  `try { await (async () => { return ${code} })(); return ["ok"] }
   catch (e) { return [e.constructor.name, e.name, e.message, e.code ?? null] }`;

test("register() resolves with undefined, and only then acknowledges the tag", async () => {
  await using worker = await evaluator(() => undefined);
  worker.post({
    event: {
      id: 1,
      notificationClose: {
        notification: { id: "n" },
        action: "console.log(String(await registration.sync.register('posts')))",
      },
    },
  });
  await worker.quiet();
  const [request] = worker.of("request");
  assert.equal(request.registrationId, 5);
  assert.equal(request.syncRegister.tag, "posts");
  assert.deepEqual(worker.of("syncAcknowledge"), []);
  await worker.send({ reply: { id: request.id, ok: {} } });
  assert.deepEqual(worker.of("syncAcknowledge"), [{ tag: "posts", registrationId: 5 }]);
  assert.ok(worker.lines.includes("undefined"));
});

test("a refused registration rejects with the daemon's error and acknowledges nothing", async () => {
  await using worker = await evaluator(() => failure("NotAllowedError", "Permission denied."));
  assert.deepEqual(await worker.run(errorOf("registration.sync.register('posts')")), [
    "DOMException",
    "NotAllowedError",
    "Permission denied.",
    0,
  ]);
  assert.deepEqual(await worker.run(errorOf("registration.periodicSync.register('posts')")), [
    "DOMException",
    "NotAllowedError",
    "Permission denied.",
    0,
  ]);
  assert.deepEqual(worker.of("syncAcknowledge"), []);
});

test("register() without an active worker is an InvalidStateError", async () => {
  await using worker = await evaluator(undefined, (start) => delete start.serviceWorker.registration.active);
  const code = 11;
  assert.deepEqual(await worker.run(errorOf("registration.sync.register('a')")), [
    "DOMException",
    "InvalidStateError",
    "Failed to execute 'register' on 'SyncManager': Registration failed - no active Service Worker",
    code,
  ]);
  assert.deepEqual(await worker.run(errorOf("registration.periodicSync.register('a')")), [
    "DOMException",
    "InvalidStateError",
    "Failed to execute 'register' on 'PeriodicSyncManager': Registration failed - no active Service Worker",
    code,
  ]);
  await worker.send({ registration: { id: 5, scope: "https://app.example/", unregistered: true } });
  assert.deepEqual(await worker.run(errorOf("registration.sync.register('a')")), [
    "DOMException",
    "InvalidStateError",
    "Registration failed - no active Service Worker",
    code,
  ]);
});

test("update() of what is unregistered says so, and differently when nothing of it is left", async () => {
  await using worker = await evaluator();
  const gone = { id: 5, scope: "https://app.example/", unregistered: true };
  const active = { versionId: 9, scriptUrl: "https://app.example/sw.js", state: "activated" };
  await worker.send({ registration: { ...gone, active } });
  const doing = "Failed to update a ServiceWorker for scope ('https://app.example/') with script";
  await assert.rejects(worker.run("return registration.update()"), {
    message: `TypeError: ${doing} ('https://app.example/sw.js'): Not found`,
  });
  await worker.send({ registration: gone });
  await assert.rejects(worker.run("return registration.update()"), {
    message: `InvalidStateError: ${doing} ('Unknown'): The object is in an invalid state.`,
  });
});

test("minInterval is an enforced unsigned long long", async () => {
  await using worker = await evaluator();
  const prefix =
    "Failed to execute 'register' on 'PeriodicSyncManager': Failed to read the 'minInterval' property from 'BackgroundSyncOptions': ";
  const cases: [string, string][] = [
    ["-1", "Value is outside the 'unsigned long long' value range."],
    ["NaN", "Value is not of type 'unsigned long long'."],
    ["Infinity", "Value is infinite and not of type 'unsigned long long'."],
    ["2**53", "Value is outside the 'unsigned long long' value range."],
    ["2**64", "Value is outside the 'unsigned long long' value range."],
    ["'abc'", "Value is not of type 'unsigned long long'."],
  ];
  for (const [value, message] of cases) {
    const error = await worker.run(errorOf(`registration.periodicSync.register('p', {minInterval: ${value}})`));
    assert.deepEqual(error, ["TypeError", "TypeError", prefix + message, null], value);
  }
  // What the conversion itself throws comes through as it is.
  for (const [value, message] of [
    ["1n", "Cannot convert a BigInt value to a number"],
    ["Symbol('s')", "Cannot convert a Symbol value to a number"],
    ["{ valueOf() { throw new RangeError('mine'); } }", "mine"],
  ]) {
    const error = await worker.run(errorOf(`registration.periodicSync.register('p', {minInterval: ${value}})`));
    assert.deepEqual(error.slice(1, 3), [value!.includes("mine") ? "RangeError" : "TypeError", message], value);
  }
  assert.deepEqual(worker.requests("periodicRegister"), []);
  for (const options of ["", ", undefined", ", null", ", {}", ", {minInterval: 0}"]) {
    await worker.run(`await registration.periodicSync.register('p'${options})`);
  }
  await worker.run("await registration.periodicSync.register('p', {minInterval: 1.9})");
  await worker.run("await registration.periodicSync.register('p', {minInterval: 2**53 - 1})");
  const intervals = worker.requests("periodicRegister").map((each) => each.minIntervalMs);
  assert.deepEqual(intervals, [0, 0, 0, 0, 0, 1, 2 ** 53 - 1]);
});

test("tags are strings, and an argument is required", async () => {
  await using worker = await evaluator((
    request,
  ) => (request.syncGetTags || request.periodicGetTags ? { tags: { tags: ["", "b"] } } : { ok: {} }));
  await worker.run("await registration.sync.register(''); await registration.sync.register(7)");
  assert.deepEqual(worker.requests("syncRegister").map((each) => each.tag), ["", "7"]);
  assert.deepEqual(await worker.run(errorOf("registration.sync.register()")), [
    "TypeError",
    "TypeError",
    "Failed to execute 'register' on 'SyncManager': 1 argument required, but only 0 present.",
    null,
  ]);
  assert.deepEqual(await worker.run(errorOf("registration.periodicSync.register()")), [
    "TypeError",
    "TypeError",
    "Failed to execute 'register' on 'PeriodicSyncManager': 1 argument required, but only 0 present.",
    null,
  ]);
  assert.deepEqual(
    await worker.run("return [await registration.sync.getTags(), await registration.periodicSync.getTags()]"),
    [["", "b"], ["", "b"]],
  );
  assert.equal(await worker.run("return registration.periodicSync.unregister('b')"), null);
  assert.deepEqual(worker.requests("periodicUnregister"), [{ value: "b" }]);
  assert.equal(
    await worker.run(
      "return registration.sync === registration.sync && registration.periodicSync === registration.periodicSync",
    ),
    true,
  );
});

test("the managers cannot be constructed, called, or used on another object", async () => {
  await using worker = await evaluator();
  const cases: [string, string][] = [
    ["new SyncManager", "Failed to construct 'SyncManager': Illegal constructor"],
    ["SyncManager()", "Illegal constructor"],
    ["new PeriodicSyncManager", "Failed to construct 'PeriodicSyncManager': Illegal constructor"],
    ["SyncManager.prototype.register.call({})", "Failed to execute 'register' on 'SyncManager': Illegal invocation"],
  ];
  for (const [code, message] of cases) {
    assert.deepEqual(await worker.run(errorOf(code)), ["TypeError", "TypeError", message, null], code);
  }
});

test("script-made events follow their dictionaries", async () => {
  await using worker = await evaluator();
  const cases: [string, string][] = [
    ["new SyncEvent('sync')", "Failed to construct 'SyncEvent': 2 arguments required, but only 1 present."],
    ["new SyncEvent()", "Failed to construct 'SyncEvent': 2 arguments required, but only 0 present."],
    [
      "new SyncEvent('sync', {})",
      "Failed to construct 'SyncEvent': Failed to read the 'tag' property from 'SyncEventInit': Required member is undefined.",
    ],
    [
      "new SyncEvent('sync', {tag: undefined})",
      "Failed to construct 'SyncEvent': Failed to read the 'tag' property from 'SyncEventInit': Required member is undefined.",
    ],
    [
      "SyncEvent('sync', {tag: 'a'})",
      "Failed to construct 'SyncEvent': Please use the 'new' operator, this DOM object constructor cannot be called as a function.",
    ],
    [
      "new PeriodicSyncEvent('periodicsync')",
      "Failed to construct 'PeriodicSyncEvent': 2 arguments required, but only 1 present.",
    ],
    [
      "new PeriodicSyncEvent('periodicsync', {})",
      "Failed to construct 'PeriodicSyncEvent': Failed to read the 'tag' property from 'PeriodicSyncEventInit': Required member is undefined.",
    ],
  ];
  for (const [code, message] of cases) {
    assert.deepEqual(await worker.run(errorOf(code)), ["TypeError", "TypeError", message, null], code);
  }
  assert.deepEqual(
    await worker.run(`const e = new SyncEvent("sync", {tag: "a"});
      return {tag: e.tag, last: e.lastChance, type: e.type, bubbles: e.bubbles, cancelable: e.cancelable, composed: e.composed,
        isTrusted: e.isTrusted, ext: e instanceof ExtendableEvent, proto: Object.getPrototypeOf(SyncEvent).name, str: String(e)}`),
    {
      tag: "a",
      last: false,
      type: "sync",
      bubbles: false,
      cancelable: false,
      composed: false,
      isTrusted: false,
      ext: true,
      proto: "ExtendableEvent",
      str: "[object SyncEvent]",
    },
  );
  assert.deepEqual(
    await worker.run(
      `const e = new SyncEvent("s", {tag: null, lastChance: 1, bubbles: true}); return [e.tag, e.lastChance, e.bubbles]`,
    ),
    ["null", true, true],
  );
  assert.equal(await worker.run(`return "lastChance" in new PeriodicSyncEvent("p", {tag: "a"})`), false);
});

test("waitUntil() of a script-made event throws", async () => {
  await using worker = await evaluator();
  assert.deepEqual(await worker.run(errorOf("new SyncEvent('sync', {tag: 'a'}).waitUntil(Promise.resolve())")), [
    "DOMException",
    "InvalidStateError",
    "Failed to execute 'waitUntil' on 'ExtendableEvent': Can not call waitUntil on a script constructed ExtendableEvent.",
    11,
  ]);
});

test("interfaces look as in a browser", async () => {
  await using worker = await evaluator();
  const describe = (expression: string) =>
    worker.run(
      `const d = ${expression}; return d && {...d, value: typeof d.value, get: d.get?.name, set: d.set?.name}`,
    );
  assert.deepEqual(
    await worker.run(
      "return [SyncEvent, PeriodicSyncEvent, SyncManager.prototype.register, SyncManager.prototype.getTags, PeriodicSyncManager.prototype.register, PeriodicSyncManager.prototype.unregister, PeriodicSyncManager.prototype.getTags].map(f => f.length)",
    ),
    [2, 2, 1, 0, 1, 1, 0],
  );
  assert.deepEqual(await describe("Object.getOwnPropertyDescriptor(SyncEvent.prototype, 'tag')"), {
    get: "get tag",
    set: null,
    value: "undefined",
    enumerable: true,
    configurable: true,
  });
  assert.deepEqual(await describe("Object.getOwnPropertyDescriptor(SyncManager.prototype, 'register')"), {
    value: "function",
    writable: true,
    enumerable: true,
    configurable: true,
    get: null,
    set: null,
  });
  assert.deepEqual(
    await describe("Object.getOwnPropertyDescriptor(ServiceWorkerRegistration.prototype, 'periodicSync')"),
    { get: "get periodicSync", set: null, value: "undefined", enumerable: true, configurable: true },
  );
  assert.deepEqual(await describe("Object.getOwnPropertyDescriptor(globalThis, 'SyncManager')"), {
    value: "function",
    writable: true,
    enumerable: false,
    configurable: true,
    get: null,
    set: null,
  });
  assert.deepEqual(await describe("Object.getOwnPropertyDescriptor(globalThis, 'onsync')"), {
    get: "get onsync",
    set: "set onsync",
    value: "undefined",
    enumerable: true,
    configurable: true,
  });
  assert.deepEqual(
    await worker.run(
      "return [SyncManager, PeriodicSyncManager, SyncEvent, PeriodicSyncEvent].map(c => c.prototype[Symbol.toStringTag])",
    ),
    ["SyncManager", "PeriodicSyncManager", "SyncEvent", "PeriodicSyncEvent"],
  );
});

test("pages have the managers but not the events", async () => {
  await using page = await Scope.page("<title>x</title>");
  assert.deepEqual(
    await page.evaluate(
      "['SyncManager', 'PeriodicSyncManager', 'SyncEvent', 'PeriodicSyncEvent', 'ServiceWorkerRegistration', 'ExtendableEvent'].map(name => name in window)",
    ),
    [true, true, false, false, true, false],
  );
});

test("onsync takes functions and forgets anything else", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(
      "const seen = [onsync]; const f = () => {}; onsync = f; seen.push(onsync === f); onsync = 5; seen.push(onsync); return seen",
    ),
    [null, true, null],
  );
});
