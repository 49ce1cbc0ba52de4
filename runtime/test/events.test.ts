// Functional events: their life, their outcome, and what is told about them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, origin, Scope } from "./harness.ts";

const sync = (id: number, tag = "t", lastChance = false) => ({ event: { id, sync: { tag, lastChance } } });
const succeeded = 0;
const rejected = 1;

test("a started worker says which events it listens to", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('sync', () => {}); onfetch = () => {}; self.addEventListener('install', () => {}); removeEventListener('x', null)",
  );
  const [started] = worker.of("started");
  assert.equal(started.ok, true);
  assert.deepEqual(started.listeners.toSorted(), ["fetch", "install", "sync"]);
});

test("listeners that the microtasks of the first run add count like the others", async () => {
  await using worker = await Scope.serviceWorker(`
    Promise.resolve().then(() => Promise.resolve()).then(() => addEventListener("fetch", () => {}));
    setTimeout(() => addEventListener("sync", () => {}), 1);
  `);
  assert.deepEqual(worker.of("started")[0].listeners, ["fetch"]);
});

test("a script that throws, or does not parse, is not started", async () => {
  await using throwing = await Scope.serviceWorker("throw new RangeError('no')");
  assert.equal(throwing.of("started")[0].ok, false);
  assert.equal(throwing.of("started")[0].errorName, "RangeError");
  assert.match(throwing.of("started")[0].error, /^RangeError: no\n {4}at https:\/\/app\.example\/sw\.js:1:7/);
  await using broken = await Scope.serviceWorker("const a = ;");
  assert.equal(broken.of("started")[0].errorName, "SyntaxError");
});

test("a sync event carries tag and lastChance and is trusted", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('sync', e => console.log(e.tag, e.lastChance, e.isTrusted, e instanceof SyncEvent, e.target === self))",
  );
  await worker.send(sync(3, "posts", true));
  assert.deepEqual(worker.lines, ["posts true true true true"]);
  const { outcome, handlerStartedUs } = worker.finished(3);
  assert.equal(outcome, succeeded);
  assert.ok(handlerStartedUs > 0);
});

test("an event without a listener succeeds and says that none ran", async () => {
  await using worker = await Scope.serviceWorker("");
  await worker.send(sync(1));
  assert.equal(worker.finished(1).outcome, succeeded);
  assert.equal(worker.finished(1).handlerStartedUs, 0);
});

test("waitUntil() keeps the event open until its promise settles", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('sync', e => e.waitUntil(new Promise(r => setTimeout(r, 500))))",
  );
  await worker.send(sync(1));
  assert.equal(worker.finished(1), undefined);
  await worker.advance(499);
  assert.equal(worker.finished(1), undefined);
  await worker.advance(1);
  assert.equal(worker.finished(1).outcome, succeeded);
});

test("one rejection makes the outcome, after all promises settled", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('sync', e => { e.waitUntil(Promise.reject(new TypeError('first'))); e.waitUntil(new Promise(r => setTimeout(r, 100))) })",
  );
  await worker.send(sync(1));
  assert.equal(worker.finished(1), undefined);
  await worker.advance(100);
  assert.equal(worker.finished(1).outcome, rejected);
  assert.match(worker.finished(1).error, /^TypeError: first/);
});

test("an exception in a listener is reported but does not fail the event", async () => {
  await using worker = await Scope.serviceWorker(
    "onerror = (m, file, line) => console.log(m, file, line); addEventListener('sync', () => { throw new Error('oops') })",
  );
  await worker.send(sync(1));
  assert.equal(worker.finished(1).outcome, succeeded);
  assert.equal(worker.lines[0], `Uncaught Error: oops ${origin}/sw.js 1`);
  assert.match(worker.lines[1]!, /^Uncaught Error: oops\n/);
});

test("waitUntil() may be called later while the event is open, and not afterwards", async () => {
  await using worker = await Scope.serviceWorker(`
    addEventListener("sync", event => {
      const attempt = where => { try { event.waitUntil(new Promise(r => setTimeout(r, 50))); console.log(where, "ok") } catch (e) { console.log(where, e.name, e.message) } };
      if (event.tag === "open") event.waitUntil(new Promise(r => setTimeout(r, 20)));
      Promise.resolve().then(() => { if (event.tag === "microtask") attempt("microtask") });
      if (event.tag !== "microtask") setTimeout(() => attempt("timer"), 10);
    })`);
  await worker.send(sync(1, "open"));
  await worker.advance(10);
  assert.deepEqual(worker.lines, ["timer ok"]);
  assert.equal(worker.finished(1), undefined);
  await worker.advance(50);
  assert.ok(worker.finished(1));
  await worker.send(sync(2, "closed"));
  assert.ok(worker.finished(2));
  await worker.advance(10);
  assert.equal(
    worker.lines[1],
    "timer InvalidStateError Failed to execute 'waitUntil' on 'ExtendableEvent': The event handler is already finished and no extend lifetime promises are outstanding.",
  );
  await worker.send(sync(3, "microtask"));
  assert.equal(worker.lines[2], "microtask ok");
  assert.equal(worker.finished(3), undefined);
});

test("events run side by side", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('sync', e => e.waitUntil(new Promise(r => setTimeout(r, +e.tag))))",
  );
  worker.post(sync(1, "200"));
  await worker.send(sync(2, "100"));
  await worker.advance(100);
  assert.equal(worker.finished(1), undefined);
  assert.ok(worker.finished(2));
  await worker.advance(100);
  assert.ok(worker.finished(1));
});

test("install and activate are functional events; skipWaiting() asks the daemon", async () => {
  await using worker = await Scope.serviceWorker(
    "oninstall = e => { console.log(e.constructor.name); e.waitUntil(skipWaiting().then(v => console.log(v))) }; onactivate = e => e.waitUntil(clients.claim())",
  );
  await worker.send({ event: { id: 1, install: {} } });
  await worker.send({ event: { id: 2, activate: {} } });
  assert.deepEqual(worker.lines, ["InstallEvent", "undefined"]);
  assert.equal(worker.requests("skipWaiting").length, 1);
  assert.equal(worker.requests("clientsClaim").length, 1);
  assert.equal(worker.finished(2).outcome, succeeded);
});

test("a rejected install promise fails the installation", async () => {
  await using worker = await Scope.serviceWorker(
    "addEventListener('install', e => e.waitUntil(Promise.reject('disk full')))",
  );
  await worker.send({ event: { id: 1, install: {} } });
  assert.equal(worker.finished(1).outcome, rejected);
  assert.equal(worker.finished(1).error, "disk full");
});

// ------------------------------------------------------------------------------------------------- fetch events
const fetchEvent = (id: number, url: string, request: object = {}) => ({
  event: {
    id,
    fetch: { request: { method: "GET", url, mode: "cors", credentials: "same-origin", ...request }, clientId: "c1" },
  },
});
const response = 0;
const fallback = 1;
const networkError = 2;

test("respondWith() answers a fetch with status, headers and body", async () => {
  await using worker = await Scope.serviceWorker(
    "onfetch = e => e.respondWith((async () => new Response(e.request.method + await e.request.text() + e.clientId, {status: 201, headers: {'X-A': 'b'}}))())",
  );
  await worker.send(fetchEvent(1, `${origin}/a`, { method: "POST", body: { inline: Buffer.from("!") } }));
  const [answer] = worker.of("fetchResponse");
  assert.equal(answer.kind, response);
  assert.equal(answer.response.status, 201);
  assert.equal(Buffer.from(answer.response.body.inline).toString(), "POST!c1");
  assert.deepEqual(answer.response.headers, [{ name: "X-A", value: "b" }, {
    name: "Content-Type",
    value: "text/plain;charset=UTF-8",
  }]);
  assert.ok(worker.finished(1));
});

test("a fetch that nobody answers falls back to the network; a prevented one fails", async () => {
  await using worker = await Scope.serviceWorker(
    "onfetch = e => { if (e.request.url.endsWith('x')) e.preventDefault() }",
  );
  await worker.send(fetchEvent(1, `${origin}/a`));
  await worker.send(fetchEvent(2, `${origin}/x`));
  assert.deepEqual(worker.of("fetchResponse").map(({ kind }) => kind), [fallback, networkError]);
});

test("what is not a usable Response becomes a network error with a reason on the console", async () => {
  await using worker = await Scope.serviceWorker(`
    const used = new Response("x"); used.text();
    const answers = {string: "no", error: Response.error(), used, reject: Promise.reject(new Error("why"))};
    Promise.resolve(answers.reject).catch(() => {});
    onfetch = e => e.respondWith(answers[new URL(e.request.url).pathname.slice(1)])`);
  for (const [index, name] of ["string", "error", "used", "reject"].entries()) {
    await worker.send(fetchEvent(index + 1, `${origin}/${name}`));
  }
  assert.deepEqual(worker.of("fetchResponse").map(({ kind }) => kind), [
    networkError,
    networkError,
    networkError,
    networkError,
  ]);
  const reasons = worker.lines.filter((line) => line.startsWith("The FetchEvent"));
  assert.equal(reasons.length, 4);
  assert.match(
    reasons[0]!,
    /^The FetchEvent for "https:\/\/app\.example\/string" resulted in a network error response: an object that was not a Response/,
  );
  assert.match(reasons[3]!, /the promise was rejected\. Error: why/);
  const unhandled = worker.lines.filter((line) => line.startsWith("Uncaught (in promise)"));
  assert.match(unhandled.join(), /TypeError: Failed to convert value to 'Response'\..*Error: why/s);
});

test("respondWith() counts once and only during the dispatch; handled tells the end", async () => {
  await using worker = await Scope.serviceWorker(`
    onfetch = e => {
      e.respondWith(new Response("a"));
      try { e.respondWith(new Response("b")) } catch (x) { console.log(x.message) }
      e.handled.then(() => console.log("handled"));
    };
    addEventListener("fetch", () => console.log("second listener"))`);
  await worker.send(fetchEvent(1, `${origin}/a`));
  assert.deepEqual(worker.lines, [
    "Failed to execute 'respondWith' on 'FetchEvent': respondWith() was already called.",
    "handled",
  ]);
});

test("handled tells why a fetch handler's answer became a network error", async () => {
  await using worker = await Scope.serviceWorker(`
    onfetch = e => {
      e.handled.catch(x => console.log(x instanceof DOMException, x.name, x.message));
      if (e.request.url.endsWith("none")) e.preventDefault();
      else e.respondWith(Promise.reject(new Error("secret")));
    }; onunhandledrejection = e => e.preventDefault()`);
  await worker.send(fetchEvent(1, `${origin}/a`));
  await worker.send(fetchEvent(2, `${origin}/none`));
  const failed = (path: string) => `true NetworkError The FetchEvent for "${origin}/${path}" resulted in a network error response:`;
  assert.deepEqual(worker.lines.filter((line) => line.startsWith("true")), [
    `${failed("a")} the promise was rejected.`,
    `${failed("none")} preventDefault() was called without calling respondWith().`,
  ]);
});

test("a FetchEvent is made of a Request", async () => {
  await using worker = await Scope.serviceWorker(
    `try { new FetchEvent("fetch", { request: 5 }) } catch (error) { console.log(error.name, error.message) }`,
  );
  assert.deepEqual(worker.lines, [
    "TypeError Failed to construct 'FetchEvent': Failed to read the 'request' property from 'FetchEventInit': Failed to convert value to 'Request'.",
  ]);
});

test("a large or streamed body goes in chunks within the credit", async () => {
  await using worker = await Scope.serviceWorker(
    "onfetch = e => e.respondWith(new Response(new Uint8Array(600 * 1024).fill(7)))",
  );
  await worker.send(fetchEvent(1, `${origin}/a`));
  const { stream } = worker.of("fetchResponse")[0].response.body;
  const size = () => worker.of("chunk").reduce((sum, chunk) => sum + chunk.data.byteLength, 0);
  assert.equal(size(), 256 * 1024);
  assert.equal(worker.finished(1), undefined);
  await worker.send({ credit: { stream, bytes: 100 * 1024 } });
  assert.equal(size(), 356 * 1024);
  await worker.send({ credit: { stream, bytes: 500 * 1024 } });
  assert.equal(size(), 600 * 1024);
  assert.equal(worker.of("chunk").at(-1).fin, true);
  assert.ok(worker.finished(1));
});

test("a reader that gives up stops the stream", async () => {
  await using worker = await Scope.serviceWorker(
    "onfetch = e => e.respondWith(new Response(new ReadableStream({pull(c) { c.enqueue(new Uint8Array(65536)) }, cancel() { console.log('cancelled') }})))",
  );
  await worker.send(fetchEvent(1, `${origin}/a`));
  const { stream } = worker.of("fetchResponse")[0].response.body;
  await worker.send({ bodyCancel: { stream } });
  assert.deepEqual(worker.lines, ["cancelled"]);
  assert.ok(worker.finished(1));
});

test("the preload response settles once it is there, and is given up with its event", async () => {
  await using worker = await Scope.serviceWorker(`
    onfetch = e => {
      const tell = e.preloadResponse.then(r => r && r.text(), x => x.name).then(text => console.log(e.request.url.at(-1), text));
      if (!e.request.url.endsWith("d")) e.waitUntil(tell);
    }`);
  const navigation = (id: number, name: string, preload = true) => {
    const { event } = fetchEvent(id, `${origin}/${name}`, { mode: "navigate", redirect: "manual" });
    return { event: { ...event, fetch: { ...event.fetch, preload } } };
  };
  await worker.send(navigation(1, "a"));
  await worker.send(navigation(2, "b"));
  assert.deepEqual(worker.lines, []);
  assert.equal(worker.finished(1), undefined);
  const body = { inline: Buffer.from("early") };
  await worker.send({ preloadResponse: { eventId: 1, response: { status: 200, urlList: [`${origin}/a`], body } } });
  await worker.send({ preloadResponse: { eventId: 2, response: { type: 3, error: "offline" } } });
  await worker.send(navigation(3, "c", false));
  await worker.send(navigation(4, "d"));
  assert.match(worker.lines[3]!, /was cancelled before 'preloadResponse' settled/);
  assert.deepEqual(worker.lines.toSpliced(3, 1), ["a early", "b NetworkError", "c undefined", "d AbortError"]);
  await worker.send({ preloadResponse: { eventId: 4, response: { status: 200, body: { stream: 9 } } } });
  assert.deepEqual(worker.of("bodyCancel"), [{ stream: 9 }]);
});

// ------------------------------------------------------------------------------------------------- other events
test("undefined arrives as undefined, between workers and through ports", async () => {
  await using sender = await evaluator();
  await sender.run("registration.active.postMessage(undefined)");
  const { data } = sender.requests("postMessage")[0];
  await using receiver = await Scope.serviceWorker(
    "onmessage = e => { console.log(e.data); const c = new MessageChannel(); c.port1.onmessage = m => console.log(m.data, m.type); c.port2.postMessage(undefined) }",
  );
  await receiver.send({ event: { id: 1, message: { data, origin } } });
  assert.deepEqual(receiver.lines, ["undefined", "undefined message"]);
});

test("a message carries data, source and ports", async () => {
  await using sender = await evaluator();
  await sender.run(
    "const c = new MessageChannel(); globalThis.port = c.port1; port.onmessage = e => console.log('got', e.data); registration.active.postMessage({a: [1, new Date(0)], p: c.port2}, [c.port2])",
  );
  const { data } = sender.requests("postMessage")[0];
  await using receiver = await Scope.serviceWorker(
    "onmessage = e => { console.log(e.data.a, e.origin, e.source.constructor.name, e.source.id, e.ports.length, e.data.p === e.ports[0]); e.ports[0].postMessage('pong'); e.source.postMessage({hi: 1}) }",
  );
  await receiver.send({
    event: { id: 1, message: { data, origin, sourceClient: { id: "c7", url: `${origin}/`, type: "window" } } },
  });
  assert.deepEqual(receiver.lines, [`[ 1, 1970-01-01T00:00:00.000Z ] ${origin} WindowClient c7 1 true`]);
  assert.equal(receiver.requests("postMessage")[0].clientId, "c7");
  const pong = receiver.of("port").find((frame) => frame.kind === 1);
  await sender.send({ port: pong });
  assert.ok(sender.lines.includes("got pong"));
});

test("a clicked notification reaches its listener with data and action", async () => {
  await using shower = await evaluator();
  await shower.run(
    "await registration.showNotification('Hello', {body: 'b', tag: 't', icon: '/i.png', data: {url: 1n}, actions: [{action: 'go', title: 'Go'}]})",
  );
  const [notification] = shower.requests("showNotification");
  assert.equal(notification.icon, `${origin}/i.png`);
  await using worker = await Scope.serviceWorker(
    "onnotificationclick = e => { const n = e.notification; console.log(n.title, n.body, n.tag, n.data, e.action, n.actions); n.close(); e.waitUntil(clients.openWindow('/feed')) }",
  );
  await worker.send({
    event: { id: 1, notificationClick: { notification: { ...notification, id: "n1" }, action: "go" } },
  });
  assert.deepEqual(worker.lines, ["Hello b t { url: 1n } go [ { action: 'go', title: 'Go' } ]"]);
  assert.deepEqual(worker.requests("closeNotification"), [{ value: "n1" }]);
  assert.deepEqual(worker.requests("clientsOpenWindow"), [{ value: `${origin}/feed` }]);
});

test("the stack of an error shows a script's own frames only", async () => {
  await using worker = await Scope.serviceWorker(`
    onsync = function sync(e) {
      console.log(new Error("here").stack);
      console.log([1].map(function each() { return new RangeError("inner").stack })[0]);
      Error.prepareStackTrace = (error, sites) => error.message + sites.map(site => site.getFunctionName());
      console.log(new Error("mine").stack);
    }`);
  await worker.send(sync(1));
  const url = `${origin}/sw.js`;
  assert.deepEqual(worker.lines.map((line) => line.replaceAll(/:\d+:\d+/g, "")), [
    `Error: here\n    at sync (${url})`,
    `RangeError: inner\n    at each (${url})\n    at Array.map (<anonymous>)\n    at sync (${url})`,
    "minesync",
  ]);
});

test("waitUntil() is no handler of the promise it is given", async () => {
  await using worker = await Scope.serviceWorker(`
    onunhandledrejection = e => { console.log(e.reason.message); e.preventDefault() };
    onsync = e => {
      e.waitUntil(Promise.reject(new Error("lost")));
      const caught = Promise.reject(new Error("caught")); caught.catch(() => {}); e.waitUntil(caught.catch(() => {}));
    }`);
  await worker.send(sync(1));
  assert.deepEqual(worker.lines, ["lost"]);
  assert.equal(worker.finished(1).outcome, rejected);
});

test("unhandled rejections are events first and console lines then", async () => {
  await using worker = await Scope.serviceWorker(`
    onunhandledrejection = e => { console.log("event", e.reason.message); if (e.reason.message === "quiet") e.preventDefault() };
    Promise.reject(new Error("loud")); Promise.reject(new Error("quiet")); Promise.reject(new Error("caught")).catch(() => {})`);
  assert.equal(worker.lines.length, 3);
  assert.equal(worker.lines[0], "event loud");
  assert.match(worker.lines[1]!, /^Uncaught \(in promise\) Error: loud/);
  assert.equal(worker.lines[2], "event quiet");
});
