// hash-wasm 4: WebAssembly in a worker, against the vectors of the specifications and Node's own OpenSSL.
import assert from 'node:assert/strict';
import { argon2Sync, createHash, createHmac, pbkdf2Sync, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

test('hash-wasm: digests are those of the specifications and of OpenSSL', async t => {
  const app = await LibraryApp.start(t, { worker: `import * as hash from 'hash-wasm'; globalThis.hash = hash;` + kTakeOver });
  const seen = await app.run(`
    const text = 'abc';
    const names = ['md4', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'ripemd160', 'blake3', 'crc32', 'xxhash64', 'sm3'];
    const result = Object.fromEntries(await Promise.all(names.map(async name => [name, await hash[name](text)])));
    result.sha3 = await hash.sha3(text, 256);
    result.keccak = await hash.keccak(text, 256);
    result.blake2b = await hash.blake2b(text);
    result.hmac = await hash.createHMAC(hash.createSHA256(), 'key').then(mac => mac.init().update(text).digest());
    result.pbkdf2 = await hash.pbkdf2({ password: 'secret', salt: new TextEncoder().encode('salt-salt'), iterations: 1000, hashLength: 32, hashFunction: hash.createSHA512() });
    result.scrypt = await hash.scrypt({ password: 'secret', salt: new TextEncoder().encode('salt-salt'), costFactor: 1024, blockSize: 8, parallelism: 1, hashLength: 32 });
    result.argon2id = await hash.argon2id({ password: new Uint8Array(32).fill(1), salt: new Uint8Array(16).fill(2), secret: new Uint8Array(8).fill(3),
      iterations: 3, parallelism: 4, memorySize: 32, hashLength: 32 });
    const parts = await hash.createSHA256();
    parts.init();
    for (let i = 0; i < 1000; i++) parts.update(new Uint8Array(997).fill(i));
    const saved = parts.save();
    result.streamed = parts.digest();
    const again = await hash.createSHA256();
    again.load(saved);
    result.loaded = again.digest();
    const bcrypted = await hash.bcrypt({ password: 'secret', salt: new Uint8Array(16).fill(7), costFactor: 5, outputType: 'encoded' });
    result.bcrypt = [await hash.bcryptVerify({ password: 'secret', hash: bcrypted }), await hash.bcryptVerify({ password: 'other', hash: bcrypted })];
    return result;`);
  const own = name => createHash(name).update('abc').digest('hex');
  const streamed = createHash('sha256');
  for (let i = 0; i < 1000; i++) streamed.update(Buffer.alloc(997, i));
  const digest = streamed.digest('hex');
  const argon = { message: Buffer.alloc(32, 1), nonce: Buffer.alloc(16, 2), secret: Buffer.alloc(8, 3), passes: 3, parallelism: 4, memory: 32, tagLength: 32 };
  assert.deepEqual(seen, {
    ...Object.fromEntries(['md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sm3'].map(name => [name, own(name)])),
    md4: 'a448017aaf21d8525fc10ae87aa6729d',  // RFC 1320, A.5
    blake3: '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
    crc32: '352441c2', xxhash64: '44bc2cf5ad770999',
    sha3: own('sha3-256'), keccak: '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45', blake2b: own('blake2b512'),
    hmac: createHmac('sha256', 'key').update('abc').digest('hex'),
    pbkdf2: pbkdf2Sync('secret', 'salt-salt', 1000, 32, 'sha512').toString('hex'),
    scrypt: scryptSync('secret', 'salt-salt', 32, { N: 1024, r: 8, p: 1 }).toString('hex'),
    argon2id: argon2Sync('argon2id', argon).toString('hex'),
    streamed: digest, loaded: digest, bcrypt: [true, false],
  });
});
