// The Cookie Store API: what it asks the daemon, and what is refused before that. (The rules of the jar itself:
// src/net/cookie_jar_test.cc; events between real processes: src/host/host_shared_test.cc.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, origin, Scope } from "./harness.ts";

const cookie = { name: "a", value: "1", domain: "", path: "/", expiresMs: 0, secure: true, sameSite: "strict" };

test("cookies are read by name, and all at once", async () => {
  await using worker = await evaluator((request) => (request.cookieGet ? { cookies: { cookies: [cookie] } } : { ok: {} }));
  assert.deepEqual(
    await worker.run("return [await cookieStore.get('a'), (await cookieStore.getAll()).length, cookieStore instanceof EventTarget]"),
    [{ domain: null, expires: null, name: "a", partitioned: false, path: "/", sameSite: "strict", secure: true, value: "1" }, 1, true],
  );
  await worker.run("return cookieStore.get({ url: '/deep/page' })");
  assert.deepEqual(worker.requests("cookieGet").map(({ url, name }) => [url, name]), [
    [`${origin}/sw.js`, "a"],
    [`${origin}/sw.js`, undefined],
    [`${origin}/deep/page`, undefined],
  ]);
});

test("set() and delete() send a cookie with its attributes", async () => {
  await using worker = await evaluator();
  await worker.run(`
    await cookieStore.set("a", " 1 ");
    await cookieStore.set({ name: "b", value: "2", path: "/x", domain: "app.example", sameSite: "lax", expires: 1e12 });
    await cookieStore.delete("a");
    await cookieStore.delete({ name: "", path: "/x" })`);
  const sent = worker.requests("cookieSet").map((each) => [each.name, each.value, each.domain, each.path, each.sameSite, each.expiresMs]);
  assert.deepEqual(sent, [
    ["a", "1", "", "/", "strict", 0],
    ["b", "2", "app.example", "/x", "lax", 1e12],
    ["a", "", "", "/", "strict", 1],
    ["", "deleted", "", "/x", "strict", 1],
  ]);
});

test("what is no cookie is refused before anybody is asked", async () => {
  await using worker = await evaluator();
  for (
    const call of [
      "get()",
      "get({ url: 'https://other.example/' })",
      "set('', '')",
      "set('', 'a=b')",
      "set('a;b', 'c')",
      "set('a', 'b\\n')",
      "set('a', 'x'.repeat(4096))",
      "set({ name: 'a', value: 'b', domain: '.app.example' })",
      "set({ name: 'a', value: 'b', domain: 'other.example' })",
      "set({ name: '__Host-a', value: 'b', path: '/x' })",
      "set({ name: 'a', value: 'b', path: 'x' })",
      "set({ name: 'a' })",
    ]
  ) {
    await assert.rejects(worker.run(`return cookieStore.${call}`), { message: /^TypeError/ }, call);
  }
  assert.deepEqual([...worker.requests("cookieSet"), ...worker.requests("cookieGet")], []);
});

test("subscriptions belong to the registration, and changes come as events", async () => {
  await using worker = await evaluator((request) =>
    request.cookieGetSubscriptions
      ? { cookieSubscriptions: { subscriptions: [{ name: "a", url: `${origin}/` }, { url: `${origin}/x` }] } }
      : { ok: {} }
  );
  await worker.run("await registration.cookies.subscribe([{ name: 'a' }, { url: '/x' }]); await registration.cookies.unsubscribe([{}])");
  assert.deepEqual(worker.requests("cookieSubscribe")[0].subscriptions, [
    { name: "a", url: `${origin}/` },
    { name: undefined, url: `${origin}/x` },
  ]);
  assert.deepEqual(await worker.run("return registration.cookies.getSubscriptions()"), [
    { name: "a", url: `${origin}/` },
    { url: `${origin}/x` },
  ]);
  await worker.run("oncookiechange = event => console.log(event.changed[0].value, event.deleted.length, Object.isFrozen(event.changed))");
  await worker.send({ event: { id: 1, cookieChange: { changed: [cookie] } } });
  assert.equal(worker.lines.at(-1), "1 0 true");
  assert.ok(worker.finished(1));
});

test("a page hears of changes in its cookieStore", async () => {
  await using page = await Scope.page("<script>cookieStore.onchange = e => console.log(e.constructor.name, e.deleted[0].name)</script>");
  await page.send({ cookieChange: { deleted: [cookie] } });
  assert.deepEqual(page.lines, ["CookieChangeEvent a"]);
});
