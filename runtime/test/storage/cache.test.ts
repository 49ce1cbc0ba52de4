import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { helpers, Session } from "./harness.ts";

let session: Session;
before(async () => {
  session = await Session.open();
  await session.run(helpers);
});
after(() => session.close());

test("put, match, keys and delete", async () => {
  const result = await session.run(`
    const cache = await caches.open("feed");
    await cache.put("/feed?page=1", new Response("one", { headers: { "content-type": "text/x" } }));
    await cache.put(new Request("/feed?page=2"), new Response(new Uint8Array([50])));
    const found = await cache.match("/feed?page=1#there");
    const loose = await cache.matchAll("/feed", { ignoreSearch: true });
    const keys = (await cache.keys()).map((request) => [request instanceof Request, request.url]);
    return {
      text: await found.text(), type: found.headers.get("content-type"), status: found.status, loose: await Promise.all(loose.map((each) => each.text())),
      keys, none: await cache.match("/feed"), deleted: [await cache.delete("/feed?page=1"), await cache.delete("/feed?page=1")],
    };
  `);
  assert.deepEqual(result, {
    text: "one", type: "text/x", status: 200, loose: ["one", "2"],
    keys: [[true, "https://shop.example/feed?page=1"], [true, "https://shop.example/feed?page=2"]], deleted: [true, false],
  });
});

test("CacheStorage: names in order of creation, match over all, has, delete", async () => {
  const result = await session.run(`
    for (const name of ["z", "a"]) await (await caches.open(name)).put("/where", new Response(name));
    const first = await (await caches.match("/where")).text();
    const named = await (await caches.match("/where", { cacheName: "a" })).text();
    return { names: (await caches.keys()).filter((name) => name.length === 1), first, named, none: await caches.match("/where", { cacheName: "?" }), has: await caches.has("z"), gone: [await caches.delete("z"), await caches.has("z")] };
  `);
  assert.deepEqual(result, { names: ["z", "a"], first: "z", named: "a", has: true, gone: [true, false] });
});

test("add and addAll fetch, and store all or nothing", async () => {
  const result = await session.run(`
    const cache = await caches.open("added");
    await cache.add("/one");
    const failed = await nameOf(() => cache.addAll(["/two", "/missing"]));
    const twice = await nameOf(() => cache.addAll(["/two", "/two"]));
    await cache.addAll(["/two", "/three"]);
    return { failed, twice, keys: (await cache.keys()).map(({ url }) => new URL(url).pathname), text: await (await cache.match("/three")).text() };
  `);
  assert.deepEqual(result, { failed: "TypeError", twice: "InvalidStateError", keys: ["/one", "/two", "/three"], text: "/three" });
});

test("what cannot be stored is refused", async () => {
  const result = await session.run(`
    const cache = await caches.open("refused");
    const messages = [];
    const refused = async (...args) => { try { await cache.put(...args); messages.push("stored"); } catch (error) { messages.push(error.name + ": " + error.message); } };
    await refused(new Request("/", { method: "POST" }), new Response());
    await refused("/", new Response("", { headers: { vary: "accept, *" } }));
    await refused("/", new Response("", { status: 206 }));
    await refused("ftp://x/", new Response());
    const used = new Response("x");
    await used.text();
    await refused("/", used);
    return messages;
  `);
  const prefix = "TypeError: Failed to execute 'put' on 'Cache': ";
  assert.deepEqual(result, [
    `${prefix}Request method 'POST' is unsupported`,
    `${prefix}Vary header contains *`,
    `${prefix}Partial response (status code 206) is unsupported`,
    `${prefix}Request scheme 'ftp' is unsupported`,
    `${prefix}Response body is already used`,
  ]);
});

test("error responses are stored, names are any strings, and a stored body stays locked", async () => {
  const result = await session.run(`
    const name = "a\\\\b" + String.fromCharCode(0xd800);
    const cache = await caches.open(name);
    const response = new Response("x");
    await cache.put("/error", Response.error());
    await cache.put("/x", response);
    const names = await caches.keys();
    return {
      type: (await cache.match("/error")).type,
      known: names.includes(name),
      other: await caches.has("a\\\\b" + String.fromCharCode(0xd801)),
      reader: await nameOf(() => response.body.getReader()),
    };
  `);
  assert.deepEqual(result, { type: "error", known: true, other: false, reader: "TypeError" });
});

test("an aborted request is not added", async () => {
  const result = await session.run(`
    const cache = await caches.open("aborted");
    const request = new Request("/page", { signal: AbortSignal.abort() });
    return [await nameOf(() => cache.add(request)), await nameOf(() => cache.addAll([request])), (await cache.keys()).length];
  `);
  assert.deepEqual(result, ["AbortError", "AbortError", 0]);
});

test("large bodies survive the way there and back", async () => {
  const result = await session.run(`
    const cache = await caches.open("large");
    const bytes = new Uint8Array(5_000_000).map((_, i) => i % 251);
    await cache.put("/large", new Response(bytes));
    const back = new Uint8Array(await (await cache.match("/large")).arrayBuffer());
    return { size: back.length, same: back.every((byte, i) => byte === bytes[i]) };
  `);
  assert.deepEqual(result, { size: 5_000_000, same: true });
});
