// Message ports that leave their process: what two scopes say to a daemon between them, which forwards every frame to
// the other scope (src/host/port_hub_test.cc has the daemon's own rules).
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Evaluator, evaluator } from "./harness.ts";

const Kind = { Claim: 0, Message: 1, Release: 2, Fence: 3, Bounce: 4, Drained: 5, Close: 6 }; // PortFrame.Kind
const kinds = (worker: Evaluator) => worker.of("port").map(({ side, kind }) => `${side}:${kind}`);

test("a port that stays in its scope says nothing to the daemon", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const one = new MessageChannel(), two = new MessageChannel();
      two.port1.postMessage("before");
      one.port1.postMessage("ports", [two.port2]);
      two.port1.postMessage("after");
      const port = await new Promise(resolve => one.port2.onmessage = event => resolve(event.ports[0]));
      const seen = [];
      await new Promise(resolve => port.onmessage = event => seen.push(event.data) === 2 && resolve());
      return seen`),
    ["before", "after"],
  );
  assert.deepEqual(worker.of("port"), []);
});

test("messages that wait in a port leave with it, and those in its messages do, too", async () => {
  await using worker = await evaluator();
  await worker.run(`
    const outer = new MessageChannel(), inner = new MessageChannel();
    outer.port1.postMessage("first");
    outer.port1.postMessage("second", [inner.port2]);
    registration.active.postMessage("x", [outer.port2]);
    outer.port1.postMessage("third");
    inner.port1.postMessage("inner")`);
  assert.deepEqual(kinds(worker), [
    `0:${Kind.Claim}`,
    `1:${Kind.Message}`,
    `0:${Kind.Claim}`,
    `1:${Kind.Message}`,
    `1:${Kind.Message}`,
    `1:${Kind.Message}`,
  ]);
  const channels = worker.of("port").map(({ channel }) => channel);
  assert.equal(new Set(channels).size, 2);
  assert.equal(channels[2], channels[5]);
});

test("a port that arrived and goes on sends back what still comes for it", async () => {
  await using sender = await evaluator();
  await sender.run("const c = new MessageChannel(); registration.active.postMessage('x', [c.port2]); c.port1.postMessage('late')");
  const { data } = sender.requests("postMessage")[0];
  const late = sender.of("port").find(({ kind }) => kind === Kind.Message);
  await using worker = await evaluator();
  await worker.run("addEventListener('message', event => { globalThis.port = event.ports[0] })");
  await worker.send({ event: { id: 1, message: { data, origin: "https://app.example" } } });
  await worker.send({ port: late });
  await worker.run("registration.active.postMessage('y', [port])");
  await worker.send({ port: late });
  await worker.send({ port: { channel: late.channel, side: 1, kind: Kind.Fence } });
  assert.deepEqual(kinds(worker), [
    `1:${Kind.Claim}`,
    `1:${Kind.Release}`,
    `1:${Kind.Bounce}`,
    `1:${Kind.Bounce}`,
    `1:${Kind.Drained}`,
  ]);
});

test("closing a port tells the other end, which then sends nothing more", async () => {
  await using worker = await evaluator();
  await worker.run("globalThis.c = new MessageChannel(); registration.active.postMessage('x', [c.port2]); c.port1.close()");
  assert.deepEqual(kinds(worker), [`0:${Kind.Claim}`, `0:${Kind.Close}`]);
  await worker.run("globalThis.d = new MessageChannel(); registration.active.postMessage('x', [d.port2])");
  const { channel } = worker.of("port").at(-1);
  await worker.send({ port: { channel, side: 0, kind: Kind.Close } });
  await worker.run("d.port1.postMessage('nobody')");
  assert.equal(worker.of("port").length, 3);
});
