// WebSocket: states, what waits to be sent, what the daemon is told. Real connections: tests/e2e/websocket.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Evaluator, evaluator } from "./harness.ts";

const told = (scope: Evaluator) =>
  scope.of("webSocket").map(({ socket, open, message, close, grant }) => {
    if (open) return [socket, "open", open.url, open.protocols];
    if (message) return [socket, message.text ? "text" : "bytes", message.data.byteLength];
    return close ? [socket, "close", close.code, close.reason] : [socket, "grant", grant];
  });
const setup = `
  globalThis.log = [];
  globalThis.socket = new WebSocket("wss://app.example/live", ["v1"]);
  for (const type of ["open", "message", "error", "close"]) socket.addEventListener(type, event => log.push(type));`;
const opened = { webSocket: { socket: 1, opened: { protocol: "v1", extensions: "" } } };

test("not more than a window is unsent; the rest waits, in order, and close() behind it", async () => {
  await using worker = await evaluator();
  await worker.run(setup);
  await worker.send(opened);
  const amounts = await worker.run(`
    for (let i = 0; i < 3; i++) socket.send(new Uint8Array(700_000));
    socket.send("end");
    socket.close(3000, "bye");
    return [socket.bufferedAmount, socket.readyState]`);
  assert.deepEqual(amounts, [2_100_003, 2]);
  const first = [[1, "open", "wss://app.example/live", ["v1"]], [1, "bytes", 700_000], [1, "bytes", 700_000]];
  assert.deepEqual(told(worker), first);
  await worker.send({ webSocket: { socket: 1, sent: 700_000 } });
  assert.deepEqual(told(worker).slice(3), [[1, "bytes", 700_000]]);
  await worker.send({ webSocket: { socket: 1, sent: 700_000 } });
  assert.deepEqual(told(worker).slice(4), [[1, "text", 3], [1, "close", 3000, "bye"]]);
  assert.equal(await worker.run("return socket.bufferedAmount"), 700_003);
  // Also when the connection ends before all has left.
  await worker.send({ webSocket: { socket: 1, ended: { code: 1006, reason: "", clean: false, error: "gone" } } });
  assert.deepEqual(await worker.run("return [log, socket.readyState]"), [["open", "error", "close"], 3]);
});

test("messages are taken, but not shown, once the script has closed", async () => {
  await using worker = await evaluator();
  await worker.run(setup);
  await worker.send(opened);
  await worker.send({ webSocket: { socket: 1, message: { text: true, data: Buffer.from("\uFEFFa") } } });
  await worker.run("socket.close()");
  await worker.send({ webSocket: { socket: 1, message: { text: true, data: Buffer.from("late") } } });
  assert.deepEqual(await worker.run("return log"), ["open", "message"]);
  assert.deepEqual(told(worker).slice(1), [[1, "grant", 4], [1, "close", 0, ""], [1, "grant", 4]]);
});

test("close() before the connection is open is told at once, and its events come from the daemon", async () => {
  await using worker = await evaluator();
  await worker.run(setup + "socket.close(); socket.close(4000);");
  assert.deepEqual(told(worker).slice(1), [[1, "close", 0, ""]]);
  await worker.send(opened); // it crossed the call on its way
  assert.deepEqual(await worker.run("return [log, socket.readyState]"), [[], 2]);
  await worker.run("socket.onclose = ({ code, wasClean }) => log.push(code, wasClean)");
  await worker.send({ webSocket: { socket: 1, ended: { code: 1005, reason: "", clean: true, error: "" } } });
  assert.deepEqual(await worker.run("return log"), ["error", "close", 1006, false]);
});

test("the interface is the browser's", async () => {
  await using worker = await evaluator();
  const members = await worker.run("return Object.getOwnPropertyNames(WebSocket.prototype).sort().join()");
  assert.equal(
    members,
    "CLOSED,CLOSING,CONNECTING,OPEN,binaryType,bufferedAmount,close,constructor,extensions,onclose,onerror,onmessage," +
      "onopen,protocol,readyState,send,url",
  );
  assert.deepEqual(
    await worker.run(`
      const closed = new CloseEvent("close", { code: 4, reason: "x", wasClean: true });
      return [WebSocket.length, WebSocket.prototype.send.length, WebSocket.prototype.close.length, WebSocket.OPEN,
        Object.getPrototypeOf(WebSocket) === EventTarget, closed.code, closed.reason, closed.wasClean]`),
    [1, 1, 0, 1, true, 4, "x", true],
  );
});
