// The service worker's global scope beside its events: what is there, timers, console, clone, scripts, crypto and text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, origin, Scope } from "./harness.ts";

test("the global object has the prototype chain of a service worker", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const chain = []; for (let o = self; o = Object.getPrototypeOf(o);) chain.push(o.constructor.name);
    return [chain, String(self), self === globalThis, self instanceof ServiceWorkerGlobalScope, self instanceof EventTarget,
      location.href, location.pathname, String(location), origin, isSecureContext, navigator.language, navigator.languages, navigator.onLine,
      navigator.connection.type, registration.scope, serviceWorker.state, registration.active === serviceWorker, typeof window, typeof document, typeof localStorage]`),
    [
      ["ServiceWorkerGlobalScope", "WorkerGlobalScope", "EventTarget", "Object"],
      "[object ServiceWorkerGlobalScope]",
      true,
      true,
      true,
      `${origin}/sw.js`,
      "/sw.js",
      `${origin}/sw.js`,
      origin,
      true,
      "en-GB",
      ["en-GB", "de"],
      true,
      "wifi",
      `${origin}/`,
      "activated",
      true,
      "undefined",
      "undefined",
      "undefined",
    ],
  );
});

test("nothing of the runtime or its native half can be reached by name", async () => {
  await using worker = await evaluator();
  const names = (await worker.run(
    "const all = new Set(); for (let o = globalThis; o; o = Object.getPrototypeOf(o)) for (const k of Reflect.ownKeys(o)) all.add(String(k)); return [...all]",
  )) as string[];
  const suspicious = /native|port$|vigil|bundle|^module|require|process|^install$|^__/i;
  const known = [
    "MessagePort",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
  ];
  assert.deepEqual(names.filter((name) => suspicious.test(name) && !known.includes(name)), []);
});

test("interface objects are not enumerable, functions of the scope are", async () => {
  await using worker = await evaluator();
  assert.deepEqual(await worker.run("return Object.keys(self).filter(k => /^[A-Z]/.test(k))"), []);
  assert.deepEqual(
    await worker.run(
      "return ['fetch', 'setTimeout', 'structuredClone', 'skipWaiting'].map(k => { for (const j in self) if (j === k) return true; return false })",
    ),
    [true, true, true, true],
  );
  assert.deepEqual(
    await worker.run(
      "return [/native code/.test(Response), Response.name, Response.length, typeof Response.prototype.constructor]",
    ),
    [true, "Response", 0, "function"],
  );
});

// ------------------------------------------------------------------------------------------------- time
test("timers follow the virtual clock, in order of time", async () => {
  await using worker = await Scope.serviceWorker(`
    const t0 = Date.now(), p0 = performance.now(); const log = (...a) => console.log(...a, Date.now() - t0, performance.now() - p0);
    setTimeout(log, 200, "b"); setTimeout(log, 100, "a"); const id = setInterval(() => { log("i"); if (Date.now() - t0 >= 300) clearInterval(id) }, 150);
    clearTimeout(setTimeout(log, 50, "never")); setTimeout("console.log('string')", 10); queueMicrotask(() => console.log("micro"))`);
  assert.deepEqual(worker.lines, ["micro"]);
  for (let i = 0; i < 8; ++i) await worker.advance(50);
  assert.deepEqual(worker.lines, ["micro", "string", "a 100 100", "i 150 150", "b 200 200", "i 300 300"]);
});

test("an exception in a timer is reported and the next timer still runs", async () => {
  await using worker = await Scope.serviceWorker(
    "setTimeout(() => { throw new Error('x') }, 1); setTimeout(() => console.log('next'), 2); onerror = m => { console.log(m); return true }",
  );
  await worker.advance(5);
  assert.deepEqual(worker.lines, ["Uncaught Error: x", "next"]);
});

// ------------------------------------------------------------------------------------------------- console
test("console prints as developers expect, with the place of the call", async () => {
  await using worker = await Scope.serviceWorker(`
console.log("%s has %d items (%i%%) %o %c.", "cart", 3, 2.9, {a: 1}, "color: red", "rest");
console.info({a: [1, {b: new Map([["k", new Set([1])]])}], f() {}, s: Symbol("q"), [Symbol("w")]: undefined, d: new Date(0), n: null, big: 5n, neg: -0});
const loop = {name: "loop"}; loop.self = loop; console.warn(loop, [ , 1], new Uint8Array([1, 2]), class A {}, Promise.resolve(4), "text", ['quoted']);
console.error(new TypeError("bad"));
console.assert(1 === 2, "sum", 3); console.count(); console.count(); console.group("G"); console.debug("in\\nside"); console.groupEnd();
console.time("t"); console.timeEnd("t"); console.table([{x: 1, y: "a"}, {x: 22}]); console.log(new Response("x", {status: 404}).status, new URL("https://a.b/c").href);`);
  const entries = worker.of("console").map(({ level, text, source }) => [level, text, source]);
  assert.deepEqual(entries[0], ["log", "cart has 3 items (2%) { a: 1 } . rest", `${origin}/sw.js:2:9`]);
  assert.deepEqual(entries[1]!.slice(0, 2), [
    "info",
    "{\n  a: [ 1, { b: Map(1) { 'k' => [Set] } } ],\n  f: [Function: f],\n  s: Symbol(q),\n  d: 1970-01-01T00:00:00.000Z,\n  n: null,\n  big: 5n,\n  neg: -0,\n  [Symbol(w)]: undefined\n}",
  ]);
  assert.deepEqual(entries[2]!.slice(0, 2), [
    "warn",
    "{ name: 'loop', self: [Circular] } [ <empty>, 1 ] Uint8Array(2) [ 1, 2 ] [class A] Promise { 4 } text [ 'quoted' ]",
  ]);
  assert.equal(entries[3]![1], `TypeError: bad\n    at ${origin}/sw.js:5:15`);
  assert.deepEqual(entries.slice(4).map((entry) => entry[1]), [
    "Assertion failed: sum 3",
    "default: 1",
    "default: 2",
    "G",
    "  in\n  side",
    "t: 0.000 ms",
    "┌─────────┬────┬─────┐\n│ (index) │ x  │ y   │\n├─────────┼────┼─────┤\n│ 0       │ 1  │ 'a' │\n│ 1       │ 22 │     │\n└─────────┴────┴─────┘",
    "404 https://a.b/c",
  ]);
});

test("values that cannot be shown do not break console", async () => {
  await using worker = await Scope.serviceWorker(
    "console.log({get a() { throw 1 }, p: new Proxy({}, {get() { throw 2 }, ownKeys() { throw 3 }})}, Object.create(null), {__proto__: {constructor: 5}})",
  );
  assert.deepEqual(worker.lines, ["{ a: [Getter], p: [Proxy] } [Object: null prototype] {} {}"]);
});

// ------------------------------------------------------------------------------------------------- scripts
const script = (url: string, text: string) => ({ script: { url, responseUrl: url, source: Buffer.from(text) } });
test("importScripts() fetches while installing, once per URL, and shares the scope", async () => {
  await using worker = await evaluator(
    (
      request,
    ) => (request.importScript
      ? script(request.importScript.url, "globalThis.count = (globalThis.count ?? 0) + 1; const shared = 'yes';")
      : { ok: {} }),
    (start) =>
      Object.assign(start.serviceWorker, { versionState: "installing" }) &&
      delete start.serviceWorker.registration.active,
  );
  await worker.run("globalThis.p = 1; (0, eval)('importScripts(\"lib.js\")')");
  assert.equal(await worker.run("return count + shared"), "1yes");
  assert.deepEqual(worker.requests("importScript"), [{ url: `${origin}/lib.js`, referrer: "", type: "" }]);
});

test("an installed worker imports only what it imported before", async () => {
  const lib = { url: `${origin}/lib.js`, responseUrl: `${origin}/lib.js`, source: Buffer.from("self.lib = 42") };
  await using worker = await evaluator(undefined, (start) => start.serviceWorker.scripts.push(lib));
  assert.equal(await worker.run("importScripts('/lib.js'); return lib"), 42);
  await assert.rejects(worker.run("importScripts('/new.js')"), {
    message:
      `NetworkError: Failed to execute 'importScripts' on 'WorkerGlobalScope': Failed to import '${origin}/new.js'. importScripts() of new scripts after service worker installation is not allowed.`,
  });
  assert.deepEqual(worker.requests("importScript"), []);
});

test("what an imported script of another origin throws is told to the console only", async () => {
  const lib = (url: string, responseUrl: string) => ({ url, responseUrl, source: Buffer.from("throw new RangeError('secret')") });
  const other = "https://other.example/lib.js";
  await using worker = await evaluator(undefined, (start) =>
    start.serviceWorker.scripts.push(lib(`${origin}/own.js`, `${origin}/own.js`), lib(other, other), lib(`${origin}/led.js`, other)));
  await assert.rejects(worker.run("importScripts('/own.js')"), { message: "RangeError: secret" });
  for (const url of [other, `${origin}/led.js`]) {
    await assert.rejects(worker.run(`importScripts('${url}')`), {
      message: `NetworkError: Failed to execute 'importScripts' on 'WorkerGlobalScope': The script at '${url}' failed to load.`,
    });
    assert.match(worker.lines.at(-2)!, /^RangeError: secret/); // before the evaluator's own
  }
});

test("a module worker runs with its imports", async () => {
  const scripts = [
    {
      url: `${origin}/sw.js`,
      responseUrl: `${origin}/sw.js`,
      source: Buffer.from(
        "import {a} from './a.js'; console.log(a, import.meta.url, this === undefined); try { importScripts('x') } catch (e) { console.log(e.name) }",
      ),
    },
    { url: `${origin}/a.js`, responseUrl: `${origin}/a.js`, source: Buffer.from("export const a = 'from a'") },
  ];
  await using worker = await Scope.serviceWorker(
    "",
    (start) => Object.assign(start.serviceWorker, { module: true, scripts }),
  );
  assert.deepEqual(worker.lines, [`from a ${origin}/sw.js true`, "TypeError"]);
  assert.equal(worker.of("started")[0].ok, true);
});

test("a module names its importer and its type when it is not there yet", async () => {
  const url = `${origin}/lib/sw.js`;
  const source = Buffer.from("import data from './data.json' with {type: 'json'}; import {b} from '/b.js'; console.log(data.n, b)");
  const sources: Record<string, string> = {
    [`${origin}/lib/data.json json`]: '{"n": 7}',
    [`${origin}/b.js `]: "import text from './b.txt' with {type: 'text'}; export const b = text",
    [`${origin}/b.txt text`]: "some text",
  };
  await using worker = await Scope.serviceWorker("", (start) => {
    Object.assign(start.serviceWorker, { module: true, versionState: "parsed" });
    start.serviceWorker.scripts = [{ url, responseUrl: url, source }];
    delete start.serviceWorker.registration.active;
  },
  (scope) => {
    scope.answer = (request) => {
      const { url, type } = request.importScript;
      return { script: { url, responseUrl: url, source: Buffer.from(sources[`${url} ${type}`]!) } };
    };
    return true;
  });
  assert.deepEqual(worker.lines, ["7 some text"]);
  assert.deepEqual(worker.requests("importScript"), [
    { url: `${origin}/lib/data.json`, referrer: url, type: "json" },
    { url: `${origin}/b.js`, referrer: url, type: "" },
    { url: `${origin}/b.txt`, referrer: `${origin}/b.js`, type: "text" },
  ]);
});

test("import.meta.resolve() gives the URL of what import would load", async () => {
  const url = `${origin}/lib/sw.js`;
  const source = Buffer.from(`
    console.log(import.meta.resolve("./a.js"), import.meta.resolve("/b.js"), import.meta.resolve("https://c.example"));
    try { import.meta.resolve("bare") } catch (error) { console.log(error.name, error.message) }`);
  await using worker = await Scope.serviceWorker("", (start) =>
    Object.assign(start.serviceWorker, { module: true, scripts: [{ url, responseUrl: url, source }] }));
  assert.deepEqual(worker.lines, [
    `${origin}/lib/a.js ${origin}/b.js https://c.example/`,
    'TypeError Failed to resolve module specifier bare: Relative references must start with either "/", "./", or "../".',
  ]);
});

test("a module worker has neither top-level await nor import()", async () => {
  const url = `${origin}/sw.js`;
  const module = (source: string) =>
    Scope.serviceWorker("", (start) =>
      Object.assign(start.serviceWorker, { module: true, scripts: [{ url, responseUrl: url, source: Buffer.from(source) }] }));
  await using waits = await module("await 0");
  assert.equal(waits.of("started")[0].ok, false);
  assert.match(waits.of("started")[0].error, /Top-level await is disallowed in service workers/);
  await using imports = await module("import('./a.js').catch(error => console.log(error.name))");
  assert.equal(imports.of("started")[0].ok, true);
  assert.deepEqual(imports.lines, ["TypeError"]);
});

// ------------------------------------------------------------------------------------------------- clone and messages
test("structuredClone() copies platform objects and refuses what cannot be copied", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const file = structuredClone(new File(["ab"], "n.txt", {type: "text/plain", lastModified: 5}));
    const error = structuredClone(new DOMException("m", "AbortError"));
    const buffer = new ArrayBuffer(8); const moved = structuredClone({buffer}, {transfer: [buffer]});
    return [file instanceof File, file.name, await file.text(), file.lastModified, error instanceof DOMException, error.name, error.code, buffer.detached, moved.buffer.byteLength, structuredClone(new Map([[1, {a: [new Date(3)]}]])).get(1).a[0].getTime()]`),
    [
      true,
      "n.txt",
      "ab",
      5,
      true,
      "AbortError",
      20,
      true,
      8,
      3,
    ],
  );
  const module = "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))";
  for (const code of ["() => 1", "new Response()", "Symbol()", "new MessageChannel().port1", module]) {
    await assert.rejects(worker.run(`structuredClone(${code})`), /DataCloneError/, code);
  }
});

test("what cannot be transferred is refused", async () => {
  await using worker = await evaluator();
  const refused = (transfer: string) => worker.run(`
    const locked = new ReadableStream(); locked.getReader();
    try { structuredClone(1, ${transfer}); return "none" } catch (error) { return error.name + error.message.replace(/.*scope': /i, ": ") }`);
  assert.equal(await refused("[1]"), "TypeError: Failed to convert value to 'object'.");
  assert.equal(
    await refused("{ transfer: 5 }"),
    "TypeError: Failed to read the 'transfer' property from 'StructuredSerializeOptions': The provided value cannot be converted to a sequence.",
  );
  assert.equal(await refused("{ transfer: [{}] }"), "DataCloneError: Value at index 0 does not have a transferable type.");
  assert.equal(await refused("{}"), "none");
  assert.equal(
    await refused("{ transfer: [locked] }"),
    "DataCloneError: A ReadableStream could not be cloned because it was locked",
  );
});

test("message channels deliver in order, as tasks, and ports can be transferred", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const {port1, port2} = new MessageChannel(); const seen = [];
    port2.onmessage = e => { seen.push(e.data); if (e.ports[0]) e.ports[0].postMessage("through") };
    const other = new MessageChannel(); const answer = new Promise(r => other.port1.onmessage = e => r(e.data));
    port1.postMessage(1); port1.postMessage({two: 2}); port1.postMessage(3, [other.port2]); seen.push("sync");
    return [await answer, seen]`),
    ["through", ["sync", 1, { two: 2 }, 3]],
  );
});

test("BroadcastChannel reaches the same scope's other channels and the daemon", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(
      "const a = new BroadcastChannel('n'), b = new BroadcastChannel('n'); const got = new Promise(r => b.onmessage = e => r([e.data, e.origin])); a.postMessage({x: 1}); return got",
    ),
    [{ x: 1 }, origin],
  );
  const [broadcast] = worker.of("broadcast");
  assert.equal(broadcast.channel, "n");
  await using other = await Scope.serviceWorker("new BroadcastChannel('n').onmessage = e => console.log(e.data)");
  await other.send({ broadcast });
  assert.deepEqual(other.lines, ["{ x: 1 }"]);
});

// ------------------------------------------------------------------------------------------------- the machine
test("permissions, storage and clients ask the daemon", async () => {
  await using worker = await evaluator((request) => {
    if (request.permissionQuery) return { permission: { state: "prompt" } };
    if (request.storageEstimate) return { estimate: { usage: 10, quota: 1000, usageIndexedDb: 4, usageCaches: 6 } };
    if (request.storagePersisted) return { flag: { value: true } };
    if (request.clientsMatchAll || request.clientsGet) {
      return {
        clients: { clients: [{ id: "c1", url: `${origin}/a`, type: "window", frameType: "top-level", visible: true }] },
      };
    }
    return { ok: {} };
  });
  assert.deepEqual(
    await worker.run(`
    const [client] = await clients.matchAll({includeUncontrolled: true}); const status = await navigator.permissions.query({name: "periodic-background-sync"});
    globalThis.changes = []; status.onchange = () => changes.push(status.state); globalThis.kept = status;
    return [status.state, status.name, await navigator.storage.estimate(), await navigator.storage.persisted(), 'persist' in navigator.storage,
      client.id, client.url, client.visibilityState, client.focused, client instanceof WindowClient, (await clients.get("c1")).id]`),
    [
      "prompt",
      "periodic-background-sync",
      { quota: 1000, usage: 10, usageDetails: { caches: 6, indexedDB: 4 } },
      true,
      false,
      "c1",
      `${origin}/a`,
      "visible",
      false,
      true,
      "c1",
    ],
  );
  await worker.send({ permission: { name: "periodic-background-sync", state: "granted" } });
  assert.deepEqual(await worker.run("return changes"), ["granted"]);
  await assert.rejects(
    worker.run("navigator.permissions.query({name: 'nope'}).then(() => {})".replace("navigator", "return navigator")),
    {
      message:
        "TypeError: Failed to execute 'query' on 'Permissions': Failed to read the 'name' property from 'PermissionDescriptor': The provided value 'nope' is not a valid enum value of type PermissionName.",
    },
  );
});

test("a change of the network is seen by onLine, connection and events", async () => {
  await using worker = await Scope.serviceWorker(
    "const c = navigator.connection; c.onchange = () => console.log('change', c.type, c.saveData); ononline = onoffline = e => console.log(e.type, navigator.onLine)",
  );
  await worker.send({ network: { online: false } });
  await worker.send({ network: { online: true, type: "cellular", metered: true } });
  assert.deepEqual(worker.lines, ["change none false", "offline false", "change cellular true", "online true"]);
});

test("a registration's workers change state with events", async () => {
  await using worker = await Scope.serviceWorker(
    "registration.onupdatefound = () => { const w = registration.installing; console.log('found', w.state); w.onstatechange = () => console.log(w.state, registration.waiting === w) }",
  );
  const base = {
    id: 5,
    scope: `${origin}/`,
    active: { versionId: 9, scriptUrl: `${origin}/sw.js`, state: "activated" },
  };
  const next = (state: string) => ({ versionId: 10, scriptUrl: `${origin}/sw.js`, state });
  await worker.send({ registration: { ...base, installing: next("installing") } });
  await worker.send({ registration: { ...base, waiting: next("installed") } });
  await worker.send({ versionGone: 10 });
  assert.deepEqual(worker.lines, ["found installing", "installed true", "redundant true"]);
});

// ------------------------------------------------------------------------------------------------- small specifications
test("text, base64, URLs and crypto work", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, "0")).join("");
    const bytes = new TextEncoder().encode("aé€😀"); const d = new TextDecoder(); let streamed = "";
    for (const b of bytes) streamed += d.decode(new Uint8Array([b]), {stream: true}); streamed += d.decode();
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("k"), {name: "HMAC", hash: "SHA-256"}, true, ["sign", "verify"]);
    const signature = await crypto.subtle.sign("HMAC", key, bytes);
    const through = new Response("stream").body.pipeThrough(new TextDecoderStream()).getReader();
    return [bytes.length, streamed, new TextDecoder("windows-1252").decode(new Uint8Array([128, 233])), new TextDecoder("utf-16le").decode(new Uint8Array([65, 0])), new TextDecoder("shift_jis").decode(new Uint8Array([0x82, 0xa0])),
      btoa("ü?"), atob("/D8="), new URL("../b?c=1#d", "https://ü.example/x/y").href, new URLPattern({pathname: "/a/:id"}).exec("https://a/a/7").pathname.groups.id,
      hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))).slice(0, 16), await crypto.subtle.verify("HMAC", key, signature, bytes), crypto.randomUUID().length, new Set(crypto.getRandomValues(new Uint8Array(64))).size > 20,
      (await through.read()).value]`),
    [
      10,
      "aé€😀",
      "€é",
      "A",
      "あ",
      "/D8=",
      "ü?",
      "https://xn--tda.example/b?c=1#d",
      "7",
      "ba7816bf8f01cfea",
      true,
      36,
      true,
      "stream",
    ],
  );
  await assert.rejects(
    worker.run("new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([255]))"),
    /TypeError/,
  );
  await assert.rejects(worker.run("btoa('€')"), /InvalidCharacterError/);
});

test("FileReader reads blobs as tasks", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const read = (method, ...args) => new Promise(r => { const f = new FileReader(), seen = []; for (const t of ["loadstart", "load", "loadend"]) f.addEventListener(t, e => seen.push(t)); f.onloadend = () => r([seen.join(), typeof f.result === "string" ? f.result : f.result.byteLength, f.readyState]); f[method](...args); seen.push("called") });
    const blob = new Blob(["hé"], {type: "text/plain"});
    return [await read("readAsText", blob), await read("readAsDataURL", blob), await read("readAsArrayBuffer", blob)]`),
    [
      ["called,loadstart,load,loadend", "hé", 2],
      ["called,loadstart,load,loadend", "data:text/plain;base64,aMOp", 2],
      ["called,loadstart,load,loadend", 3, 2],
    ],
  );
});

test("dispatchEvent() runs capture, target and bubble listeners with once, signal and stop", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const t = new EventTarget(), seen = [], c = new AbortController();
    t.addEventListener("a", () => seen.push("once"), {once: true});
    t.addEventListener("a", {handleEvent(e) { seen.push(this === e || typeof this.handleEvent) }});
    t.addEventListener("a", () => seen.push("signal"), {signal: c.signal});
    t.addEventListener("a", e => e.preventDefault());
    const r = [t.dispatchEvent(new Event("a", {cancelable: true}))]; c.abort(); r.push(t.dispatchEvent(new CustomEvent("a", {detail: 1})));
    return [seen, r]`),
    [["once", "function", "signal", "function"], [false, true]],
  );
});

test("classes of the platform can be extended, and replaced globals change nothing inside", async () => {
  await using worker = await evaluator((request) =>
    request.fetch
      ? {
        response: {
          type: 0,
          status: 200,
          headers: [],
          urlList: [request.fetch.url],
          body: { inline: Buffer.from("ok") },
        },
      }
      : { ok: {} }
  );
  assert.deepEqual(
    await worker.run(`
    class MyEvent extends Event { constructor(t) { super(t); this.x = 1 } }
    class MyTarget extends EventTarget {}
    const target = new MyTarget(); let got; target.addEventListener("a", e => got = [e.x, e instanceof MyEvent, e.target === target]); target.dispatchEvent(new MyEvent("a"));
    class MyResponse extends Response {} const r = new MyResponse("q");
    return [got, r instanceof Response, r.constructor.name, await r.text(), Event.prototype.constructor === Event, Object.getPrototypeOf(ExtendableEvent) === Event]`),
    [[1, true, true], true, "MyResponse", "q", true, true],
  );
  assert.equal(
    await worker.run(`globalThis.Promise = globalThis.Map = globalThis.Uint8Array = null;
      globalThis.Response = class {}; return (await fetch("/x")).text()`),
    "ok",
  );
});

test("given code is evaluated in a service worker, too", async () => {
  await using worker = await Scope.serviceWorker("const secret = 7");
  await worker.send({
    evaluate: { id: 1, code: "await Promise.resolve(secret + registration.scope.length)", name: "x" },
  });
  assert.equal(worker.of("evaluateResult")[0].json, String(7 + `${origin}/`.length));
});

test("a worker whose registration is gone has none, and nothing of the one that its process rehearsed with", async () => {
  await using worker = await evaluator(undefined, (start) => delete start.serviceWorker.registration);
  assert.deepEqual(
    await worker.run(`return [registration, location.href, serviceWorker.scriptURL, origin]`),
    [null, `${origin}/sw.js`, `${origin}/sw.js`, origin],
  );
});
