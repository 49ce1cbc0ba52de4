// Keys in a real store: what is not extractable comes back as a key that works, and still is not extractable.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { helpers, Session } from "./harness.ts";

let session: Session;
before(async () => {
  session = await Session.open();
  await session.run(helpers);
});
after(() => session.close());

test("a key is stored and read again", async () => {
  const result = await session.run(`
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open("keys");
      request.onupgradeneeded = () => request.result.createObjectStore("keys");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
    const store = () => database.transaction("keys", "readwrite").objectStore("keys");
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await done(store().put({ pair, when: new Date(0) }, 1));
    const { pair: again } = await done(store().get(1));
    const data = new Uint8Array([1, 2, 3]), algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(algorithm, again.privateKey, data);
    return {
      works: await crypto.subtle.verify(algorithm, pair.publicKey, signature, data),
      same: again.privateKey === pair.privateKey, extractable: again.privateKey.extractable, usages: again.privateKey.usages, algorithm: again.publicKey.algorithm,
      refused: await nameOf(() => crypto.subtle.exportKey("jwk", again.privateKey)),
    };
  `);
  assert.deepEqual(result, {
    works: true,
    same: false,
    extractable: false,
    usages: ["sign"],
    algorithm: { name: "ECDSA", namedCurve: "P-256" },
    refused: "InvalidAccessError",
  });
});
