// jose 6 in a worker, on its Web Crypto; Node's crypto is the peer that made or reads the other half.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, privateDecrypt, verify } from 'node:crypto';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const start = (t, files) => LibraryApp.start(t, { worker: `import * as jose from 'jose'; globalThis.jose = jose;` + kTakeOver, files });
const partsOf = token => token.split('.').map(part => Buffer.from(part, 'base64url'));

test('jose: tokens are signed and verified by every common algorithm, and their claims are checked', async t => {
  const app = await start(t);
  const seen = await app.run(`
    const result = {};
    const secret = new Uint8Array(32).fill(9);
    const token = await new jose.SignJWT({ role: 'till' }).setProtectedHeader({ alg: 'HS256' }).setIssuer('shop').setAudience('app').setIssuedAt().setExpirationTime('2h').sign(secret);
    result.payload = (await jose.jwtVerify(token, secret, { issuer: 'shop', audience: 'app' })).payload.role;
    result.wrong = await jose.jwtVerify(token, secret, { issuer: 'other' }).catch(error => error.code);
    result.expired = await jose.jwtVerify(token, secret, { currentDate: new Date(Date.now() + 3 * 3600000) }).catch(error => error.code);
    result.forged = await jose.jwtVerify(token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA'), secret).catch(error => error.code);
    result.keys = {};
    for (const alg of ['ES256', 'ES384', 'RS256', 'PS256', 'Ed25519']) {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const signed = await new jose.CompactSign(new TextEncoder().encode('signed by ' + alg)).setProtectedHeader({ alg }).sign(privateKey);
      const { payload } = await jose.compactVerify(signed, publicKey);
      result.keys[alg] = { text: new TextDecoder().decode(payload), signed, jwk: await jose.exportJWK(publicKey), spki: await jose.exportSPKI(publicKey) };
    }
    return result;`);
  const { keys, ...claims } = seen;
  assert.deepEqual(claims, { payload: 'till', wrong: 'ERR_JWT_CLAIM_VALIDATION_FAILED', expired: 'ERR_JWT_EXPIRED', forged: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  const more = { ES256: ['sha256', { dsaEncoding: 'ieee-p1363' }], ES384: ['sha384', { dsaEncoding: 'ieee-p1363' }], RS256: ['sha256', {}], PS256: ['sha256', { padding: 6, saltLength: 32 }], Ed25519: [null, {}] };
  for (const [alg, { text, signed, jwk, spki }] of Object.entries(keys)) {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const [hash, options] = more[alg];
    assert.equal(text, `signed by ${alg}`);
    assert.ok(verify(hash, signed.slice(0, signed.lastIndexOf('.')), { key, ...options }, partsOf(signed)[2]), alg);
    assert.equal(key.export({ type: 'spki', format: 'pem' }).trim(), spki.trim(), alg);
  }
});

test('jose: content is encrypted and decrypted, directly, by password, for RSA and for elliptic keys', async t => {
  const app = await start(t);
  const peer = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const seen = await app.run(`
    const decoder = new TextDecoder();
    const text = new TextEncoder().encode('the till has 42');
    const result = {};
    const roundTrip = async (alg, enc, seal, open) => {
      const sealed = await new jose.CompactEncrypt(text).setProtectedHeader({ alg, enc }).encrypt(seal);
      return decoder.decode((await jose.compactDecrypt(sealed, open, { keyManagementAlgorithms: [alg] })).plaintext);
    };
    const secret = new Uint8Array(32).fill(1);
    result.direct = await roundTrip('dir', 'A256GCM', secret, secret);
    result.cbc = await roundTrip('dir', 'A128CBC-HS256', secret, secret);
    result.wrap = await roundTrip('A256KW', 'A128GCM', secret, secret);
    result.password = await roundTrip('PBES2-HS256+A128KW', 'A128GCM', text, text);
    for (const alg of ['ECDH-ES', 'ECDH-ES+A128KW', 'RSA-OAEP-256']) {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg);
      result[alg] = await roundTrip(alg, 'A256GCM', publicKey, privateKey);
    }
    const imported = await jose.importSPKI(${JSON.stringify(peer.publicKey.export({ type: 'spki', format: 'pem' }))}, 'RSA-OAEP');
    result.forNode = await new jose.CompactEncrypt(text).setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM' }).encrypt(imported);
    result.broken = await jose.compactDecrypt(await new jose.CompactEncrypt(text).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(secret), new Uint8Array(32)).catch(error => error.code);
    return result;`);
  const { forNode, broken, ...texts } = seen;
  assert.deepEqual([...new Set(Object.values(texts))], ['the till has 42']);
  assert.equal(Object.keys(texts).length, 7);
  assert.equal(broken, 'ERR_JWE_DECRYPTION_FAILED');
  assert.equal(privateDecrypt({ key: peer.privateKey, oaepHash: 'sha1' }, partsOf(forNode)[1]).length, 32);
});

test('jose: a remote key set is fetched once, and again for a key that it lacks', async t => {
  const makeKey = kid => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }), jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } };
  };
  const [one, two] = [makeKey('one'), makeKey('two')];
  const app = await start(t, { '/jwks.json': JSON.stringify({ keys: [one.jwk] }) });
  const verifyWith = (key, kid) => `
    const key = await jose.importPKCS8(${JSON.stringify(key.privateKey)}, 'ES256');
    const token = await new jose.SignJWT({ from: '${kid}' }).setProtectedHeader({ alg: 'ES256', kid: '${kid}' }).sign(key);
    globalThis.remote ??= jose.createRemoteJWKSet(new URL('/jwks.json', location.href));
    return jose.jwtVerify(token, remote).then(({ payload }) => payload.from, error => error.code);`;
  assert.deepEqual([await app.run(verifyWith(one, 'one')), await app.run(verifyWith(one, 'one'))], ['one', 'one']);
  assert.equal(app.paths().filter(path => path === '/jwks.json').length, 1);
  app.server.files['/jwks.json'] = JSON.stringify({ keys: [one.jwk, two.jwk] });
  assert.equal(await app.run(verifyWith(two, 'two')), 'ERR_JWKS_NO_MATCHING_KEY');  // it was asked a moment ago
  await app.advance('29s');  // within the life of an idle worker
  await app.advance('1s');
  assert.equal(await app.run(verifyWith(two, 'two')), 'two');
});
