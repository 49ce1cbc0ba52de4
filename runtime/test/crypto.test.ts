// Web Cryptography: published vectors, round trips through every format, who may do what with a key, and what a call
// leaves undone when it is refused.
import assert from "node:assert/strict";
import * as node from "node:crypto";
import { after, before, test } from "node:test";
import { type Evaluator, evaluator } from "./harness.ts";

// Names of the worker that the tests below use.
const prelude = `
  Object.assign(globalThis, {
    subtle: crypto.subtle,
    bytes: (hex) => Uint8Array.from(hex.match(/../g) ?? [], (each) => parseInt(each, 16)),
    hex: (data) => Array.from(new Uint8Array(data), (each) => each.toString(16).padStart(2, "0")).join(""),
    text: (string) => new TextEncoder().encode(string),
    raw: (data, algorithm, ...usages) => crypto.subtle.importKey("raw", data, algorithm, true, usages),
    nameOf: async (action) => { try { await action(); return "done" } catch (error) { return error.name } },
  });`;
let worker: Evaluator;
before(async () => {
  worker = await evaluator();
  await worker.run(prelude);
});
after(() => worker.close());

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const pem = (label: string, hex: string): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(hex, "hex").toString("base64")}\n-----END ${label}-----`;

// ------------------------------------------------------------------------------------------------- vectors
test("digests are those of FIPS 180-4", async () => {
  const digests = await worker.run(
    "return Promise.all(['SHA-1', 'sha-256', 'Sha-384', {name: 'SHA-512'}].map(async (each) => hex(await subtle.digest(each, text('abc')))))",
  );
  assert.deepEqual(digests, [
    "a9993e364706816aba3e25717850c26c9cd0d89d",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ]);
});

test("HMAC, HKDF and PBKDF2 are those of RFC 4231, 5869 and 6070", async () => {
  const results = await worker.run(`
    const hmac = await raw(text("Jefe"), {name: "HMAC", hash: "SHA-256"}, "sign", "verify");
    const mac = await subtle.sign("HMAC", hmac, text("what do ya want for nothing?"));
    const kdf = (data, name) => subtle.importKey("raw", data, name, false, ["deriveBits"]);
    const hkdf = {name: "HKDF", hash: "SHA-256", salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9")};
    const expanded = await subtle.deriveBits(hkdf, await kdf(bytes("0b".repeat(22)), "HKDF"), 42 * 8);
    const bare = await subtle.deriveBits({...hkdf, salt: bytes(""), info: bytes("")}, await kdf(bytes("0b".repeat(22)), "HKDF"), 42 * 8);
    const pbkdf2 = {name: "PBKDF2", hash: "SHA-1", salt: text("salt"), iterations: 4096};
    const stretched = await subtle.deriveBits(pbkdf2, await kdf(text("password"), "PBKDF2"), 160);
    return [hex(mac), await subtle.verify("HMAC", hmac, mac, text("what do ya want for nothing?")), await subtle.verify("HMAC", hmac, mac, text("what")), hex(expanded), hex(bare), hex(stretched)]`);
  assert.deepEqual(results, [
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    true,
    false,
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    "4b007901b765489abead49d926f721d065a429c1",
  ]);
});

test("AES is that of SP 800-38A, of the GCM specification and of RFC 3394", async () => {
  const results = await worker.run(`
    const block = bytes("6bc1bee22e409f96e93d7e117393172a"), key = bytes("2b7e151628aed2a6abf7158809cf4f3c");
    const cbc = {name: "AES-CBC", iv: bytes("000102030405060708090a0b0c0d0e0f")};
    const ctr = {name: "AES-CTR", counter: bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), length: 64};
    const gcm = {name: "AES-GCM", iv: new Uint8Array(12)};
    const encrypt = async (algorithm, key, data) => {
      const made = await raw(key, algorithm, "encrypt", "decrypt"), result = await subtle.encrypt(algorithm, made, data);
      return [hex(result), hex(await subtle.decrypt(algorithm, made, result)) === hex(data)];
    };
    const kw = await raw(bytes("000102030405060708090a0b0c0d0e0f"), "AES-KW", "wrapKey", "unwrapKey");
    const wrapped = await subtle.wrapKey("raw", await raw(bytes("00112233445566778899aabbccddeeff"), "AES-CBC", "encrypt"), kw, "AES-KW");
    const unwrapped = await subtle.unwrapKey("raw", wrapped, kw, "AES-KW", "AES-CBC", true, ["encrypt"]);
    return [await encrypt(cbc, key, block), await encrypt(ctr, key, block), await encrypt(gcm, new Uint8Array(16), new Uint8Array(16)), hex(wrapped), hex(await subtle.exportKey("raw", unwrapped))]`);
  assert.deepEqual(results, [
    ["7649abac8119b246cee98e9b12e9197d8964e0b149c10b7b682e6e39aaeb731c", true],
    ["874d6191b620e3261bef6864990db6ce", true],
    ["0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf", true],
    "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    "00112233445566778899aabbccddeeff",
  ]);
});

test("ECDSA, Ed25519 and X25519 are those of RFC 6979, 8032 and 7748", async () => {
  const results = await worker.run(`
    const point = bytes("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    const p256 = await raw(point, {name: "ECDSA", namedCurve: "P-256"}, "verify");
    const signature = bytes("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    const ed = await subtle.importKey("pkcs8", bytes("302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), "Ed25519", true, ["sign"]);
    const bob = await subtle.importKey("pkcs8", bytes("302e020100300506032b656e042204205dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"), "X25519", true, ["deriveBits"]);
    const alice = await raw(bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), "X25519");
    return [await subtle.verify({name: "ECDSA", hash: "SHA-256"}, p256, signature, text("sample")), await subtle.verify({name: "ECDSA", hash: "SHA-384"}, p256, signature, text("sample")),
      hex(await subtle.sign("Ed25519", ed, bytes("72"))), hex(await subtle.deriveBits({name: "X25519", public: alice}, bob, 256))]`);
  assert.deepEqual(results, [
    true,
    false,
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
  ]);
});

test("AES-CTR counts in its own bits and refuses to use a counter twice", async () => {
  const [wrapped, joined, whole, refused] = await worker.run(`
    const key = await raw(new Uint8Array(16), "AES-CTR", "encrypt");
    const run = async (counter, length, size) => hex(await subtle.encrypt({name: "AES-CTR", counter: bytes(counter), length}, key, new Uint8Array(size)));
    const start = "00000000000000000000000000000a";
    return [await run(start + "fe", 8, 64), await run(start + "fe", 8, 32) + await run(start + "00", 8, 32), (await run(start + "07", 8, 4096)).length, await nameOf(() => run(start + "07", 8, 4097))]`);
  assert.equal(wrapped, joined);
  assert.deepEqual([whole, refused], [8192, "OperationError"]);
});

// ------------------------------------------------------------------------------------------------- with other software
test("RSA and curves work together with another implementation's keys and signatures", async () => {
  const data = Buffer.from("signed by one, verified by the other");
  const { privateKey, publicKey } = node.generateKeyPairSync("rsa", { modulusLength: 2048 });
  const der = (key: node.KeyObject, type: "spki" | "pkcs8") => hexOf(key.export({ type, format: "der" }));
  const pss = { padding: node.constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 };
  const oaep = { padding: node.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256", oaepLabel: Buffer.from("label") };
  const [v15, salted, opened, theirs] = await worker.run(`
    const data = bytes("${hexOf(data)}"), spki = bytes("${der(publicKey, "spki")}"), pkcs8 = bytes("${
    der(privateKey, "pkcs8")
  }");
    const key = (format, data, name, usage) => subtle.importKey(format, data, {name, hash: "SHA-256"}, true, [usage]);
    const v15 = "RSASSA-PKCS1-v1_5", pss = {name: "RSA-PSS", saltLength: 20}, oaep = {name: "RSA-OAEP", label: text("label")};
    const verified = await subtle.verify(v15, await key("spki", spki, v15, "verify"), bytes("${
    hexOf(node.sign("sha256", data, privateKey))
  }"), data);
    const opened = await subtle.decrypt(oaep, await key("pkcs8", pkcs8, "RSA-OAEP", "decrypt"), bytes("${
    hexOf(node.publicEncrypt({ key: publicKey, ...oaep }, data))
  }"));
    const sealed = await subtle.encrypt(oaep, await key("spki", spki, "RSA-OAEP", "encrypt"), data);
    return [hex(await subtle.sign(v15, await key("pkcs8", pkcs8, v15, "sign"), data)), hex(await subtle.sign(pss, await key("pkcs8", pkcs8, "RSA-PSS", "sign"), data)), hex(opened), [verified, hex(sealed)]]`);
  assert.ok(node.verify("sha256", data, publicKey, Buffer.from(v15, "hex")));
  assert.ok(node.verify("sha256", data, { key: publicKey, ...pss }, Buffer.from(salted, "hex")));
  assert.equal(opened, hexOf(data));
  assert.equal(theirs[0], true);
  assert.deepEqual(node.privateDecrypt({ key: privateKey, ...oaep }, Buffer.from(theirs[1], "hex")), data);
});

test("a generated key of every curve signs for, or agrees with, another implementation", async () => {
  for (const [curve, hash] of [["P-256", "sha256"], ["P-384", "sha384"], ["P-521", "sha512"]] as const) {
    const [spki, signature] = await worker.run(`
      const {privateKey, publicKey} = await subtle.generateKey({name: "ECDSA", namedCurve: "${curve}"}, false, ["sign", "verify"]);
      const hash = "${hash.replace("sha", "SHA-")}";
      return [hex(await subtle.exportKey("spki", publicKey)), hex(await subtle.sign({name: "ECDSA", hash}, privateKey, text("data")))]`);
    const key = { key: node.createPublicKey(pem("PUBLIC KEY", spki)), dsaEncoding: "ieee-p1363" } as const;
    assert.ok(node.verify(hash, Buffer.from("data"), key, Buffer.from(signature, "hex")), curve);
    const own = node.generateKeyPairSync("ec", { namedCurve: curve });
    const peer = hexOf(own.publicKey.export({ type: "spki", format: "der" }));
    const [theirSpki, secret] = await worker.run(`
      const algorithm = {name: "ECDH", namedCurve: "${curve}"};
      const {privateKey, publicKey} = await subtle.generateKey(algorithm, false, ["deriveBits"]);
      const peer = await subtle.importKey("spki", bytes("${peer}"), algorithm, true, []);
      return [hex(await subtle.exportKey("spki", publicKey)), hex(await subtle.deriveBits({name: "ECDH", public: peer}, privateKey))]`);
    const publicKey = node.createPublicKey(pem("PUBLIC KEY", theirSpki));
    assert.equal(secret, hexOf(node.diffieHellman({ privateKey: own.privateKey, publicKey })), curve);
  }
});

// ------------------------------------------------------------------------------------------------- formats
const pairs = [
  ["{name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1])}", "sign", "verify"],
  ["{name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 1024, publicExponent: new Uint8Array([3])}", "sign", "verify"],
  ["{name: 'RSA-OAEP', hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1])}", "decrypt", "encrypt"],
  ...["P-256", "P-384", "P-521"].flatMap((curve) => [
    [`{name: 'ECDSA', namedCurve: '${curve}'}`, "sign", "verify"],
    [`{name: 'ECDH', namedCurve: '${curve}'}`, "deriveBits", ""],
  ]),
  ["{name: 'Ed25519'}", "sign", "verify"],
  ["{name: 'X25519'}", "deriveBits", ""],
] as const;

test("every pair of keys comes back the same from every format, and from a clone", async () => {
  for (const [algorithm, privateUsage, publicUsage] of pairs) {
    const faults = await worker.run(`
      const algorithm = ${algorithm}, faults = [], usages = [${JSON.stringify(privateUsage)}, ${JSON.stringify(publicUsage)}].filter(Boolean);
      const {privateKey, publicKey} = await subtle.generateKey(algorithm, true, usages);
      const same = (one, other) => JSON.stringify(one.byteLength === undefined ? one : hex(one)) === JSON.stringify(other.byteLength === undefined ? other : hex(other));
      const describe = (key) => JSON.stringify([key.type, key.extractable, key.usages, key.algorithm, Array.from(key.algorithm.publicExponent ?? [])]);
      const formats = [["spki", publicKey], ["jwk", publicKey], ["pkcs8", privateKey], ["jwk", privateKey]];
      if (!algorithm.hash) formats.push(["raw", publicKey]);
      for (const [format, key] of formats) {
        const exported = await subtle.exportKey(format, key);
        const again = await subtle.importKey(format, exported, algorithm, true, key.usages);
        if (describe(again) !== describe(key)) faults.push(format + ": " + describe(again) + " is not " + describe(key));
        if (!same(await subtle.exportKey(format, again), exported)) faults.push(format + " changed");
        const clone = structuredClone({key}).key;
        if (clone === key || !(clone instanceof CryptoKey) || describe(clone) !== describe(key)) faults.push("the clone is another key");
        if (!same(await subtle.exportKey(format, clone), exported)) faults.push("the clone has other bytes");
        const derived = key === privateKey ? await subtle.getPublicKey(key, publicKey.usages) : publicKey;
        if (!same(await subtle.exportKey("spki", derived), await subtle.exportKey("spki", publicKey))) faults.push("another public half");
      }
      return faults`);
    assert.deepEqual(faults, [], algorithm);
  }
});

test("every secret key comes back the same from every format", async () => {
  const results = await worker.run(`
    const results = [];
    for (const [algorithm, usage] of [[{name: "AES-CBC", length: 128}, "encrypt"], [{name: "AES-CTR", length: 192}, "encrypt"], [{name: "AES-GCM", length: 256}, "encrypt"],
        [{name: "AES-KW", length: 256}, "wrapKey"], [{name: "HMAC", hash: "SHA-1"}, "sign"], [{name: "HMAC", hash: "SHA-512", length: 9}, "sign"]]) {
      const key = await subtle.generateKey(algorithm, true, [usage]), data = await subtle.exportKey("raw", key), jwk = await subtle.exportKey("jwk", key);
      const back = await subtle.exportKey("raw", await subtle.importKey("jwk", jwk, algorithm, true, [usage]));
      results.push([key.algorithm.length, data.byteLength, jwk.alg, jwk.kty, jwk.ext, jwk.key_ops[0], hex(back) === hex(data)]);
    }
    return results`);
  assert.deepEqual(results, [
    [128, 16, "A128CBC", "oct", true, "encrypt", true],
    [192, 24, "A192CTR", "oct", true, "encrypt", true],
    [256, 32, "A256GCM", "oct", true, "encrypt", true],
    [256, 32, "A256KW", "oct", true, "wrapKey", true],
    [512, 64, "HS1", "oct", true, "sign", true],
    [9, 2, "HS512", "oct", true, "sign", true],
  ]);
});

test("keys are wrapped and derived without ever being seen", async () => {
  const results = await worker.run(`
    const wrapper = await subtle.generateKey({name: "AES-GCM", length: 256}, false, ["wrapKey", "unwrapKey"]), gcm = {name: "AES-GCM", iv: new Uint8Array(12)};
    const {privateKey} = await subtle.generateKey({name: "ECDSA", namedCurve: "P-256"}, true, ["sign"]);
    const wrapped = await subtle.wrapKey("jwk", privateKey, wrapper, gcm);
    const hidden = await subtle.unwrapKey("jwk", wrapped, wrapper, gcm, {name: "ECDSA", namedCurve: "P-256"}, false, ["sign"]);
    const base = await subtle.importKey("raw", text("password"), "PBKDF2", false, ["deriveKey"]);
    const derived = await subtle.deriveKey({name: "PBKDF2", hash: "SHA-256", salt: text("s"), iterations: 1000}, base, {name: "AES-GCM", length: 256}, true, ["encrypt"]);
    return [hidden.type, hidden.extractable, await nameOf(() => subtle.exportKey("jwk", hidden)), (await subtle.sign({name: "ECDSA", hash: "SHA-256"}, hidden, text("x"))).byteLength, derived.algorithm.length,
      hex(await subtle.exportKey("raw", derived))]`);
  assert.deepEqual(results.slice(0, 5), ["private", false, "InvalidAccessError", 64, 256]);
  assert.equal(results[5], hexOf(node.pbkdf2Sync("password", "s", 1000, 32, "sha256")));
});

test("a compressed point is taken, and exported as an uncompressed one", async () => {
  const results = await worker.run(`
    const algorithm = {name: "ECDH", namedCurve: "P-256"}, {publicKey} = await subtle.generateKey(algorithm, true, ["deriveBits"]);
    const point = new Uint8Array(await subtle.exportKey("raw", publicKey)), compressed = point.slice(0, 33);
    compressed[0] = 2 + point[64] % 2;
    const key = await subtle.importKey("raw", compressed, algorithm, true, []), spki = async (each) => hex(await subtle.exportKey("spki", each));
    return [hex(await subtle.exportKey("raw", key)) === hex(point), await spki(key) === await spki(publicKey)]`);
  assert.deepEqual(results, [true, true]);
});

// ------------------------------------------------------------------------------------------------- rules
test("a key only does what its usages, type and algorithm allow", async () => {
  const results = await worker.run(`
    const hmac = await raw(text("k"), {name: "HMAC", hash: "SHA-256"}, "sign"), aes = await raw(new Uint8Array(16), "AES-CBC", "encrypt");
    const ed = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return [
      await nameOf(() => subtle.verify("HMAC", hmac, new Uint8Array(32), text("x"))),
      await nameOf(() => subtle.sign("HMAC", aes, text("x"))),
      await nameOf(() => subtle.decrypt({name: "AES-CBC", iv: new Uint8Array(16)}, aes, new Uint8Array(16))),
      await nameOf(() => subtle.sign("Ed25519", ed.publicKey, text("x"))),
      await nameOf(() => subtle.exportKey("pkcs8", ed.privateKey)),
      await nameOf(() => subtle.exportKey("pkcs8", ed.publicKey)),
      await nameOf(() => subtle.exportKey("raw", ed.publicKey)),
      await nameOf(() => subtle.getPublicKey(ed.publicKey, [])),
      await nameOf(() => subtle.getPublicKey(hmac, [])),
      await nameOf(() => subtle.sign("HMAC", {}, text("x"))),
    ]`);
  assert.deepEqual(results, [
    "InvalidAccessError",
    "InvalidAccessError",
    "InvalidAccessError",
    "InvalidAccessError",
    "InvalidAccessError",
    "InvalidAccessError",
    "done",
    "InvalidAccessError",
    "NotSupportedError",
    "TypeError",
  ]);
});

test("refusals come in the order of the specification, as rejections with Chromium's words", async () => {
  const results = await worker.run(`
    const messageOf = async (action) => { try { await action(); return "done" } catch (error) { return error.name + ": " + error.message } };
    const rsa = {name: "RSA-PSS", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1])};
    return [
      await messageOf(() => subtle.digest("MD5", text(""))),
      await messageOf(() => subtle.digest({}, text(""))),
      await messageOf(() => subtle.sign("AES-CBC", 1, text(""))),
      await messageOf(() => subtle.generateKey({name: "AES-GCM"}, true, ["encrypt"])),
      await messageOf(() => subtle.generateKey({name: "AES-GCM", length: 100}, true, ["sign"])),
      await messageOf(() => subtle.generateKey({name: "AES-GCM", length: 100}, true, [])),
      await messageOf(() => subtle.generateKey({name: "AES-GCM", length: 128}, true, [])),
      await messageOf(() => subtle.generateKey({...rsa, publicExponent: new Uint8Array([4])}, true, [])),
      await messageOf(() => subtle.generateKey(rsa, true, ["verify"])),
      await messageOf(() => subtle.generateKey({name: "ECDH", namedCurve: "P-224"}, true, ["deriveBits"])),
      await messageOf(() => subtle.importKey("raw", {}, "AES-CBC", true, ["encrypt"])),
      await messageOf(() => subtle.importKey("jwk", new Uint8Array(16), "AES-CBC", true, ["encrypt"])),
      await messageOf(() => subtle.importKey("raw", new Uint8Array(16), "AES-CBC", true, ["cook"])),
      await messageOf(() => subtle.digest("SHA-1")),
    ]`);
  assert.deepEqual(results, [
    "NotSupportedError: Failed to execute 'digest' on 'SubtleCrypto': Algorithm: Unrecognized name",
    "TypeError: Failed to execute 'digest' on 'SubtleCrypto': Algorithm: name: Missing or not a string",
    "TypeError: Failed to execute 'sign' on 'SubtleCrypto': parameter 2 is not of type 'CryptoKey'.",
    "TypeError: Failed to execute 'generateKey' on 'SubtleCrypto': AesKeyGenParams: length: Missing required property",
    "SyntaxError: Cannot create a key using the specified key usages.",
    "OperationError: AES key length must be 128, 192 or 256 bits",
    "SyntaxError: Usages cannot be empty when creating a key.",
    "OperationError: The public exponent must be either 3 or 65537",
    "SyntaxError: Usages cannot be empty when creating a key.",
    "NotSupportedError: Unrecognized namedCurve",
    "TypeError: Failed to execute 'importKey' on 'SubtleCrypto': Key data must be a BufferSource for non-JWK formats",
    "TypeError: Failed to execute 'importKey' on 'SubtleCrypto': Key data must be an object for JWK import",
    "TypeError: Failed to execute 'importKey' on 'SubtleCrypto': The provided value 'cook' is not a valid enum value of type KeyUsage.",
    "TypeError: Failed to execute 'digest' on 'SubtleCrypto': 2 arguments required, but only 1 present.",
  ]);
});

test("data is taken when the method is called, and the answer comes in a task of its own, in order", async () => {
  const results = await worker.run(`
    const data = text("abc"), order = [];
    const first = subtle.digest("SHA-256", data).then((digest) => { order.push("first"); return hex(digest) });
    data.fill(0);
    const second = subtle.digest("SHA-1", text("")).then(() => order.push("second"));
    for (let i = 0; i < 20; ++i) await null;
    order.push("microtasks");
    const digest = await first; await second;
    const gone = text("abc"); structuredClone(gone, {transfer: [gone.buffer]});
    return [digest.slice(0, 8), order, hex(await subtle.digest("SHA-1", gone)).slice(0, 8)]`);
  assert.deepEqual(results, ["ba7816bf", ["microtasks", "first", "second"], "da39a3ee"]);
});

test("what scripts do to a key's algorithm or usages does nothing to the key", async () => {
  const results = await worker.run(`
    const key = await raw(text("k"), {name: "HMAC", hash: "SHA-256"}, "sign");
    key.algorithm.hash.name = "SHA-1"; key.usages.push("verify");
    return [(await subtle.sign("HMAC", key, text("x"))).byteLength, await nameOf(() => subtle.verify("HMAC", key, text("x"), text("x"))), structuredClone(key).usages, key.algorithm === key.algorithm]`);
  assert.deepEqual(results, [32, "InvalidAccessError", ["sign"], true]);
});

test("no built-in object that a script has replaced sees a key that is not extractable", async () => {
  await using own = await evaluator();
  await own.run(prelude);
  // The secret is wrapped first; then everything that could see it is replaced, and it is unwrapped and used.
  const [called, seen, size] = await own.run(`
    const secret = await subtle.generateKey({name: "HMAC", hash: "SHA-256", length: 256}, true, ["sign"]);
    const expected = hex(await subtle.exportKey("raw", secret)), {k} = await subtle.exportKey("jwk", secret);
    const gcm = {name: "AES-GCM", iv: new Uint8Array(12)}, wrapper = await subtle.generateKey({name: "AES-GCM", length: 128}, false, ["wrapKey", "unwrapKey"]);
    const raw = await subtle.wrapKey("raw", secret, wrapper, gcm), jwk = await subtle.wrapKey("jwk", secret, wrapper, gcm);
    const seen = [], undo = []; let called = 0, busy = false;
    // Without spread or for-of: their iterator is one of those that are replaced.
    const note = (name, self, args) => {
      if (busy) return;
      busy = true; ++called;
      for (let i = -1; i < args.length; ++i) {
        const value = i < 0 ? self : args[i];
        if (typeof value === "string" ? value.includes(k) : ArrayBuffer.isView(value) ? hex(value).includes(expected) : value?.k === k) seen.push(name);
      }
      busy = false;
    };
    const holders = [Object.getPrototypeOf(Uint8Array.prototype), Uint8Array, Array, Array.prototype, String.prototype, ArrayBuffer, ArrayBuffer.prototype, Object, JSON, Reflect, Map.prototype, Promise.prototype];
    for (const holder of holders) for (const key of Reflect.ownKeys(holder)) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, key), {get, value} = descriptor, name = String(key);
      if (!descriptor.configurable || key === "constructor") continue;
      if (get) Object.defineProperty(holder, key, {...descriptor, get() { note(name, this, []); return get.call(this) }});
      else if (typeof value === "function") holder[key] = {[name](...args) { note(name, this, args); return value.apply(this, args) }}[name];
      undo.push(() => Object.defineProperty(holder, key, descriptor));
    }
    for (const name of ["alg", "ext", "use", "key_ops"]) {
      Object.defineProperty(Object.prototype, name, {configurable: true, get() { note(name, this, []) }, set() { note(name, this, []) }});
      undo.push(() => delete Object.prototype[name]);
    }
    const algorithm = {name: "HMAC", hash: "SHA-256"};
    const one = await subtle.unwrapKey("raw", raw, wrapper, gcm, algorithm, false, ["sign"]);
    const other = await subtle.unwrapKey("jwk", jwk, wrapper, gcm, algorithm, false, ["sign"]);
    const size = (await subtle.sign("HMAC", one, raw)).byteLength + (await subtle.sign("HMAC", other, raw)).byteLength;
    busy = true; for (let i = 0; i < undo.length; ++i) undo[i]();
    return [called > 0, seen, size]`);
  assert.deepEqual([called, seen, size], [true, [], 64]);
});

test("workers of one zygote never make the same key", async () => {
  const keys = new Set<string>();
  for (let i = 0; i < 6; ++i) {
    await using own = await evaluator();
    await own.run(prelude);
    const made = await own.run(`
      const pair = await subtle.generateKey("X25519", true, ["deriveBits"]), ec = await subtle.generateKey({name: "ECDH", namedCurve: "P-256"}, true, ["deriveBits"]);
      const rsa = await subtle.generateKey({name: "RSA-PSS", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1])}, true, ["sign"]);
      return [hex(await subtle.exportKey("raw", pair.publicKey)), hex(await subtle.exportKey("raw", ec.publicKey)), (await subtle.exportKey("jwk", rsa.publicKey)).n, crypto.randomUUID()]`);
    for (const each of made) keys.add(each);
  }
  assert.equal(keys.size, 24);
});

// ------------------------------------------------------------------------------------------------- modern algorithms
test("ML-DSA and ML-KEM keys come back the same from every format, and do what they are for", async () => {
  for (const name of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"]) {
    const [faults, pkcs8] = await worker.run(`
      const name = "${name}", signs = name.startsWith("ML-DSA"), faults = [];
      const usages = signs ? ["sign", "verify"] : ["encapsulateKey", "encapsulateBits", "decapsulateKey", "decapsulateBits"];
      const {privateKey, publicKey} = await subtle.generateKey(name, true, usages);
      const shown = (data) => JSON.stringify(data.byteLength === undefined ? data : hex(data));
      const use = signs
        ? async (secret) => {
          const context = text("context"), signature = await subtle.sign({name, context}, secret, text("x"));
          if (!await subtle.verify({name, context}, publicKey, signature, text("x"))) faults.push("a bad signature");
          if (await subtle.verify(name, publicKey, signature, text("x"))) faults.push("the context is ignored");
        }
        : async (secret) => {
          const {sharedKey, ciphertext} = await subtle.encapsulateBits(name, publicKey);
          if (hex(await subtle.decapsulateBits(name, secret, ciphertext)) !== hex(sharedKey)) faults.push("another secret");
          const made = await subtle.encapsulateKey(name, publicKey, {name: "AES-GCM", length: 256}, true, ["encrypt"]);
          const key = await subtle.decapsulateKey(name, secret, made.ciphertext, {name: "AES-GCM", length: 256}, true, ["encrypt"]);
          if (shown(await subtle.exportKey("raw", key)) !== shown(await subtle.exportKey("raw", made.sharedKey))) faults.push("another key");
          if (await nameOf(() => subtle.decapsulateBits(name, secret, new Uint8Array(3))) !== "OperationError") faults.push("a short capsule");
        };
      for (const [format, key] of [["spki", publicKey], ["raw-public", publicKey], ["jwk", publicKey], ["pkcs8", privateKey], ["raw-seed", privateKey], ["jwk", privateKey]]) {
        const exported = await subtle.exportKey(format, key), again = await subtle.importKey(format, exported, name, true, key.usages);
        if (shown(await subtle.exportKey(format, again)) !== shown(exported) || again.type !== key.type) faults.push(format + " changed");
        if (again.type === "private") await use(structuredClone(again));
      }
      const jwk = await subtle.exportKey("jwk", privateKey), other = await subtle.exportKey("jwk", (await subtle.generateKey(name, true, usages)).privateKey);
      if (await nameOf(() => subtle.importKey("jwk", {...jwk, pub: other.pub}, name, true, privateKey.usages)) !== "DataError") faults.push("halves of two keys");
      if (await nameOf(() => subtle.importKey("raw", new Uint8Array(32), name, true, publicKey.usages)) !== "NotSupportedError") faults.push("raw");
      return [faults, hex(await subtle.exportKey("pkcs8", privateKey))]`);
    assert.deepEqual(faults, [], name);
    // The form with only a seed is one that others read.
    assert.equal(node.createPrivateKey(pem("PRIVATE KEY", pkcs8)).asymmetricKeyType, name.toLowerCase());
  }
});

test("supports() knows what a method would refuse", async () => {
  const results = await worker.run(`
    const yes = [["digest", "sha-1"], ["encrypt", {name: "AES-CBC", iv: new Uint8Array(16)}], ["generateKey", {name: "AES-GCM", length: 256}], ["generateKey", "Ed25519"], ["wrapKey", "AES-KW"], ["wrapKey", "AES-KW", "HMAC"],
      ["deriveBits", {name: "HKDF", hash: "SHA-1", salt: new Uint8Array(), info: new Uint8Array()}, 160], ["deriveKey", {name: "PBKDF2", hash: "SHA-1", salt: new Uint8Array(), iterations: 1}, {name: "AES-CTR", length: 128}], ["encapsulateKey", "ML-KEM-768", {name: "AES-GCM", length: 256}],
      ["getPublicKey", "ECDSA"], ["exportKey", "HMAC"], ["unwrapKey", {name: "RSA-OAEP"}]];
    const no = [["digest", "MD5"], ["cook", "SHA-1"], ["encrypt", {name: "AES-CBC", iv: new Uint8Array(15)}], ["generateKey", {name: "AES-GCM", length: 100}], ["generateKey", {name: "AES-GCM"}], ["generateKey", {name: "ECDSA", namedCurve: "P-1"}], ["sign", "AES-KW"], ["wrapKey", "AES-KW", "PBKDF2"],
      ["deriveBits", {name: "HKDF", hash: "SHA-1", salt: new Uint8Array(), info: new Uint8Array()}, 12], ["deriveBits", {name: "HKDF", hash: "SHA-1", salt: new Uint8Array(), info: new Uint8Array()}], ["deriveKey", {name: "PBKDF2", hash: "SHA-1", salt: new Uint8Array(), iterations: 1}, {name: "AES-CTR", length: 1}],
      ["getPublicKey", "HMAC"], ["exportKey", "HKDF"], ["encapsulateBits", "ML-DSA-44"]];
    return [yes.filter((each) => !SubtleCrypto.supports(...each)), no.filter((each) => SubtleCrypto.supports(...each)), SubtleCrypto.supports.length]`);
  assert.deepEqual(results, [[], [], 2]);
});
