// The page scope: a window client without a DOM.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, origin, registration, Scope } from "./harness.ts";

const scripts = (files: Record<string, string>): Answer => (request) => {
  if (request.localStorage) return { localStorage: { pairs: [] } };
  if (request.importScript) {
    const source = files[new URL(request.importScript.url).pathname];
    return source === undefined ? { failure: { name: "NetworkError", message: "404" } } : {
      script: { url: request.importScript.url, responseUrl: request.importScript.url, source: Buffer.from(source) },
    };
  }
  if (!request.fetch) return { ok: {} };
  const text = files[new URL(request.fetch.url).pathname];
  return {
    response: {
      type: 0,
      status: text === undefined ? 404 : 200,
      headers: [],
      urlList: [request.fetch.url],
      body: { inline: Buffer.from(text ?? "") },
    },
  };
};

test("scripts run in document order: blocking, deferred and modules, with the events between", async () => {
  await using page = await Scope.page(
    `<!doctype html><title>T</title>
     <script>document.addEventListener("DOMContentLoaded", () => console.log("DOMContentLoaded", document.readyState)); addEventListener("load", () => console.log("load", document.readyState)); console.log("inline 1")</script>
     <script src="/defer.js" defer></script><script type="module">import {m} from "/m.js"; console.log("module", m)</script>
     <script src="/block.js"></script><script>console.log("inline 2", typeof fromBlock); Promise.resolve().then(() => console.log("micro"))</script>
     <script>console.log("inline 3")</script><script type="application/json">{"not": "run"}</script><script src="/missing.js"></script><script nomodule>console.log("never")</script>
     <template><script>console.log("never")</script></template><script>throw new Error("here")</script><script>console.log("inline 4")</script>`,
    undefined,
    scripts({
      "/block.js": "var fromBlock = 1; console.log('block', document.currentScript.src)",
      "/defer.js": "console.log('defer', document.readyState)",
      "/m.js": "export const m = 'm'",
    }),
  );
  const lines = page.lines.map((line) => line.split("\n")[0]);
  assert.deepEqual(lines.filter((line) => !line!.startsWith("Failed to load")), [
    "inline 1",
    `block ${origin}/block.js`,
    "inline 2 number",
    "micro",
    "inline 3",
    "Uncaught Error: here",
    "inline 4",
    "defer interactive",
    "module m",
    "DOMContentLoaded interactive",
    "load complete",
  ]);
  assert.ok(lines.includes(`Failed to load the script ${origin}/missing.js: status 404`));
  assert.equal(page.of("started")[0].ok, true);
});

test("the daemon learns title and manifest when the document is parsed", async () => {
  await using page = await Scope.page(
    `<html><head><base href="/app/"><title> My \n app </title><link rel="manifest" href="site.webmanifest">`,
  );
  assert.deepEqual(page.of("document"), [{ title: "My app", manifestUrl: `${origin}/app/site.webmanifest` }]);
  assert.deepEqual(await page.evaluate("[document.title, document.baseURI, document.URL, new Request('x').url]"), [
    "My app",
    `${origin}/app/`,
    `${origin}/index.html`,
    `${origin}/app/x`,
  ]);
});

test("given code is a script, else an expression, else the body of an async function", async () => {
  await using page = await Scope.page("");
  assert.equal(await page.evaluate("1 + 1"), 2);
  assert.equal(await page.evaluate("const kept = 3; kept * 2"), 6);
  assert.equal(await page.evaluate("kept"), 3);
  assert.equal(await page.evaluate("await Promise.resolve(7)"), 7);
  assert.equal(await page.evaluate("const local = await 8; return local // comment"), 8);
  assert.equal(await page.evaluate("new Promise(r => setTimeout(r, 0, 'late'))"), "late");
  assert.deepEqual(await page.evaluate("({a: [1, null]})"), { a: [1, null] });
  assert.equal(await page.evaluate("undefined"), undefined);
  await assert.rejects(page.evaluate("throw new TypeError('bad')"), /TypeError: bad\n {4}at test:1:7/);
  await assert.rejects(page.evaluate("await Promise.reject(new DOMException('m', 'AbortError'))"), /AbortError: m/);
  await assert.rejects(page.evaluate("this is not code"), /SyntaxError/);
  await page.send({ evaluate: { id: 99, code: "({f() {}, m: new Map([[1, 2]])})", name: "x" } });
  const shown = page.of("evaluateResult").at(-1);
  assert.equal(shown.text, "{ f: [Function: f], m: Map(1) { 1 => 2 } }");
});

test("code is run after the page's own scripts", async () => {
  await using page = await Scope.page(
    "<script defer src='/slow.js'></script>",
    undefined,
    scripts({ "/slow.js": "window.ready = 'yes'" }),
  );
  assert.equal(await page.evaluate("ready"), "yes");
});

test("the window is a secure window client without DOM", async () => {
  await using page = await Scope.page("");
  assert.deepEqual(
    await page.evaluate(
      `[String(window), window === self && self === top && parent === frames && globalThis === window, window instanceof Window, document.querySelector("a"), document.getElementById("b"),
      document.querySelectorAll("c").length, document.visibilityState, location.origin, isSecureContext, 'serviceWorker' in navigator, 'SyncManager' in window, 'PeriodicSyncManager' in window, typeof importScripts, typeof skipWaiting, 'ServiceWorkerGlobalScope' in window]`,
    ),
    [
      "[object Window]",
      true,
      true,
      null,
      null,
      0,
      "visible",
      origin,
      true,
      true,
      true,
      true,
      "undefined",
      "undefined",
      false,
    ],
  );
});

test("the seed's feature detection and code run unchanged", async () => {
  await using page = await Scope.page(
    "<script>const shown = []; async function savePost() {} function showNotification(text) { shown.push(text) }</script>",
  );
  const [post] = await page.evaluate(`
    async function publishPostOnConnected(post) {
      const registration = await navigator.serviceWorker.ready;
      try { await savePost(post); await registration.sync.register('sync-post'); showNotification('Your post will be published automatically.') }
      catch { console.error('Background Sync registration failed') }
    }
    if ('serviceWorker' in navigator && 'SyncManager' in window) { publishPostOnConnected({}).then(() => shown) }`);
  assert.equal(post, "Your post will be published automatically.");
  assert.deepEqual(page.requests("syncRegister"), [{ tag: "sync-post" }]);
});

// ------------------------------------------------------------------------------------------------- service workers
const unregistered = (start: any) => {
  delete start.page.registration;
  start.page.controllerVersionId = 0;
};
const worker = (state: string) => ({ versionId: 9, scriptUrl: `${origin}/sw.js`, state });

test("register() resolves, then updatefound, states, ready and controllerchange follow the daemon", async () => {
  const info = { id: 5, scope: `${origin}/`, updateViaCache: "imports" };
  await using page = await Scope.page(
    `<script>navigator.serviceWorker.register("sw.js", {scope: "./"}).then(r => { window.r = r; console.log("registered", r.installing.state);
       r.onupdatefound = () => { console.log("updatefound"); r.installing.onstatechange = e => console.log(e.target.state) } });
     navigator.serviceWorker.ready.then(r => console.log("ready", r === window.r)); navigator.serviceWorker.oncontrollerchange = () => console.log("controller", navigator.serviceWorker.controller === r.active)</script>`,
    unregistered,
    (
      request,
    ) => (request.containerRegister ? { registration: { ...info, installing: worker("installing") } } : { ok: {} }),
  );
  assert.deepEqual(page.requests("containerRegister"), [{
    scriptUrl: `${origin}/sw.js`,
    scope: `${origin}/`,
    type: "classic",
    updateViaCache: "imports",
  }]);
  await page.send({ registration: { ...info, waiting: worker("installed") } });
  await page.send({ registration: { ...info, active: worker("activating") } });
  await page.send({ controller: { registration: { ...info, active: worker("activating") }, controllerVersionId: 9 } });
  await page.send({ registration: { ...info, active: worker("activated") } });
  assert.deepEqual(page.lines, [
    "registered installing",
    "updatefound",
    "installed",
    "activating",
    "ready true",
    "controller true",
    "activated",
  ]);
});

test("register() refuses foreign and malformed URLs before it asks", async () => {
  await using page = await Scope.page("", unregistered);
  const error = (code: string) => page.evaluate(`${code}.then(() => "ok", e => [e.name, e.message])`);
  assert.deepEqual(await error("navigator.serviceWorker.register('https://other.example/sw.js')"), [
    "SecurityError",
    `Failed to register a ServiceWorker: The origin of the provided scriptURL ('https://other.example') does not match the current origin ('${origin}').`,
  ]);
  assert.equal((await error("navigator.serviceWorker.register('http://[')"))[0], "TypeError");
  assert.equal((await error("navigator.serviceWorker.register('a%2fb.js')"))[0], "TypeError");
  assert.equal(
    (await error("navigator.serviceWorker.register()"))[1],
    "Failed to execute 'register' on 'ServiceWorkerContainer': 1 argument required, but only 0 present.",
  );
  assert.deepEqual(page.requests("containerRegister"), []);
});

test("controller, ready and getRegistration() show the matching registration", async () => {
  await using page = await Scope.page(
    "",
    undefined,
    (
      request,
    ) => (request.containerGetRegistration || request.containerGetRegistrations
      ? { registrations: { registrations: [registration] } }
      : { ok: {} }),
  );
  assert.deepEqual(
    await page.evaluate(
      `(async () => { const c = navigator.serviceWorker, r = await c.ready; return [c.controller.scriptURL, r.scope, r.active === c.controller, await c.getRegistration() === r, (await c.getRegistrations())[0] === r, c.controller.state] })()`,
    ),
    [`${origin}/sw.js`, `${origin}/`, true, true, true, "activated"],
  );
});

test("messages to a page wait until the document is ready for them", async () => {
  await using sender = await Scope.page(
    "<script>navigator.serviceWorker.controller.postMessage({n: 1}); navigator.serviceWorker.controller.postMessage([2])</script>",
  );
  const [first, second] = sender.requests("postMessage");
  assert.equal(first.versionId, 9);
  await using page = await Scope.page(
    "<script>navigator.serviceWorker.addEventListener('message', e => console.log(e.data, e.source === navigator.serviceWorker.controller, e.origin))</script>",
  );
  await page.send({ message: { data: first.data, origin, sourceWorker: registration.active } });
  await page.send({ message: { data: second.data, origin, sourceWorker: registration.active } });
  assert.deepEqual(page.lines, [`{ n: 1 } true ${origin}`, `[ 2 ] true ${origin}`]);
});

// ------------------------------------------------------------------------------------------------- storage and notifications
test("localStorage is read once and written through", async () => {
  const utf16 = (text: string) => Buffer.from(text, "utf16le");
  const answer: Answer = (request) =>
    request.localStorage
      ? { localStorage: { pairs: request.localStorage.session ? [] : [{ key: utf16("old"), value: utf16("ü😀") }] } }
      : { ok: {} };
  await using page = await Scope.page("", undefined, answer);
  assert.deepEqual(
    await page.evaluate(
      `localStorage.setItem("a", 1); localStorage.b = "2"; delete localStorage.old0; const seen = [localStorage.old, localStorage.getItem("a"), localStorage.length, Object.keys(localStorage), "b" in localStorage, localStorage.nope, localStorage.getItem("nope"), localStorage.key(0)];
      localStorage.removeItem("old"); delete localStorage.a; sessionStorage.s = 1; seen.push(JSON.stringify(localStorage), String(localStorage), localStorage instanceof Storage); seen`,
    ),
    ["ü😀", "1", 3, ["old", "a", "b"], true, null, null, "old", '{"b":"2"}', "[object Storage]", true],
  );
  const written = page.requests("localStorage").map((
    { kind, key, value, session },
  ) => [kind, Buffer.from(key).toString("utf16le"), Buffer.from(value).toString("utf16le"), session]);
  assert.deepEqual(written, [
    [0, "", "", false],
    [1, "a", "1", false],
    [1, "b", "2", false],
    [2, "old", "", false],
    [2, "a", "", false],
    [0, "", "", true],
    [1, "s", "1", true],
  ]);
});

test("a full localStorage throws, and keeps what it had", async () => {
  await using page = await Scope.page(
    "",
    undefined,
    (
      request,
    ) => (request.localStorage?.kind === 1
      ? { failure: { name: "QuotaExceededError", message: "full" } }
      : { localStorage: { pairs: [] } }),
  );
  assert.deepEqual(
    await page.evaluate("try { localStorage.a = 1 } catch (e) { [e.name, e.code, localStorage.length] }"),
    ["QuotaExceededError", 22, 0],
  );
});

test("a page shows notifications and asks for the permission", async () => {
  let synchronous = true;
  await using page = await Scope.page(
    "",
    undefined,
    (request) => (request.permissionQuery ? { permission: { state: "granted" }, synchronous } : { ok: {} }),
  );
  assert.equal(await page.evaluate("Notification.permission"), "granted");
  synchronous = false;
  assert.deepEqual(
    await page.evaluate(
      "(async () => { const n = new Notification('Hi', {body: 'b'}); await new Promise(r => n.onshow = r); return [n.title, n.body, await Notification.requestPermission(), Notification.length] })()",
    ),
    ["Hi", "b", "granted", 1],
  );
  assert.equal(page.requests("showNotification")[0].title, "Hi");
  await assert.rejects(page.evaluate("new Notification()"), /1 argument required, but only 0 present/);
});
