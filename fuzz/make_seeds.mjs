// Writes the seeds that are messages, keys or texts. Run it after a change of src/ipc/*.proto that adds a message, and commit
// what it writes. The seeds of the other targets were kept from runs of `make fuzz` (tools/fuzz.sh --keep).
//   node fuzz/make_seeds.mjs        (needs protoc)
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

const kRoot = fileURLToPath(new URL('..', import.meta.url));

// A message in protobuf's text format → its bytes.
function encode(type, text, file = 'vigil.proto') {
  return execFileSync('protoc', [`-I${join(kRoot, 'src/ipc')}`, `--encode=vigil.ipc.${type}`, file], { input: text });
}

function write(target, seeds) {
  const folder = join(kRoot, 'fuzz/seeds', target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(seeds)) writeFileSync(join(folder, name), bytes);
}

const kA = 'http://attacker.localhost', kB = 'http://victim.localhost';
const kPage = 0, kWorker = 1, kRaw = 2, kStir = 4;
const stir = what => kStir | what << 3;

// A sequence for host_fuzzer.cc: [who, text of a ToDaemon] …
function sequence(...steps) {
  return Buffer.concat(steps.flatMap(([who, message]) => {
    const bytes = typeof message === 'string' ? encode('ToDaemon', message) : Buffer.from(message);
    return [Buffer.from([who, bytes.length & 255, bytes.length >> 8]), bytes];
  }));
}
const ask = (id, body, registration = 0) => `request { id: ${id} ${registration ? `registration_id: ${registration}` : ''} ${body} }`;

// Registration and version 1 are the attacker's, 2 the other's; "A:" and "B:" as host_fuzzer.cc says.
write('host_fuzzer', {
  'fetch-and-cancel': sequence(
    [kWorker, ask(5, `fetch { method: "GET" url: "${kA}/x" mode: "cors" }`)], [kWorker, 'cancel_request: 5'],
    [kPage, ask(6, `fetch { method: "POST" url: "${kA}/y" mode: "same-origin" credentials: "include" body { inline: "b" } }`)],
    [kPage, ask(7, `fetch { method: "GET" url: "${kB}/z" mode: "no-cors" redirect: "manual" referrer: "about:client" }`)]),
  'upload-stream': sequence(
    [kWorker, ask(5, `fetch { method: "POST" url: "${kA}/up" body { stream: 3 } }`)], [kWorker, 'chunk { stream: 3 data: "one" }'],
    [kWorker, 'chunk { stream: 3 data: "two" fin: true }'], [kWorker, 'credit { stream: 1 bytes: 100 }'], [kWorker, 'body_cancel { stream: 1 }']),
  'page-through-worker': sequence(
    [kPage, ask(5, `fetch { method: "GET" url: "${kA}/through" mode: "cors" }`)],
    [kWorker, `fetch_response { event_id: 1 kind: RESPONSE response { status: 200 url_list: "${kA}/through" body { stream: 9 } } }`],
    [kWorker, 'chunk { stream: 9 data: "answer" fin: true }'], [kWorker, 'event_finished { event_id: 1 }']),
  'sync': sequence(
    [kPage, ask(5, 'sync_register { tag: "t" }', 1)], [kPage, 'sync_acknowledge { tag: "t" registration_id: 1 }'], [kPage, ask(6, 'sync_get_tags {}', 1)],
    [kPage, ask(7, 'periodic_register { tag: "p" min_interval_ms: 1000 }', 1)], [kPage, ask(8, 'periodic_get_tags {}', 1)],
    [kPage, ask(9, 'periodic_unregister { value: "p" }', 1)], [kPage, ask(10, 'sync_register { tag: "t" }', 2)], [kPage, ask(11, 'sync_get_tags {}', 2)]),
  'events': sequence(
    [stir(0) | kWorker, 'event_finished { event_id: 1 outcome: REJECTED error: "no" }'], [stir(0) | kWorker, 'event_finished { event_id: 2 }'],
    [stir(1), 'evaluate_result { id: 1 ok: true json: "1" }'], [stir(5) | kWorker, 'started { ok: true }']),
  'idb': sequence(
    [kWorker, ask(5, 'idb { open { connection: 1 name: "\\000d" version: 1 } }')],
    [kWorker, ask(6, 'idb { run { connection: 1 transaction: 1 operations { store: 1 create_store { name: "\\000s" auto_increment: true } } operations { store: 1 put { value: "v" } } commit: true } }')],
    [kWorker, ask(7, 'idb { run { connection: 1 transaction: 2 begin { write: true stores: 1 } operations { store: 1 put { key: "\\020k" value: "v" add: true } } operations { store: 1 read { limit: 10 } } operations { store: 1 count {} } commit: true } }')],
    [kPage, ask(8, 'idb { open { connection: 1 name: "\\000d" version: 2 } }')], [kWorker, ask(9, 'idb { version_change_done: 1 }')], [kWorker, ask(10, 'idb { close: 1 }')],
    [kPage, ask(11, 'idb { databases: true }')], [kPage, ask(12, 'idb { delete_database { connection: 2 name: "\\000d" } }')]),
  'cache': sequence(
    [kWorker, ask(5, 'cache { open: "c" }')],
    [kWorker, ask(6, `cache { put { cache: 1 entries { request { method: "GET" url: "${kA}/x" } response { status: 200 headers { name: "vary" value: "a" } body { inline: "b" } } } } }`)],
    [kWorker, ask(7, `cache { match { any_cache: true request { method: "GET" url: "${kA}/x" } ignore_search: true } }`)], [kPage, ask(8, 'cache { match_all { cache: 1 } }')],
    [kWorker, ask(9, 'cache { upload { body: 4 data: "piece" } }')], [kWorker, ask(10, 'cache { download { body: 1 offset: 0 limit: 100 } }')], [kWorker, ask(11, 'cache { keys: true }')],
    [kWorker, ask(12, `cache { remove_entry { cache: 1 request { method: "GET" url: "${kA}/x" } } }`)], [kWorker, ask(13, 'cache { remove: "c" }')], [kWorker, ask(14, 'cache { has: "c" }')]),
  'clients': sequence(
    [kWorker, ask(5, 'clients_match_all { include_uncontrolled: true type: "window" }')], [kWorker, ask(6, 'clients_get { value: "A:" }')], [kWorker, ask(7, 'clients_get { value: "B:" }')],
    [kWorker, ask(8, 'client_focus { value: "A:" }')], [kWorker, ask(9, `client_navigate { client_id: "A:" url: "${kA}/" }`)], [kWorker, ask(10, `client_navigate { client_id: "B:" url: "${kA}/" }`)],
    [kWorker, ask(11, `clients_open_window { value: "${kA}/" }`)], [kWorker, ask(12, 'clients_claim {}')], [kWorker, ask(13, 'skip_waiting {}')]),
  'messages': sequence(
    [kPage, ask(5, 'post_message { version_id: 1 data: "m" }')], [kWorker, ask(6, 'post_message { client_id: "A:" data: "m" }')], [kWorker, ask(7, 'post_message { client_id: "B:" data: "m" }')],
    [kPage, ask(8, 'post_message { version_id: 2 data: "m" }')], [kPage, 'broadcast { channel: "c" data: "m" }'], [kPage, 'console { level: "log" text: "hello" source: "x:1" }']),
  'registrations': sequence(
    [kPage, ask(5, `container_register { script_url: "${kA}/sw.js" scope: "${kA}/deep/" type: "module" update_via_cache: "all" }`)], [kPage, ask(6, `container_register { script_url: "${kB}/sw.js" }`)],
    [kPage, ask(7, `container_get_registration { value: "${kA}/" }`)], [kPage, ask(8, `container_get_registration { value: "${kB}/" }`)], [kPage, ask(9, 'container_get_registrations {}')],
    [kWorker, ask(10, 'registration_update {}', 1)], [kWorker, ask(13, 'navigation_preload { enabled: true header_value: "h" }', 1)], [kPage, ask(14, 'navigation_preload {}', 2)], [kPage, ask(11, 'registration_unregister {}', 2)], [kPage, ask(12, 'registration_unregister {}', 1)]),
  'notifications': sequence(
    [kWorker, ask(5, 'show_notification { title: "t" body: "b" tag: "g" options_json: "{}" data: "d" }', 1)], [stir(6) | kWorker, ask(6, 'get_notifications { tag: "g" }', 1)],
    [kWorker, ask(7, `clients_open_window { value: "${kA}/" }`)], [stir(4) | kWorker, ask(8, 'show_notification { title: "t" }', 2)], [kWorker, ask(9, 'close_notification { value: "B:" }')]),
  'storage': sequence(
    [kPage, ask(5, 'local_storage { kind: SET key: "k\\000" value: "v\\000" }')], [kPage, ask(6, 'local_storage { kind: LOAD }')], [kPage, ask(7, 'local_storage { kind: REMOVE key: "k\\000" session: true }')],
    [kPage, ask(8, 'local_storage { kind: CLEAR }')], [kWorker, ask(9, 'local_storage { kind: LOAD }')], [kWorker, ask(10, 'storage_estimate {}')], [kWorker, ask(11, 'storage_persist {}')],
    [kWorker, ask(12, 'permission_query { name: "notifications" }')], [stir(2), ask(13, 'permission_query { name: "no such" }')]),
  'scripts': sequence(
    [kWorker, ask(5, `import_script { url: "${kA}/sw.js" }`)], [kWorker, ask(6, `import_script { url: "${kA}/other.js" }`)], [kPage, ask(7, `import_script { url: "${kA}/module.js" }`)],
    [kPage, `document { title: "T" manifest_url: "${kA}/m" }`], [kWorker, 'quiescent { seq: 3 next_timer_us: 5 }'], [kWorker, 'dying { reason: "heap limit" }']),
  'locks': sequence(
    [kWorker, ask(5, 'lock_request { name: "l" }')], [kPage, ask(6, 'lock_request { name: "l" shared: true }')], [kPage, ask(7, 'lock_request { name: "l" if_available: true }')],
    [kPage, ask(8, 'lock_request { name: "l" steal: true }')], [kWorker, ask(9, 'lock_query {}')], [kPage, 'cancel_request: 8'], [kPage, 'cancel_request: 6'], [kWorker, ask(5, 'lock_request { name: "m" }')]),
  'cookies': sequence(
    [kPage, ask(5, 'cookie_set { name: "a" value: "1" path: "/" same_site: "strict" }')], [kPage, ask(6, `cookie_get { url: "${kA}/" }`)], [kWorker, ask(7, `cookie_get { url: "${kB}/" name: "k" }`)],
    [kWorker, ask(8, `cookie_subscribe { subscriptions { url: "${kA}/" name: "a" } }`)], [kPage, ask(9, 'cookie_set { name: "a" value: "2" path: "/" domain: "x" expires_ms: 5 }')],
    [kWorker, ask(10, 'cookie_get_subscriptions {}')], [kWorker, ask(11, `cookie_unsubscribe { subscriptions { url: "${kA}/" } }`)], [kPage, ask(12, 'cookie_get_subscriptions {}', 2)]),
  'ports': sequence(
    [kPage, 'port { channel: "c" kind: CLAIM }'], [kPage, 'port { channel: "c" side: 1 kind: MESSAGE data: "m" }'], [kWorker, 'port { channel: "c" side: 1 kind: CLAIM }'],
    [kWorker, 'port { channel: "c" side: 0 kind: MESSAGE data: "m" }'], [kWorker, 'port { channel: "c" side: 1 kind: RELEASE }'], [kWorker, 'port { channel: "c" side: 1 kind: BOUNCE data: "b" }'],
    [kPage, 'port { channel: "c" side: 1 kind: CLAIM }'], [kWorker, 'port { channel: "c" side: 1 kind: DRAINED }'], [kPage, 'port { channel: "c" side: 1 kind: CLOSE }'], [kPage, 'port { channel: "c" side: 7 kind: CLOSE }']),
  'sockets': sequence(
    [kPage, 'web_socket { socket: 1 open { url: "ws://127.0.0.1:1/" protocols: "p" } }'], [kPage, 'web_socket { socket: 1 message { text: true data: "m" } }'], [kPage, 'web_socket { socket: 1 grant: 5 }'],
    [kPage, 'web_socket { socket: 1 close { code: 3000 reason: "r" } }'], [kWorker, `web_socket { socket: 1 open { url: "${kA}/" } }`], [kWorker, 'web_socket { socket: 2 message { data: "m" } }']),
  'broken': sequence(
    [kPage | kRaw, [5, 0, 0, 0, 0x3a, 0x7f, 1, 2, 3]], [kWorker | kRaw, [255, 255, 255, 127]], [kWorker | kRaw, [0, 0, 0, 0]], [stir(3), 'started { ok: true }']),
});

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
  inspector: encode('ToWorker', 'seq: 6 inspector { session: 3 message: "{}" }'),
  'inspector-waits': encode('ToWorker', 'seq: 6 inspector { session: 3 paused: true }'),
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

const command = (method, params, more) => JSON.stringify({ id: 1, method, params, ...more });
write('devtools_fuzzer', {
  plain: command('Page.enable'), session: command('Runtime.evaluate', { expression: '1', awaitPromise: true }, { sessionId: '0123456789ABCDEF' }),
  sync: command('ServiceWorker.dispatchSyncEvent', { origin: 'https://shop.example', registrationId: '7', tag: 'outbox', lastChance: true }),
  attach: command('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true, filter: [{ type: 'tab', exclude: true }, {}] }),
  numbers: command('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: 86400000, x: [-1, 0.5, 1e300, null] }),
  types: '{"id":"1","method":5,"params":[],"sessionId":{}}', array: '[]', cut: '{"id":1,"method":"Page.en', list: command('x', []), large: '{"id":99999999999999999999,"method":"x"}',
  deep: `{"id":1,"method":"x","params":{"a":${'['.repeat(310)}${']'.repeat(310)}}}`, escapes: '{"id":1,"method":"\\u0000\\ud800","params":{"":""}}',
});

write('manifest_fuzzer', {
  whole: JSON.stringify({
    name: 'A shop', short_name: 'Shop', start_url: './?source=pwa', scope: '/app/', id: '/id', display: 'standalone', theme_color: '#fff',
    icons: [{ src: 'icon.svg', sizes: 'any 48x48', type: 'image/svg+xml', purpose: 'maskable' }], shortcuts: [{ name: 'x', url: '/x' }],
  }),
  foreign: JSON.stringify({ start_url: 'https://other.example/', scope: '..' }), types: JSON.stringify({ name: 7, start_url: [], scope: null, icons: {} }),
  mark: '\ufeff{}', deep: `${'['.repeat(200)}${']'.repeat(200)}`, escapes: '{"name":"\\u0000\\ud800","start_url":"\\/"}',
});

const routes = text => encode('RouterRules', text, 'static_routes.proto');
write('static_routes_fuzzer', {
  method: routes('rules { condition { request_method: "GET" request_mode: "cors" request_destination: "image" } source: "network" }'),
  pattern: routes('rules { condition { url_pattern { protocol: "http{s}?" hostname: "*.shop.example" pathname: "/a/:id+/*" search: "*" hash: "*" ignore_case: true } } source: "cache" cache_name: "v1" }'),
  status: routes('rules { condition { running_status: "not-running" } source: "fetch-event" } rules { condition { url_pattern { pathname: "/{b,c}?" } } source: "race-network-and-fetch-handler" }'),
  nested: routes('rules { condition { any_of { conditions { negated { request_method: "POST" } } conditions { url_pattern { pathname: "*.png" } } } } source: "cache" }'),
  both: routes('rules { condition { request_method: "GET" negated { request_mode: "cors" } } source: "network" }'),
  nothing: routes('rules { condition { } source: "nowhere" }'),
  group: '/a/:name{.:ending}?/*/a/b%20c', named: '/:a/:b+/:c?/:d*/a/x/y', braces: '/{a/:x/}*b/a/a/a/b', escape: '\\:not\\{\\*/:not{*', regexp: '/(\\d+)/7',
});

// See storage/key_codec.h.
const key = (...parts) => Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))));
function double(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(number);
  return number < 0 ? bytes.map(byte => ~byte) : Buffer.concat([Buffer.from([bytes[0] | 0x80]), bytes.subarray(1)]);
}
write('idb_key_fuzzer', {
  number: key(0x10, double(1)), negative: key(0x10, double(-1e300)), date: key(0x20, double(1.7e12)), infinite: key(0x10, double(Infinity)), 'not-a-number': key(0x10, double(NaN)),
  text: key(0x30, 'lfz', 0), wide: key(0x30, [0x80, 0x69, 0xf6, 0x0f, 0x40], 0), binary: key(0x40, [1, 0x7f, 0x80, 0x80], 0), empty: key(0x30, 0),
  array: key(0x50, 0x10, double(2), 0x30, 'b', 0, 0x50, 0, 0), deep: key(Buffer.alloc(200, 0x50), Buffer.alloc(200)), 'too-deep': key(Buffer.alloc(202, 0x50), Buffer.alloc(202)), open: key(0x50, 0x30, 'b'),
});

// See engine/record_codec.cc; the target adds the checksum.
const varint = (number) => { const bytes = []; let rest = BigInt(number); for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128); return Buffer.from([...bytes, Number(rest)]); };
const signed = (number) => varint(BigInt(number) < 0n ? -2n * BigInt(number) - 1n : 2n * BigInt(number));
const text = string => Buffer.concat([varint(Buffer.byteLength(string)), Buffer.from(string)]);
const record = (flags, kind, worker, tag, ...numbers) => Buffer.concat([Buffer.from([1, flags, kind]), varint(worker), text(tag), text('https://shop.example'), ...numbers]);
const kDay = 86400000000n;
write('record_fuzzer', {
  'one-shot': record(1, 0, 7, 'post', signed(-1), varint(1), varint(3), signed(20000n * kDay), varint(300000000), signed(20000n * kDay), signed(20000n * kDay)),
  offline: record(3, 0, 1, 'ü', signed(-1), varint(0), varint(1), signed(0), varint(0), signed(-1), signed(-1)),
  periodic: record(5, 1, 2n ** 64n - 1n, '', signed(2n ** 63n - 1n), varint(0), varint(2n ** 31n - 1n), signed(19000n * kDay), varint(0), signed(-3600), signed(0), signed(20001n * kDay)),
  suspended: record(0, 1, 300, 'news', signed(0), varint(0), varint(3), varint(0), signed(0), signed(0)),
  far: record(1, 0, 7, 't', signed(-1), varint(0), varint(3), signed(2n ** 61n + 1n), varint(0), signed(0), signed(0)), newer: Buffer.from([2, 1, 0, 7]),
});

// The head of a response and its prefix, see net/cache_head.cc; the key is the empty one.
const head = body => encode('HttpCacheHead', `status: 200 http_version: "2" ${body} requested_at_us: 1700000000000000 received_at_us: 1700000000500000`, 'http_cache.proto');
function prefix(size, room, body) {
  const numbers = Buffer.alloc(36);
  [size, room, body, 0x1234].forEach((number, at) => numbers.writeBigUInt64LE(BigInt(number), 4 + 8 * at));
  return Buffer.concat([Buffer.from('vigil-http-1'), numbers, Buffer.alloc(room + body, 'x')]);
}
write('cache_head_fuzzer', {
  fresh: head('headers { name: "cache-control" value: "max-age=60, stale-while-revalidate=5" } headers { name: "date" value: "Tue, 14 Nov 2023 22:13:20 GMT" }'),
  validated: head('headers { name: "etag" value: "W/\\"a\\"" } headers { name: "last-modified" value: "Sun, 06 Nov 1994 08:49:37 GMT" } headers { name: "age" value: "9" }'),
  vary: head('headers { name: "vary" value: "accept" } vary { name: "accept" value: "\\303\\274" } status_text: "OK"'), expires: head('headers { name: "expires" value: "0" }'),
  prefix: prefix(3, 16, 8), 'no-body': prefix(0, 0, 0), 'too-much': prefix(17, 16, 0),
});
