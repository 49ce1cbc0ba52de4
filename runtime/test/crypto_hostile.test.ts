// Web Cryptography: keys, texts and numbers that nobody well-meaning would pass. Each is refused with an error of the
// specification, or is a key that works; the worker lives on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Evaluator, evaluator } from "./harness.ts";

let worker: Evaluator;
before(async () => {
  worker = await evaluator();
  await worker.run(`
    let state = 1;
    Object.assign(globalThis, {
      subtle: crypto.subtle,
      random: (limit) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * limit) },
      nameOf: async (action) => { try { await action(); return "done" } catch (error) { return error.name } },
      // One of the ways in which a structure is damaged: bits, lengths, a cut, a repetition, a tail.
      damage(data) {
        const bytes = Array.from(new Uint8Array(data)), at = random(bytes.length);
        switch (random(6)) {
          case 0: bytes[at] ^= 1 << random(8); break;
          case 1: bytes[at] = [0, 1, 0x7f, 0x80, 0x84, 0xff][random(6)]; break;
          case 2: bytes.length = at; break;
          case 3: bytes.splice(at, random(8)); break;
          case 4: bytes.splice(at, 0, ...bytes.slice(at, at + random(40))); break;
          case 5: bytes.push(...new Array(random(20)).fill(random(256))); break;
        }
        return Uint8Array.from(bytes);
      },
      // What a key of any algorithm is good for.
      async use(key) {
        const {name} = key.algorithm, data = new Uint8Array(70);
        if (key.type !== "public" || key.algorithm.hash || name === "ECDSA" || name === "Ed25519") {
          if (key.usages.includes("sign")) await subtle.sign({name, hash: "SHA-256", saltLength: 8}, key, data);
          if (key.usages.includes("verify")) await subtle.verify({name, hash: "SHA-256", saltLength: 8}, key, data, data);
          if (key.usages.includes("encrypt")) await subtle.encrypt({name}, key, data);
          if (key.usages.includes("decrypt")) await subtle.decrypt({name}, key, data);
        }
        await subtle.exportKey("jwk", key);
        await subtle.exportKey(key.type === "private" ? "pkcs8" : "spki", key);
        structuredClone(key);
      },
    })`);
});
after(() => worker.close());

const rsa = "modulusLength: 512, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1'";
const algorithms = [
  [`{name: 'RSA-PSS', ${rsa}}`, "sign", "verify"],
  [`{name: 'RSA-OAEP', ${rsa}}`, "decrypt", "encrypt"],
  ["{name: 'ECDSA', namedCurve: 'P-256'}", "sign", "verify"],
  ["{name: 'ECDSA', namedCurve: 'P-521'}", "sign", "verify"],
  ["{name: 'ECDH', namedCurve: 'P-384'}", "deriveBits", ""],
  ["{name: 'Ed25519'}", "sign", "verify"],
  ["{name: 'X25519'}", "deriveBits", ""],
] as const;

test("a damaged structure is a DataError, or a key that can be used", async () => {
  for (const [algorithm, privateUsage, publicUsage] of algorithms) {
    const outcomes = await worker.run(`
      const algorithm = ${algorithm}, usages = [${JSON.stringify(privateUsage)}, ${JSON.stringify(publicUsage)}].filter(Boolean), outcomes = {};
      const {privateKey, publicKey} = await subtle.generateKey(algorithm, true, usages);
      for (const [format, key] of [["spki", publicKey], ["pkcs8", privateKey], ...algorithm.hash ? [] : [["raw", publicKey]]]) {
        const whole = await subtle.exportKey(format, key);
        for (let i = 0; i < 250; ++i) {
          const outcome = await nameOf(async () => {
            const made = await subtle.importKey(format, damage(whole), algorithm, true, key.usages);
            const failure = await nameOf(() => use(made));
            if (failure !== "done") throw {name: "used: " + failure};
          });
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
      }
      return outcomes`);
    assert.ok(outcomes["DataError"] > 200, `${algorithm}: ${JSON.stringify(outcomes)}`);
    const allowed = ["DataError", "done", "used: OperationError"];
    assert.deepEqual(Object.keys(outcomes).filter((each) => !allowed.includes(each)), [], algorithm);
  }
});

test("a damaged JSON Web Key is a DataError, or a key that can be used", async () => {
  for (const [algorithm, privateUsage, publicUsage] of algorithms) {
    const outcomes = await worker.run(`
      const algorithm = ${algorithm}, usages = [${JSON.stringify(privateUsage)}, ${JSON.stringify(publicUsage)}].filter(Boolean), outcomes = {};
      const {privateKey, publicKey} = await subtle.generateKey(algorithm, true, usages);
      const values = ["", "A", "AA", "AQ", "____", "=", "é", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "A".repeat(20001), undefined, null, 7, {}];
      for (const key of [publicKey, privateKey]) {
        const whole = await subtle.exportKey("jwk", key), names = Object.keys(whole).filter((name) => name !== "key_ops");
        for (const name of names) for (const value of values) {
          const outcome = await nameOf(async () => {
            const made = await subtle.importKey("jwk", {...whole, [name]: value}, algorithm, true, key.usages);
            await use(made);
          });
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
      }
      return outcomes`);
    assert.ok(outcomes["DataError"] > 50, `${algorithm}: ${JSON.stringify(outcomes)}`);
    // A private key without its d is a public one, which may not sign.
    const allowed = ["DataError", "SyntaxError", "OperationError", "done"];
    assert.deepEqual(Object.keys(outcomes).filter((each) => !allowed.includes(each)), [], algorithm);
  }
});

test("keys whose numbers do not belong together are refused", async () => {
  const results = await worker.run(`
    const algorithm = {name: "RSA-PSS", ${rsa}}, pair = () => subtle.generateKey(algorithm, true, ["sign"]);
    const jwk = async () => subtle.exportKey("jwk", (await pair()).privateKey), one = await jwk(), other = await jwk();
    const rsa = (members) => nameOf(() => subtle.importKey("jwk", {...one, ...members}, algorithm, true, ["sign"]));
    const {n, p, q, d, dp, qi} = other, results = [await rsa({}), await rsa({n}), await rsa({p}), await rsa({p, q}), await rsa({d}), await rsa({dp}), await rsa({qi}), await rsa({oth: []}), await rsa({e: "AQ"}), await rsa({e: "Ag"}), await rsa({e: "AQAAAAAB"})];
    for (const algorithm of [{name: "ECDSA", namedCurve: "P-256"}, {name: "Ed25519"}]) {
      const make = async () => subtle.exportKey("jwk", (await subtle.generateKey(algorithm, true, ["sign"])).privateKey), {d} = await make();
      results.push(await nameOf(async () => subtle.importKey("jwk", {...await make(), d}, algorithm, true, ["sign"])));
    }
    const point = new Uint8Array(65); point[0] = 4; point[64] = 1;
    const raw = (data) => nameOf(() => subtle.importKey("raw", data, {name: "ECDH", namedCurve: "P-256"}, true, []));
    results.push(await raw(point), await raw(new Uint8Array(1)), await raw(new Uint8Array(0)));
    const x = await subtle.generateKey("X25519", false, ["deriveBits"]), zero = await subtle.importKey("raw", new Uint8Array(32), "X25519", true, []);
    results.push(await nameOf(() => subtle.deriveBits({name: "X25519", public: zero}, x.privateKey, 256)));
    return results`);
  assert.deepEqual(results, ["done", ...new Array(15).fill("DataError"), "OperationError"]);
});

test("lengths and numbers out of bounds are refused without work", async () => {
  const results = await worker.run(`
    const key = (name, size, ...usages) => subtle.importKey("raw", new Uint8Array(size), name, false, usages);
    const gcm = await key("AES-GCM", 16, "encrypt", "decrypt"), cbc = await key("AES-CBC", 16, "encrypt", "decrypt"), ctr = await key("AES-CTR", 16, "encrypt"), kw = await key("AES-KW", 16, "wrapKey", "unwrapKey");
    const hkdf = await key("HKDF", 4, "deriveBits"), pbkdf2 = await key("PBKDF2", 4, "deriveBits"), none = new Uint8Array(0), iv = new Uint8Array(16), hash = "SHA-256";
    const hmac = await subtle.generateKey({name: "HMAC", hash, length: 8}, true, ["sign"]);
    return Promise.all([
      () => subtle.encrypt({name: "AES-GCM", iv: none}, gcm, iv), () => subtle.encrypt({name: "AES-GCM", iv, tagLength: 33}, gcm, iv), () => subtle.encrypt({name: "AES-GCM", iv, tagLength: 256}, gcm, iv),
      () => subtle.decrypt({name: "AES-GCM", iv}, gcm, new Uint8Array(15)), () => subtle.decrypt({name: "AES-GCM", iv}, gcm, new Uint8Array(32)), () => subtle.encrypt({name: "AES-GCM", iv: new Uint8Array(1 << 20)}, gcm, iv),
      () => subtle.encrypt({name: "AES-CBC", iv: none}, cbc, iv), () => subtle.decrypt({name: "AES-CBC", iv}, cbc, new Uint8Array(17)), () => subtle.decrypt({name: "AES-CBC", iv}, cbc, none),
      () => subtle.encrypt({name: "AES-CTR", counter: iv, length: 0}, ctr, iv), () => subtle.encrypt({name: "AES-CTR", counter: iv, length: 129}, ctr, iv), () => subtle.encrypt({name: "AES-CTR", counter: none, length: 64}, ctr, iv),
      () => subtle.wrapKey("raw", hmac, kw, "AES-KW"), () => subtle.unwrapKey("raw", new Uint8Array(24), kw, "AES-KW", "AES-CBC", true, ["encrypt"]), () => subtle.unwrapKey("raw", none, kw, "AES-KW", "AES-CBC", true, ["encrypt"]),
      () => subtle.deriveBits({name: "HKDF", hash, salt: none, info: none}, hkdf, 255 * 256 + 8), () => subtle.deriveBits({name: "HKDF", hash, salt: none, info: none}, hkdf, 12), () => subtle.deriveBits({name: "PBKDF2", hash, salt: none, iterations: 0}, pbkdf2, 8),
      () => subtle.deriveBits({name: "PBKDF2", hash, salt: none, iterations: 2 ** 32}, pbkdf2, 8), () => key("AES-CBC", 17, "encrypt"), () => key({name: "HMAC", hash}, 0, "sign"), () => key({name: "HMAC", hash, length: 7}, 2, "sign"),
      () => subtle.generateKey({name: "HMAC", hash, length: 0}, true, ["sign"]), () => subtle.generateKey({name: "HMAC", hash, length: 2 ** 32}, true, ["sign"]),
      () => subtle.encrypt({name: "AES-GCM", iv: new Uint8Array(128)}, gcm, iv), () => subtle.encrypt({name: "AES-GCM", iv: new Uint8Array(129)}, gcm, iv), () => subtle.generateKey({name: "RSA-PSS", hash, modulusLength: 504, publicExponent: new Uint8Array([3])}, true, ["sign"]),
      () => subtle.generateKey({name: "RSA-PSS", hash, modulusLength: 2 ** 31, publicExponent: iv}, true, ["sign"]), () => subtle.generateKey({name: "RSA-PSS", hash, modulusLength: 2048, publicExponent: new Uint8Array(1 << 20)}, true, ["sign"]),
    ].map(nameOf))`);
  const [operation, type, data] = ["OperationError", "TypeError", "DataError"];
  assert.deepEqual(results, [
    ...[operation, operation, type],
    ...new Array(15).fill(operation),
    ...[type, data, data, data, operation, type, "done", operation, operation, operation, operation],
  ]);
});

test("an unwrapped text that is no JSON Web Key is a DataError", async () => {
  const results = await worker.run(`
    const wrapper = await subtle.generateKey({name: "AES-GCM", length: 128}, false, ["encrypt", "unwrapKey"]), gcm = {name: "AES-GCM", iv: new Uint8Array(12)};
    const unwrap = async (data) => nameOf(async () => subtle.unwrapKey("jwk", await subtle.encrypt(gcm, wrapper, data), wrapper, gcm, "AES-CBC", true, ["encrypt"]));
    const text = (string) => new TextEncoder().encode(string);
    return [await unwrap(text('{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA"}')), ...await Promise.all(["", "null", "7", "[]", "{}", "{", '{"kty":"oct"}', '{"kty":"oct","k":"AA"}', '{"kty":"RSA","k":"AAAAAAAAAAAAAAAAAAAAAA"}', "[".repeat(100000)].map((each) => unwrap(text(each)))), await unwrap(new Uint8Array([0xff, 0xfe]))]`);
  assert.deepEqual(results, ["done", ...new Array(11).fill("DataError")]);
});

test("no object passes for a key", async () => {
  const results = await worker.run(`
    const fake = Object.create(CryptoKey.prototype);
    return [await nameOf(() => structuredClone(fake)), await nameOf(() => fake.type), await nameOf(() => new CryptoKey()), await nameOf(() => subtle.exportKey("raw", fake))]`);
  assert.deepEqual(results, ["DataCloneError", "TypeError", "TypeError", "TypeError"]);
});

test("a damaged clone of a key is no message, or a key that harms nobody", async () => {
  await using own = await evaluator();
  await own.run(`
    const sender = new BroadcastChannel("keys"), receiver = globalThis.receiver = new BroadcastChannel("keys"), outcomes = globalThis.outcomes = {};
    const note = (outcome) => { outcomes[outcome] = (outcomes[outcome] ?? 0) + 1 };
    receiver.onmessageerror = () => note("refused");
    receiver.onmessage = async ({data}) => {
      const key = data?.key, pair = {name: "ECDSA", hash: "SHA-256"};
      if (!(key instanceof CryptoKey)) return note("no key");
      try {
        note("a key");
        structuredClone(key); String(key.algorithm.name); key.usages.length;
        await crypto.subtle.sign(pair, key, new Uint8Array(8));
        await crypto.subtle.exportKey("pkcs8", key);
      } catch (error) { note(error.name) }
    };
    const {privateKey: key} = await crypto.subtle.generateKey({name: "ECDSA", namedCurve: "P-256"}, true, ["sign"]);
    sender.postMessage({key});`);
  const whole = Buffer.from(own.of("broadcast")[0].data);
  let state = 3;
  const random = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let i = 0; i < 400; ++i) {
    const data = Buffer.from(whole);
    for (let changes = 1 + random(2); changes > 0; --changes) data[random(data.length)] = random(256);
    own.post({ broadcast: { channel: "keys", data: random(8) === 0 ? data.subarray(0, random(data.length)) : data } });
  }
  await own.quiet();
  const outcomes = await own.run("return outcomes");
  assert.ok(outcomes.refused > 50 && outcomes["a key"] > 50, JSON.stringify(outcomes));
  const known = ["refused", "no key", "a key", "InvalidAccessError", "OperationError", "NotSupportedError"];
  assert.deepEqual(Object.keys(outcomes).filter((each) => !known.includes(each)), []);
});

test("random values: whole arrays of integers, up to the quota", async () => {
  const results = await worker.run(`
    const fill = (array) => { try { return crypto.getRandomValues(array) === array } catch (error) { return error.name } };
    class Own extends Uint8Array {}
    const gone = new Uint8Array(4); structuredClone(gone, {transfer: [gone.buffer]});
    const fake = new Float32Array(1); Object.defineProperty(fake, Symbol.toStringTag, {value: "Uint8Array"});
    return [fill(new Int8Array(3)), fill(new Uint8ClampedArray(3)), fill(new BigUint64Array(8192)), fill(new Own(4)), fill(new Uint8Array(0)), fill(new Uint8Array(65537)), fill(new BigInt64Array(8193)), fill(new Float32Array(1)), fill(new Float64Array(6)), fill(new DataView(new ArrayBuffer(1))), fill(gone), fill(fake), fill([1]), fill(),
      new Set(crypto.getRandomValues(new Uint8Array(new ArrayBuffer(80), 8, 64))).size > 20, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())]`);
  assert.deepEqual(results, [true, true, true, true, true, "QuotaExceededError", "QuotaExceededError", ...new Array(3).fill("TypeMismatchError"), true, "TypeMismatchError", "TypeError", "TypeError", true, true]);
});
