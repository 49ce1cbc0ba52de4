// What Chromium 156 passes: the denominators, the rows of the table, and which tests belong to which.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { kRoot } from '../e2e/support/processes.mjs';

const kFolder = join(kRoot, 'tests/wpt/reference');

// Each row: a name, the folders it sums up, and the share (per cent) that is to be reached; no share: only shown.
export const kRows = [
  { name: 'IndexedDB', under: ['IndexedDB/'], target: 98 },
  { name: 'cache-storage', under: ['service-workers/cache-storage/'], target: 97 },
  { name: 'streams', under: ['streams/'], target: 97 },
  { name: 'url', under: ['url/'], target: 99 },
  { name: 'urlpattern', under: ['urlpattern/'], target: 95 },
  { name: 'encoding', under: ['encoding/'], target: 95 },
  { name: 'compression', under: ['compression/'], target: 100 },
  { name: 'FileAPI', under: ['FileAPI/'], target: 95 },
  { name: 'formdata', under: ['xhr/formdata/'], target: 100 },
  { name: 'dom/events + dom/abort', under: ['dom/events/', 'dom/abort/'], target: 97 },
  {
    name: 'structured-clone, timers, atob, microtask',
    under: ['structured-clone', 'timers', 'atob', 'microtask-queuing'].map(name => `html/webappapis/${name}/`),
    target: 97,
  },
  { name: 'fetch/api', under: ['fetch/api/'], target: 88 },
  { name: 'WebCryptoAPI', under: ['WebCryptoAPI/'], target: 90 },
  { name: 'service-worker', under: ['service-workers/service-worker/', 'periodic-background-sync/periodicsync.'], target: 85 },
  { name: 'sync idlharness', under: ['background-sync/', 'periodic-background-sync/idlharness.'], target: 100 },
];

export function rowOf(url) {
  return kRows.find(row => row.under.some(prefix => url.startsWith(prefix)))?.name ?? url.split('/').slice(0, 1).join('/');
}

// Tests for dedicated workers run in service workers, which have neither XMLHttpRequest nor FileReaderSync nor object
// URLs, make no workers, and may not block, in Chromium as in Vigil. What tests these cannot be asked of a service worker,
// nor whether what is a service worker's own is absent; object URLs are asked of a page.
const kDedicatedWorkersOnly = [
  { under: 'FileAPI/FileReaderSync.', subtests: /^/ },
  { under: 'FileAPI/url/url-with-xhr.', subtests: /^/ },
  { under: 'FileAPI/idlharness.', subtests: /FileReaderSync|ObjectURL/ },
  { under: 'html/webappapis/scripting/processing-model-2/', subtests: /DedicatedWorkerGlobalScope/ },
  { under: 'html/webappapis/system-state-and-capabilities/the-navigator-object/navigator.', subtests: /^userAgent value$/ },
  { under: 'periodic-background-sync/idlharness.', subtests: /must not have property "onperiodicsync"/ },
  { under: 'webmessaging/MessageEvent-trusted.', subtests: /BroadcastChannel/ },
  { under: 'webmessaging/message-channels/worker', subtests: /^/ },
  { under: 'encoding/replacement-encodings.', subtests: /^/ },
  { under: 'encoding/unsupported-encodings.', subtests: /^/ },
];
const kObjectUrls = /^FileAPI\/url\/url-(format|with-fetch)\./;

function canBeAsked(url, kind, subtest) {
  if (kind !== 'dedicated-worker') return true;
  return !kDedicatedWorkersOnly.some(({ under, subtests }) => url.startsWith(under) && subtests.test(subtest));
}

// [{ url, kind, tests: the names of the subtests that Chromium passes }]; kind: the file that the line was in.
export function readReference() {
  const tests = [];
  for (const file of readdirSync(kFolder).sort()) {
    const kind = file.replace('.jsonl.gz', '');
    for (const line of gunzipSync(readFileSync(join(kFolder, file))).toString().split('\n')) {
      if (line === '') continue;
      const { url, tests: results } = JSON.parse(line);
      const passed = results.filter(([name, status]) => status === 0 && canBeAsked(url, kind, name)).map(([name]) => name);
      if (passed.length > 0) tests.push({ url, kind, tests: passed });
    }
  }
  return tests;
}

// A page without a DOM cannot be asked to make frames, to lay out or to load what only a document loads. Whether a test
// asks for that is read off its source.
const kDom = new RegExp([
  'with_iframe', 'with_sandboxed_iframe', '<i?frame', 'createElement', 'document\\.(body|write|open|documentElement|implementation)',
  'appendChild', 'innerHTML', 'window\\.open\\(', 'opener', '<(img|form|link rel="?(stylesheet|preload|icon)|style|svg|video|audio|object|embed)\\b',
  'new (Image|Audio|SharedWorker|Worker|XMLHttpRequest|DOMParser)\\b', 'test_driver', 'RemoteContext', 'navigateFrame',
  'iframeTest\\(', 'canvas-tainting',
].join('|'));

export function needsDom(checkout, { url, kind }) {
  if (kind !== 'html') return false;
  const path = url.replace(/\?.*/, '');
  const candidates = [path, path.replace(/\.html$/, '.js')].map(name => join(checkout, name));
  const file = candidates.find(existsSync);
  return file === undefined || kDom.test(readFileSync(file, 'utf8'));
}

// The address that runs the test in the service worker scope, or in a page for the tests that are pages.
export function addressOf(url, kind) {
  const [path, query = ''] = url.split(/(?=\?)/);
  if (kind !== 'dedicated-worker') return url;
  if (kObjectUrls.test(url)) return url.replace('.any.worker.html', '.any.html');
  const script = path.replace(/\.worker\.html$/, '.worker.js');
  return `_vigil/worker.html?script=${encodeURIComponent(`/${script}${query}`)}`;
}
