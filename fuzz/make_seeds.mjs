// Writes the seeds that are messages or texts. Run it after a change of src/ipc/*.proto that adds a message, and commit
// what it writes. The seeds of the other targets were kept from runs of `make fuzz` (tools/fuzz.sh --keep).
//   node fuzz/make_seeds.mjs        (needs protoc)
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

const kRoot = fileURLToPath(new URL('..', import.meta.url));

// A message in protobuf's text format → its bytes.
function encode(type, text) {
  return execFileSync('protoc', [`-I${join(kRoot, 'src/ipc')}`, `--encode=vigil.ipc.${type}`, 'vigil.proto'], { input: text });
}

function write(target, seeds) {
  const folder = join(kRoot, 'fuzz/seeds', target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(seeds)) writeFileSync(join(folder, name), bytes);
}

const frame = bytes => Buffer.concat([Buffer.from([bytes.length & 255, bytes.length >> 8, 0, 0]), bytes]);
write('frame_fuzzer', {
  one: Buffer.concat([Buffer.from([7]), frame(encode('ToDaemon', 'console { text: "x" }'))]),
  two: Buffer.concat([frame(encode('ToDaemon', 'started { ok: true }')), frame(encode('ToDaemon', 'request { id: 1 storage_estimate {} }'))]),
  empty: frame(Buffer.alloc(0)),
  huge: Buffer.from([255, 255, 255, 127, 1]),
});

write('worker_message_fuzzer', {
  start: encode('ToWorker', 'seq: 1 start { scope: PAGE origin: "https://a.example" url: "https://a.example/" clock { virtual_time: true wall_us: 5 mono_us: -1 } limits { heap_bytes: 1 cpu_seconds: 2 } seed: "seed" test_natives: true }'),
  clock: encode('ToWorker', 'seq: 9 clock { virtual_time: true wall_us: 1700000000000000 mono_us: 6000000 }'),
  reply: encode('ToWorker', 'seq: 4 reply { id: 77 failure { name: "TypeError" message: "no" } }'),
  chunk: encode('ToWorker', 'seq: 5 chunk { stream: 2 data: "abc" fin: true }'),
  request: encode('ToDaemon', 'request { id: 4 import_script { url: "https://a.example/x.js" } }'),
  fork: encode('ToZygote', 'fork { id: 3 title: "vw:a.example" spare: true }'),
});

write('url_fuzzer', {
  absolute: 'https://user:pass@sub.shop.example:8443/a/./b/../c%2f?q=1&r=ü#frag',
  relative: '../up?x', scheme: '//other.example/y', path: '\\\\host\\path', opaque: 'data:text/html;base64,AAAA', blob: 'blob:https://a.example/id',
  v6: 'http://[::ffff:1.2.3.4]:80/', v4: 'http://0x7f.1/', idn: 'https://xn--bcher-kva.example/ bücher', file: 'file:///C|/x', ws: 'wss://a.example/s',
});

write('http_header_fuzzer', {
  control: 'max-age=60, stale-while-revalidate=30, no-cache="set-cookie", private', date: 'Sun, 06 Nov 1994 08:49:37 GMT', old: 'Sunday, 06-Nov-94 08:49:37 GMT',
  asctime: 'Sun Nov  6 08:49:37 1994', mime: 'text/html; charset="utf-8"; x=\\"', vary: 'Accept-Encoding, *', data: 'text/plain;charset=utf-8;base64,SGVsbG8', age: '2147483648',
});

// [which encoding][bytes of a step, less one] body: see content_decoder_fuzzer.cc.
const kText = Buffer.from('the quick brown fox '.repeat(40));
write('content_decoder_fuzzer', {
  gzip: Buffer.concat([Buffer.from([0, 63]), gzipSync(kText)]), deflate: Buffer.concat([Buffer.from([1, 6]), deflateSync(kText)]),
  raw: Buffer.concat([Buffer.from([1, 0]), deflateRawSync(kText)]), br: Buffer.concat([Buffer.from([2, 9]), brotliCompressSync(kText)]),
  zstd: Buffer.concat([Buffer.from([3, 20]), zstdCompressSync(kText)]), two: Buffer.concat([Buffer.from([4, 30]), gzipSync(brotliCompressSync(kText))]),
  three: Buffer.concat([Buffer.from([5, 30]), deflateSync(zstdCompressSync(gzipSync(kText)))]),
});

write('base64url_fuzzer', { bytes: 'AAECAwQFBgcICQ', signs: '-_-_', padded: 'QQ==', odd: 'A', space: 'QU JD' });

const http = (...lines) => Buffer.from(`HTTP/1.1 ${lines.join('\r\n')}\r\n\r\n`);
write('websocket_fuzzer', {
  accepted: http('101 Switching Protocols', 'Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits=10'),
  refused: http('403 Forbidden', 'Content-Length: 0'), plain: http('101 X', 'Sec-WebSocket-Protocol: none'), folded: http('101 X', 'A: b', ' c'),
  message: deflateRawSync(kText, { finishFlush: 2 }).subarray(0, -4), block: deflateRawSync(kText),
});

write('manifest_fuzzer', {
  whole: JSON.stringify({
    name: 'A shop', short_name: 'Shop', start_url: './?source=pwa', scope: '/app/', id: '/id', display: 'standalone', theme_color: '#fff',
    icons: [{ src: 'icon.svg', sizes: 'any 48x48', type: 'image/svg+xml', purpose: 'maskable' }], shortcuts: [{ name: 'x', url: '/x' }],
  }),
  foreign: JSON.stringify({ start_url: 'https://other.example/', scope: '..' }), types: JSON.stringify({ name: 7, start_url: [], scope: null, icons: {} }),
  mark: '\ufeff{}', deep: `${'['.repeat(200)}${']'.repeat(200)}`, escapes: '{"name":"\\u0000\\ud800","start_url":"\\/"}',
});
