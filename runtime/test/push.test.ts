// The Push API without a push service: everything is there, subscribing fails as it does in a browser without one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

const key = `"B${"A".repeat(86)}"`; // 65 bytes that begin with 4
const answer = (state: string) => (request: any) => (request.permissionQuery ? { permission: { state } } : { ok: {} });

test("subscribe() says what is missing, and in the end that there is no push service", async () => {
  await using worker = await evaluator(answer("granted"));
  const subscribe = (options: string) => worker.run(`return registration.pushManager.subscribe(${options})`);
  for (
    const [options, message] of [
      [`{ userVisibleOnly: true, applicationServerKey: ${key} }`, "AbortError: Registration failed - push service not available"],
      ["{ userVisibleOnly: true }", /^AbortError: Registration failed - missing applicationServerKey/],
      ["{ applicationServerKey: 'a=' }", /^InvalidCharacterError: .*not encoded as base64url without padding/],
      ["{ applicationServerKey: new Uint8Array(65) }", /^InvalidAccessError: .*applicationServerKey is not valid/],
    ] as const
  ) {
    await assert.rejects(subscribe(options), { message }, options);
  }
  await using refused = await evaluator(answer("denied"));
  await assert.rejects(refused.run(`return registration.pushManager.subscribe({ applicationServerKey: ${key} })`), {
    message: "NotAllowedError: Registration failed - permission denied",
  });
  await using early = await evaluator(answer("granted"), (start) => delete start.serviceWorker.registration.active);
  await assert.rejects(early.run(`return registration.pushManager.subscribe({ applicationServerKey: ${key} })`), {
    message: "AbortError: Subscription failed - no active Service Worker",
  });
});

test("there is no subscription, and the permission can be asked for", async () => {
  await using worker = await evaluator(answer("prompt"));
  assert.deepEqual(
    await worker.run(`return [await registration.pushManager.getSubscription(), registration.pushManager === registration.pushManager,
      await registration.pushManager.permissionState({ userVisibleOnly: true }), PushManager.supportedContentEncodings]`),
    [null, true, "prompt", ["aes128gcm", "aesgcm"]],
  );
  await assert.rejects(worker.run("return registration.pushManager.permissionState()"), { message: /^NotSupportedError/ });
});

test("push events that a script makes carry their data in every form", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      let got; onpush = async event => got = event.data;
      dispatchEvent(new PushEvent("push", { data: '{"a":"é"}' }));
      return [got.text(), got.json(), got.bytes().length, got.arrayBuffer().byteLength, await got.blob().text(),
        new PushEvent("push").data, new PushSubscriptionChangeEvent("pushsubscriptionchange").oldSubscription]`),
    ['{"a":"é"}', { a: "é" }, 10, 10, '{"a":"é"}', null, null],
  );
});
