// InstallEvent.addRoutes(): what reaches the daemon, and what is refused before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { origin, Scope } from "./harness.ts";

async function install(rules: string, answer?: (request: any) => object): Promise<Scope> {
  const worker = await Scope.serviceWorker(
    `oninstall = e => e.addRoutes(${rules}).then(() => console.log("added"), x => console.log(x.name + ": " + x.message))`,
  );
  if (answer) worker.answer = answer;
  await worker.send({ event: { id: 1, install: {} } });
  return worker;
}
const rulesOf = (worker: Scope) => worker.requests("addRoutes")[0].rules;
const failed = "TypeError: Failed to execute 'addRoutes' on 'InstallEvent': ";

test("a rule or a list of rules goes to the daemon as plain conditions", async () => {
  await using worker = await install(`[
    { condition: { urlPattern: "/**/a.txt", requestMethod: "post", requestMode: "cors", requestDestination: "script",
      runningStatus: "not-running" }, source: "network" },
    { condition: { or: [{ not: { urlPattern: new URLPattern({ pathname: "/:id" }, { ignoreCase: true }) } }] },
      source: { cacheName: "v1" } }]`);
  assert.deepEqual(worker.lines, ["added"]);
  const [first, second] = rulesOf(worker);
  assert.equal(first.source, "network");
  const { urlPattern, ...others } = first.condition;
  assert.equal(urlPattern.pathname, "/**/a.txt");
  assert.equal(`${urlPattern.protocol}://${urlPattern.hostname}`, origin);
  assert.deepEqual(
    Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
    { requestMethod: "post", requestMode: "cors", requestDestination: "script", runningStatus: "not-running" },
  );
  assert.deepEqual([second.source, second.cacheName], ["cache", "v1"]);
  const inner = second.condition.anyOf.conditions[0].negated.urlPattern;
  assert.deepEqual([inner.pathname, inner.hostname, inner.ignoreCase], ["/:id", "*", true]);
  await using single = await install(`{ condition: { urlPattern: { pathname: "/x" } }, source: "fetch-event" }`);
  assert.equal(rulesOf(single).length, 1);
  assert.equal(rulesOf(single)[0].condition.urlPattern.pathname, "/x");
  assert.equal(`https://${rulesOf(single)[0].condition.urlPattern.hostname}`, origin);
});

test("what is no rule is refused with the place where it is wrong", async () => {
  for (
    const [rules, message] of [
      ["{ source: 'network' }", "Failed to read the 'condition' property from 'RouterRule': Required member is undefined."],
      ["{ condition: {} }", "Failed to read the 'source' property from 'RouterRule': Required member is undefined."],
      ["7", "The provided value is not of type 'RouterRule'."],
      [
        "{ condition: {}, source: 'there' }",
        "Failed to read the 'source' property from 'RouterRule': The provided value 'there' is not a valid enum value of type RouterSourceEnum.",
      ],
      [
        "{ condition: { requestMethod: '\\u3042' }, source: 'network' }",
        "Failed to read the 'condition' property from 'RouterRule': Failed to read the 'requestMethod' property from 'RouterCondition': String contains non ISO-8859-1 code point.",
      ],
    ]
  ) {
    await using worker = await install(rules!);
    assert.deepEqual(worker.lines, [failed + message], rules);
    assert.deepEqual(worker.requests("addRoutes"), []);
  }
});

test("conditions that contain themselves end at the limit", async () => {
  await using worker = await install("(() => { const c = {}; c.or = [c]; return { condition: c, source: 'network' } })()");
  assert.match(worker.lines[0]!, /A condition is nested more than 10 levels deep\.$/);
});

test("the install event waits for its routes, and fails no more than its handler does", async () => {
  await using worker = await Scope.serviceWorker(
    "oninstall = e => { e.addRoutes({ condition: { requestMethod: 'GET' }, source: 'network' }).catch(x => console.log(x.message)) }",
  );
  worker.answer = (request) => (request.addRoutes ? { failure: { name: "TypeError", message: "no" } } : { ok: {} });
  await worker.send({ event: { id: 1, install: {} } });
  assert.deepEqual(worker.lines, ["no"]);
  assert.equal(worker.finished(1).outcome, 0);
});

test("routes belong to the install event that is being handled", async () => {
  await using worker = await Scope.serviceWorker(`
    const rule = { condition: { requestMethod: "GET" }, source: "network" };
    new InstallEvent("install").addRoutes(rule).catch(x => console.log(x.name));
    oninstall = e => void setTimeout(() => e.addRoutes(rule).catch(x => console.log(x.name)), 10)`);
  await worker.send({ event: { id: 1, install: {} } });
  await worker.advance(20);
  assert.deepEqual(worker.lines, ["InvalidStateError", "InvalidStateError"]);
});
