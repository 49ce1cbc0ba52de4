// fetch(), its classes and their bodies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, origin, Scope } from "./harness.ts";

const respond = (body: object | undefined, extra: object = {}) => ({
  response: {
    type: 0,
    status: 200,
    statusText: "OK",
    headers: [{ name: "Content-Type", value: "text/plain" }],
    urlList: [`${origin}/x`],
    body,
    ...extra,
  },
});
const inline = (text: string) => ({ inline: Buffer.from(text) });

test("fetch() sends the request and gives the response", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond(inline('{"a":1}')) : { ok: {} }));
  const seen = await worker.run(`
    const r = await fetch("/x?y#z", {method: "post", headers: {"X-B": "1", Cookie: "no"}, body: JSON.stringify([1]), credentials: "include", cache: "no-store"});
    return [r.status, r.ok, r.type, r.url, r.redirected, r.headers.get("content-type"), await r.json(), r.bodyUsed]`);
  assert.deepEqual(seen, [200, true, "basic", `${origin}/x`, false, "text/plain", { a: 1 }, true]);
  const [request] = worker.requests("fetch");
  assert.equal(request.method, "POST");
  assert.equal(request.url, `${origin}/x?y#z`);
  assert.deepEqual(request.headers, [{ name: "X-B", value: "1" }, {
    name: "Content-Type",
    value: "text/plain;charset=UTF-8",
  }]);
  assert.equal(Buffer.from(request.body.inline).toString(), "[1]");
  assert.deepEqual([request.mode, request.credentials, request.cache, request.redirect, request.referrer], [
    "cors",
    "include",
    "no-store",
    "follow",
    "about:client",
  ]);
});

test("fetch() is called on the global object, or on nothing", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond(inline("a")) : { ok: {} }));
  const seen = await worker.run(`
    const bare = fetch;
    const statuses = [(await self.fetch("/x")).status, (await globalThis.fetch("/x")).status, (await bare("/x")).status];
    return [...statuses, await fetch.call({}, "/x").catch((error) => error.message)]`);
  assert.deepEqual(seen, [
    200,
    200,
    200,
    "Failed to execute 'fetch' on 'WorkerGlobalScope': Illegal invocation",
  ]);
});

test("a failed fetch is a TypeError, with the reason only on the console", async () => {
  await using worker = await evaluator((
    request,
  ) => (request.fetch ? { response: { type: 3, error: "connection refused" } } : { ok: {} }));
  await assert.rejects(worker.run("await fetch('/x')"), { message: "TypeError: Failed to fetch" });
  assert.ok(worker.lines.includes(`GET ${origin}/x failed: connection refused`));
});

test("an aborted fetch rejects at once and tells the daemon", async () => {
  await using worker = await evaluator(() => undefined);
  const seen = await worker.run(`
    const c = new AbortController(); const p = fetch("/x", {signal: c.signal}); c.abort(); 
    const first = await p.catch(e => e.name);
    const second = await fetch("/y", {signal: AbortSignal.abort("mine")}).catch(e => e);
    return [first, second]`);
  assert.deepEqual(seen, ["AbortError", "mine"]);
  assert.deepEqual(worker.of("cancelRequest"), [worker.of("request")[0].id]);
  assert.equal(worker.requests("fetch").length, 1);
});

test("AbortSignal.timeout() follows the clock, AbortSignal.any() the first of its signals", async () => {
  await using worker = await Scope.serviceWorker(`
    const signal = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(1000)]);
    setTimeout(() => fetch("/x", {signal}).catch(e => console.log(e.name, e.message, signal.aborted)), 1)`);
  worker.answer = () => undefined;
  await worker.advance(1);
  await worker.advance(998);
  assert.deepEqual(worker.lines, []);
  await worker.advance(1);
  assert.deepEqual(worker.lines, ["TimeoutError signal timed out true"]);
});

test("a streamed response is read as it comes, and credit is granted for what was read", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond({ stream: 1 }) : { ok: {} }));
  await worker.begin(
    "const reader = (await fetch('/x')).body.getReader(); let n = 0; for (;;) { const {value, done} = await reader.read(); if (done) return n; n += value.byteLength }",
  );
  for (let i = 0; i < 4; ++i) await worker.send({ chunk: { stream: 1, data: Buffer.alloc(40 * 1024, i) } });
  assert.deepEqual(worker.of("credit"), [{ stream: 1, bytes: 80 * 1024 }, { stream: 1, bytes: 80 * 1024 }]);
  await worker.send({ chunk: { stream: 1, fin: true } });
  assert.ok(worker.lines.includes(`=${160 * 1024}`));
});

test("a body that breaks off fails who consumes it as fetch() fails", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond({ stream: 1 }) : { ok: {} }));
  await worker.begin("return (await fetch('/x')).text().catch(e => String(e))");
  await worker.send({ chunk: { stream: 1, data: Buffer.from("half") } });
  await worker.send({ chunk: { stream: 1, error: "connection reset" } });
  assert.ok(worker.lines.some((line) => line.includes("TypeError: Failed to fetch")));
});

test("cancelling a body tells its sender", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond({ stream: 1 }) : { ok: {} }));
  await worker.run("await (await fetch('/x')).body.cancel()");
  assert.deepEqual(worker.of("bodyCancel"), [{ stream: 1 }]);
});

test("an opaque response shows nothing, but keeps what it is", async () => {
  await using worker = await evaluator((
    request,
  ) => (request.fetch ? respond(inline("secret"), { type: 4, urlList: ["https://other.example/"] }) : { ok: {} }));
  const seen = await worker.run(
    "const r = await fetch('https://other.example/', {mode: 'no-cors'}); return [r.type, r.status, r.ok, r.url, r.body, [...r.headers], await r.text()]",
  );
  assert.deepEqual(seen, ["opaque", 0, false, "", null, [], ""]);
});

test("data: URLs are left to the daemon, other schemes are refused", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond(inline("abc")) : { ok: {} }));
  assert.equal(await worker.run(`return (await fetch("data:text/css,abc")).text()`), "abc");
  await assert.rejects(worker.run(`await fetch("ftp://other.example/")`), { message: "TypeError: Failed to fetch" });
  assert.deepEqual(worker.requests("fetch").map((request) => request.url), ["data:text/css,abc"]);
});

test("an abort after the response takes away what was not read", async () => {
  await using worker = await evaluator((
    request,
  ) => (request.fetch ? respond({ stream: Number(new URL(request.fetch.url).pathname.slice(1)) }) : { ok: {} }));
  const seen = await worker.run(`
    const c = new AbortController();
    const [a, b] = await Promise.all(["/1", "/2"].map(path => fetch(path, {signal: c.signal})));
    const reader = b.body.getReader();
    c.abort();
    const order = [];
    await Promise.all([a.text().catch(() => order.push("rejected")), Promise.resolve().then(() => order.push("next"))]);
    const name = promise => promise.then(() => "none", e => e.name);
    return [order, await name(a.text()), await name(reader.read()), await name(reader.closed)]`);
  assert.deepEqual(seen, [["rejected", "next"], "AbortError", "AbortError", "AbortError"]);
  assert.deepEqual(worker.of("bodyCancel"), [{ stream: 1 }, { stream: 2 }]);
});

test("a request's stream is sent as it comes, and cancelled with the fetch", async () => {
  await using worker = await evaluator(() => undefined);
  const seen = await worker.run(`
    const c = new AbortController();
    let reason;
    const body = new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode("first")); },
      cancel(why) { reason = why; },
    });
    const fetched = fetch("/x", {method: "POST", body, duplex: "half", signal: c.signal}).catch(e => e);
    await Promise.resolve();
    c.abort();
    const error = await fetched;
    return [error.name, reason === error]`);
  assert.deepEqual(seen, ["AbortError", true]);
  const [{ body }] = worker.requests("fetch");
  assert.equal(body.size, undefined);
  assert.equal(typeof body.stream, "number");
});

test("a body that is too large for one message is a stream that says its size", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond(inline("")) : { ok: {} }));
  await worker.run("await fetch('/x', {method: 'POST', body: new Uint8Array(300 * 1024)})");
  assert.equal(worker.requests("fetch")[0].body.size, 300 * 1024);
});

test("a stream ends with its content, also while nobody reads", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond({ stream: 1 }) : { ok: {} }));
  await worker.begin(
    "const reader = (await fetch('/x')).body.getReader(); await reader.read(); return reader.closed.catch(e => String(e))",
  );
  await worker.send({ chunk: { stream: 1, data: Buffer.from("half") } });
  await worker.send({ chunk: { stream: 1, error: "connection reset" } });
  assert.ok(worker.lines.some((line) => line.includes("TypeError: network error")));
});

test("Headers normalize, combine, sort and guard", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const h = new Headers([["B", " 1 "], ["a", "2"], ["b", "3"], ["Set-Cookie", "x=1"], ["set-cookie", "y=2"]]);
    h.set("c", "4"); h.delete("a");
    return [[...h], h.get("b"), h.has("A"), h.getSetCookie(), Object.prototype.toString.call(h.entries())]`),
    [
      [["b", "1, 3"], ["c", "4"], ["set-cookie", "x=1"], ["set-cookie", "y=2"]],
      "1, 3",
      false,
      ["x=1", "y=2"],
      "[object Headers Iterator]",
    ],
  );
  await assert.rejects(worker.run("new Headers({'a b': '1'})"), {
    message: "TypeError: Failed to construct 'Headers': Invalid name",
  });
  await assert.rejects(worker.run("new Headers().set('a', 'x\\u0100')"), {
    message: "TypeError: Failed to execute 'set' on 'Headers': String contains non ISO-8859-1 code point.",
  });
  await assert.rejects(worker.run("Response.error().headers.set('a', 'b')"), {
    message: "TypeError: Failed to execute 'set' on 'Headers': Headers are immutable",
  });
});

test("a request sends one header of each name, as its first was written", async () => {
  await using worker = await evaluator((request) => (request.fetch ? respond(inline("")) : { ok: {} }));
  await worker.run("await fetch('/x', {headers: [['X-Some', '1'], ['x-SOME', '2'], ['b', '3']]})");
  assert.deepEqual(worker.requests("fetch")[0].headers, [{ name: "X-Some", value: "1, 2" }, { name: "b", value: "3" }]);
});

test("Headers are made from what iterating over them gives", async () => {
  await using worker = await evaluator();
  const seen = await worker.run(`
    const plain = new Headers({a: "1"});
    const strange = new Headers({a: "1"});
    strange[Symbol.iterator] = function* () { yield ["b", "2"]; };
    return [[...new Headers(plain)], [...new Headers(strange)], [...new Request("/x", {headers: plain}).clone().headers]]`);
  assert.deepEqual(seen, [[["a", "1"]], [["b", "2"]], [["a", "1"]]]);
});

test("Request checks its arguments and copies another request", async () => {
  await using worker = await evaluator();
  await assert.rejects(worker.run("new Request('/x', {body: 'a'})"), {
    message: "TypeError: Failed to construct 'Request': Request with GET/HEAD method cannot have body.",
  });
  await assert.rejects(worker.run("new Request('http://[')"), {
    message: "TypeError: Failed to construct 'Request': Failed to parse URL from http://[",
  });
  await assert.rejects(worker.run("new Request('/', {mode: 'navigate'})"), /mode member is set as 'navigate'/);
  await assert.rejects(worker.run("new Request('/', {method: 'TRACE'})"), /'TRACE' HTTP method is unsupported/);
  assert.deepEqual(
    await worker.run(`
    const a = new Request("/p", {method: "PUT", body: "text", headers: {x: "1"}, keepalive: true});
    const b = a.clone(); const c = new Request(a, {method: "PATCH"});
    return [a.bodyUsed, await b.text(), await c.text(), c.method, c.headers.get("x"), c.keepalive, a.mode, a.destination, a.referrer, a.duplex]`),
    [
      true,
      "text",
      "text",
      "PATCH",
      "1",
      true,
      "cors",
      "",
      "about:client",
      "half",
    ],
  );
});

test("Response has its statics, refuses bad statuses, and its clone is independent", async () => {
  await using worker = await evaluator();
  await assert.rejects(worker.run("new Response('', {status: 99})"), {
    message: "RangeError: Failed to construct 'Response': The status provided (99) is outside the range [200, 599].",
  });
  await assert.rejects(
    worker.run("new Response('x', {status: 204})"),
    /Response with null body status cannot have body/,
  );
  assert.deepEqual(
    await worker.run(`
    const j = Response.json({a: 1}, {status: 202}), r = Response.redirect("/to"), e = Response.error();
    const a = new Response("abc"), b = a.clone(); const reader = a.body.getReader(); const first = await reader.read();
    return [j.status, j.headers.get("content-type"), await j.json(), r.status, r.headers.get("location"), e.type, e.status, first.value.length, await b.text(), a.bodyUsed]`),
    [
      202,
      "application/json",
      { a: 1 },
      302,
      `${origin}/to`,
      "error",
      0,
      3,
      "abc",
      true,
    ],
  );
  await assert.rejects(worker.run("const r = new Response('a'); await r.text(); await r.text()"), {
    message: "TypeError: Failed to execute 'text' on 'Response': body stream already read",
  });
});

test("what one clone's reader does to a chunk the other one does not see", async () => {
  await using worker = await evaluator();
  const seen = await worker.run(`
    const chunk = new Uint8Array([1, 2]);
    const a = new Response(new ReadableStream({start(c) { c.enqueue(chunk); c.close() }})), b = a.clone();
    const first = (await a.body.getReader().read()).value;
    first[0] = 9;
    return [first === chunk, [...(await b.body.getReader().read()).value]]`);
  assert.deepEqual(seen, [true, [1, 2]]);
});

test("a consumed body is locked for good", async () => {
  await using worker = await evaluator();
  const seen = await worker.run(`
    const r = new Response("a"); await r.text();
    let refused; try { r.body.getReader() } catch (e) { refused = e.name }
    return [r.body.locked, r.bodyUsed, refused]`);
  assert.deepEqual(seen, [true, true, "TypeError"]);
});

test("bodies of every kind keep their bytes and their type", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
    const form = new FormData(); form.append("a", "ü\\r\\nb"); form.append("f", new File(["x,y"], 'q"1.csv', {type: "text/csv"}));
    const r = new Response(form); const type = r.headers.get("content-type"); const back = await r.formData(); const f = back.get("f");
    const u = await new Response(new URLSearchParams({k: "v w"})).formData();
    const blob = await new Response(new Blob(["b"], {type: "image/PNG"})).blob();
    const stream = new Response(new ReadableStream({start(c) { c.enqueue(new Uint8Array([104, 105])); c.close() }}));
    return [type.startsWith("multipart/form-data; boundary="), back.get("a"), f.name, f.type, await f.text(), u.get("k"), blob.type, blob.size, await stream.text(), (await new Response("é").arrayBuffer()).byteLength]`),
    [
      true,
      "ü\r\nb",
      'q"1.csv',
      "text/csv",
      "x,y",
      "v w",
      "image/png",
      1,
      "hi",
      2,
    ],
  );
});

test("a body keeps coming while only its reader is held, and stops when nobody can read it", async () => {
  await using worker = await evaluator(
    (
      request,
    ) => (request.fetch ? respond({ stream: Number(new URL(request.fetch.url).pathname.slice(1)) }) : { ok: {} }),
    (start) => (start.testNatives = true),
  );
  await worker.run("globalThis.reader = (await fetch('/1')).body.getReader(); await fetch('/2')");
  await worker.run("for (let i = 0; i < 3; ++i) { await new Promise(r => queueMicrotask(r)); __vigilTest.gc() }");
  await worker.run("__vigilTest.gc()");
  await worker.send({ chunk: { stream: 1, data: Buffer.from("still") } });
  assert.equal(await worker.run("return new TextDecoder().decode((await reader.read()).value)"), "still");
  assert.deepEqual(worker.of("bodyCancel"), [{ stream: 2 }]);
});
