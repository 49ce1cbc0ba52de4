// What a worker process can and cannot do: real zygote, real children, the tests' own small bundle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

#include "worker/exit_status.h"
#include "worker/testing_host.h"

namespace vigil::worker {
namespace {

using testing::TestWorker;
using testing::TestZygote;

// One zygote for all tests of a program run; starting one costs a tenth of a second.
TestZygote& Zygote() {
  static TestZygote zygote(VIGIL_TEST_BUNDLE);
  return zygote;
}

std::unique_ptr<TestWorker> Started(const ipc::Start& start = {}, const ipc::Limits& limits = {}) {
  auto worker = Zygote().Fork(false, limits);
  EXPECT_TRUE(worker->Start(start));
  return worker;
}

ipc::Start WithTestNatives() {
  ipc::Start start;
  start.set_test_natives(true);
  return start;
}

ipc::Start AtVirtualTime(std::int64_t wall_us, std::int64_t mono_us) {
  ipc::Start start;
  start.mutable_clock()->set_virtual_time(true);
  start.mutable_clock()->set_wall_us(wall_us);
  start.mutable_clock()->set_mono_us(mono_us);
  return start;
}

void SetClock(TestWorker& worker, std::int64_t wall_us, std::int64_t mono_us) {
  ipc::ToWorker message;
  *message.mutable_clock() = AtVirtualTime(wall_us, mono_us).clock();
  worker.Send(std::move(message));
}

// Reads until Quiescent says that the message with this number is handled; the console lines before it.
std::vector<std::string> UntilQuiescent(TestWorker& worker, std::uint64_t seq,
                                        std::int64_t* next_timer = nullptr) {
  std::vector<std::string> lines;
  while (const auto message = worker.Next()) {
    if (message->has_console()) lines.push_back(message->console().text());
    if (message->has_quiescent() && message->quiescent().seq() >= seq) {
      if (next_timer != nullptr) *next_timer = message->quiescent().next_timer_us();
      return lines;
    }
  }
  ADD_FAILURE() << "the worker never became quiescent";
  return lines;
}

// ------------------------------------------------------------------------------------------------ scripts
TEST(Worker, RunsScriptsInTheScopeThatStartNames) {
  EXPECT_EQ(Started()->Evaluate("__scope"), "\"service-worker\"");
  ipc::Start start;
  start.set_scope(ipc::Start::PAGE);
  EXPECT_EQ(Started(start)->Evaluate("__scope"), "\"page\"");
}

TEST(Worker, RehearsesAsASpareBeforeItsStartAndSaysNothing) {
  auto worker = Zygote().Fork(true);
  ASSERT_TRUE(worker->Start());
  EXPECT_EQ(worker->Evaluate("[__rehearsed, __start.url]"),
            "[[\"vigil:///rehearsal/worker.js\",\"timer\",\"event\"],\"\"]");
  EXPECT_TRUE(worker->others.empty());
  EXPECT_EQ(Started()->Evaluate("typeof __rehearsed"), "\"undefined\"");
}

TEST(Worker, GivesTheBundleItsStartWhole) {
  EXPECT_EQ(Started()->Evaluate("__start"), R"({"origin":"","url":"","userAgent":"","languages":[]})");
  ipc::Start start;
  start.set_origin("https://shop.example");
  start.set_url("https://shop.example/sw.js");
  start.set_user_agent("Vigil");
  start.add_languages("de");
  start.add_languages("en");
  start.mutable_network()->set_downlink_mbps(1.5);
  start.mutable_network()->set_rtt_ms(50);
  auto& registration = *start.mutable_service_worker()->mutable_registration();
  registration.set_id((1LL << 53) - 1);
  registration.mutable_active()->set_state("activated");
  for (const char* source : {"\xEF\xBB\xBFlet é;", ""})
    start.mutable_service_worker()->add_scripts()->set_source(source);
  start.mutable_service_worker()->mutable_eval()->set_refusal("no");
  start.mutable_service_worker()->mutable_eval()->add_violations()->set_report_only(true);
  EXPECT_EQ(
      Started(start)->Evaluate("__start"),
      R"({"origin":"https://shop.example","url":"https://shop.example/sw.js","network":{"online":false,)"
      R"("type":"","effectiveType":"","metered":false,"downlinkMbps":1.5,"rttMs":50},"userAgent":"Vigil",)"
      R"("languages":["de","en"],"serviceWorker":{"registration":{"id":9007199254740991,"scope":"",)"
      R"("updateViaCache":"","active":{"versionId":0,"scriptUrl":"","state":"activated"},)"
      R"("unregistered":false},"versionId":0,"versionState":"","scripts":[{"url":"","responseUrl":"",)"
      R"("source":"let é;"},{"url":"","responseUrl":"","source":""}],"module":false,)"
      R"("eval":{"refusal":"no","violations":[{"blockedUri":"","effectiveDirective":"",)"
      R"("originalPolicy":"","reportOnly":true,"consoleText":""}]}}})");
  ipc::Start page;
  page.set_scope(ipc::Start::PAGE);
  page.mutable_page()->set_html("<p>");
  page.mutable_page()->set_client_id("one");
  EXPECT_EQ(Started(page)->Evaluate("[...__start.page.html, __start.page.clientId]"), R"([60,112,62,"one"])");
}

TEST(Worker, EndsWhenItsStartIsMalformed) {
  auto worker = Zygote().Fork();
  worker->SendBytes(std::string("\x12\x03\x5a\x01\xff", 5));  // a ServiceWorkerStart that is cut short
  EXPECT_EQ(worker->ReadDying(), "protocol: a malformed Start");
  const int status = Zygote().WaitExited(worker->pid());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kExitProtocol) << status;
}

TEST(Worker, RunsEvalJitCodeAndWebAssembly) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("eval('6 * 7')"), "42");
  EXPECT_EQ(worker->Evaluate("let sum = 0; for (let i = 0; i < 1e7; i++) sum = (sum + i * 3) | 0; sum"),
            "-1747812800");
  // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
  EXPECT_EQ(
      worker->Evaluate(
          "const code = new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,"
          "100,0,0,10,9,1,7,0,32,0,32,1,106,11]);"
          "WebAssembly.instantiate(code).then(({instance}) => {"
          "  let x = 0; for (let i = 0; i < 1e5; i++) x = instance.exports.add(x, i); return x; })"),
      "704982704");
}

TEST(Worker, ThrowsRangeErrorWhenRecursionIsTooDeep) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("try { (function f() { f() })(); } catch (e) { e.name }"), "\"RangeError\"");
  EXPECT_EQ(worker->Evaluate("let a = []; for (let i = 0; i < 1e5; i++) a = [a];"
                             "try { String(a); 'fine' } catch (e) { e.name }"),
            "\"RangeError\"");
}

TEST(Worker, DrawsItsOwnRandomNumbers) {
  std::set<std::string> drawn;
  for (const char* seed : {"one", "two", "", ""}) {
    ipc::Start start;
    start.set_seed(seed);
    drawn.insert(
        Started(start)->Evaluate("[Math.random(), Math.random()].every(x => x >= 0 && x < 1) && "
                                 "Math.random()"));
  }
  EXPECT_EQ(drawn.size(), 4U);
  ipc::Start start;
  start.set_seed("same");
  EXPECT_EQ(Started(start)->Evaluate("Math.random()"), Started(start)->Evaluate("Math.random()"));
}

TEST(Worker, ReportsRejectionsThatNobodyHandlesAfterTheMicrotasks) {
  auto worker = Started();
  worker->Evaluate("Promise.reject('lost'); const kept = Promise.reject('kept'); kept.catch(() => {}); 1");
  worker->Evaluate("2");
  ASSERT_EQ(worker->others.size(), 1U);
  EXPECT_EQ(worker->others[0].console().level(), "rejection");
  EXPECT_EQ(worker->others[0].console().text(), "lost");
}

TEST(Worker, ReportsThatARejectionWasHandledLate) {
  auto worker = Started();
  worker->Evaluate("globalThis.late = Promise.reject('late'); 1");
  worker->Evaluate("late.catch(() => {}); 2");
  worker->Evaluate("3");
  ASSERT_EQ(worker->others.size(), 2U);
  EXPECT_EQ(worker->others[1].console().level(), "rejection-handled");
}

TEST(Worker, ReportsExceptionsOfTimers) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("setTimeout(() => { throw 'oops' }, 0); new Promise(r => setTimeout(r, 1, 7))"),
            "");
  ASSERT_EQ(worker->others.size(), 1U);
  EXPECT_EQ(worker->others[0].console().level(), "uncaught");
}

// ------------------------------------------------------------------------------------------------ clock
TEST(Worker, FollowsTheVirtualClockWithDateAndTimers) {
  auto worker = Zygote().Fork();
  ASSERT_TRUE(worker->Start(AtVirtualTime(1'700'000'000'000'000, 5'000'000)));
  UntilQuiescent(*worker, 1);
  worker->SendEvaluate(
      "setTimeout(() => __say('late ' + Date.now()), 86400000); setTimeout(() => __say('soon'), 1);"
      "setTimeout(() => __say('second'), 1); __say(Date.now() + ' ' + __native.monoNowMs() + ' ' + "
      "new Date().toISOString())");
  std::int64_t next_timer = 0;
  EXPECT_EQ(UntilQuiescent(*worker, 2, &next_timer),
            (std::vector<std::string>{"1700000000000 5000 2023-11-14T22:13:20.000Z"}));
  EXPECT_EQ(next_timer, 5'001'000);
  SetClock(*worker, 1'700'000'000'000'999, 5'000'999);
  EXPECT_TRUE(UntilQuiescent(*worker, 3).empty());
  SetClock(*worker, 1'700'000'000'001'000, 5'001'000);
  EXPECT_EQ(UntilQuiescent(*worker, 4, &next_timer), (std::vector<std::string>{"soon", "second"}));
  EXPECT_EQ(next_timer, 86'405'000'000);
  SetClock(*worker, 1'700'086'400'000'000, 86'405'000'000);
  EXPECT_EQ(UntilQuiescent(*worker, 5, &next_timer), (std::vector<std::string>{"late 1700086400000"}));
  EXPECT_EQ(next_timer, -1);
}

TEST(Worker, KeepsTheOrderOfTimersAndNeverFiresEarly) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("const order = [], begin = __native.monoNowMs();"
                             "for (const d of [30, 10, 20, 10]) setTimeout(() => "
                             "order.push(__native.monoNowMs() - begin >= d ? d : 'early'), d);"
                             "clearTimeout(setTimeout(() => order.push('cleared'), 5));"
                             "new Promise(done => setTimeout(() => done(order), 31))"),
            "[10,10,20,30]");
}

// ------------------------------------------------------------------------------------------------ natives
TEST(Worker, ClonesStructuresAndHostObjects) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate(
                "const value = {a: [1, 'x', null, , 2n ** 70n], d: new Date(5), m: new Map([[1, new "
                "Set([2])]]), r: /x/g, e: new RangeError('no'), b: new Uint16Array([1, 2])}; value.self = "
                "value; const c = __native.deserialize(__native.serialize(value));"
                "[c.self === c, c.a[4] === 2n ** 70n, 3 in c.a, c.d.getTime(), [...c.m.get(1)][0], "
                "c.r.flags, c.e instanceof RangeError, c.b[1]]"),
            "[true,true,false,5,2,\"g\",true,2]");
  EXPECT_EQ(worker->Evaluate(
                "class Point { constructor(x) { this.x = x } };"
                "const bytes = __native.serialize([new Point(3), {y: 1}, new Point({z: 4})], [], {write: "
                "o => o instanceof Point ? {tag: 9, payload: o.x} : undefined});"
                "const [p, q, r] = __native.deserialize(bytes, {read: (tag, payload) => tag === 9 ? new "
                "Point(payload) : null}); [p instanceof Point, p.x, q.y, r.x.z]"),
            "[true,3,1,4]");
  EXPECT_EQ(worker->Evaluate("try { __native.serialize(() => 1) } catch (e) { e.name }"),
            "\"DataCloneError\"");
  EXPECT_EQ(
      worker->Evaluate("const buffer = new ArrayBuffer(8); const sent = __native.serialize(buffer, [buffer]);"
                       "[buffer.byteLength, __native.deserialize(sent).byteLength]"),
      "[0,8]");
}

TEST(Worker, CodesText) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("[...__native.utf8Encode('a\\u00e9\\ud83d\\ude00\\ud800')]"),
            "[97,195,169,240,159,152,128,239,191,189]");
  EXPECT_EQ(worker->Evaluate(
                "__native.utf8Decode(new Uint8Array([0xef,0xbb,0xbf,0x41,0xff,0xf0,0x9f]), false, false)"),
            "\"A\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(worker->Evaluate("__native.utf8Decode(new Uint8Array([0xef,0xbb,0xbf,0x41]), true, true).length"),
            "2");
  EXPECT_EQ(
      worker->Evaluate("try { __native.utf8Decode(new Uint8Array([0xc0, 0x80]), true, false) } catch (e) { "
                       "e.name }"),
      "\"TypeError\"");
  EXPECT_EQ(worker->Evaluate("__native.latin1Decode(new Uint8Array([65, 233]))"), "\"A\xC3\xA9\"");
}

TEST(Worker, ParsesUrlsAndTellsTheirParts) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("var parts = new Uint32Array(8); [__native.urlParse('../b?c#d', "
                             "'http://u:p@h:81/x/y', parts), ...parts]"),
            "[\"http://u:p@h:81/b?c#d\",5,8,10,12,81,15,17,19]");
  EXPECT_EQ(
      worker->Evaluate("[__native.urlParse('b', undefined, parts), __native.urlSet('http://h/', 5, 'x y', "
                       "parts), __native.urlSet('http://h/', 9, 'f', parts), parts[7]]"),
      "[null,null,\"http://h/#f\",9]");
  EXPECT_EQ(worker->Evaluate("try { __native.urlSet('h', 0, 'http://h', parts) } catch (e) { e.name }"),
            "\"TypeError\"");
  EXPECT_EQ(worker->Evaluate("__native.urlParse('http://h/' + 'x'.repeat(1000), undefined, parts).length"),
            "1009");
}

TEST(Worker, CompressesInPiecesAndClosesCodecs) {
  auto worker = Started();
  const std::string run =
      "var run = (codec, input) => { let size = 0; const all = []; for (let piece; piece = "
      "__native.codecRun(codec, input, true);) { size += piece.length; all.push(...piece); } return [size, "
      "all] };";
  EXPECT_EQ(worker->Evaluate(
                run + "var packed = __native.codecOpen(true, 'gzip'); var [size, data] = run(packed, new "
                      "Uint8Array(200000)); [size < 400, data[0], data[1]]"),
            "[true,31,139]");
  EXPECT_EQ(worker->Evaluate("run(__native.codecOpen(false, 'gzip'), Uint8Array.from(data))[0]"), "200000");
  EXPECT_EQ(worker->Evaluate("__native.codecClose(packed); __native.codecClose(packed); try { "
                             "__native.codecRun(packed, new Uint8Array(), true) } catch (e) { e.name }"),
            "\"TypeError\"");
}

TEST(Worker, ComputesDigestsAndDrawsRandomBytes) {
  auto worker = Started();
  const std::string hex = "var hex = u => [...u].map(b => b.toString(16).padStart(2, '0')).join('');";
  EXPECT_EQ(worker->Evaluate(hex + "hex(__native.crypto.digest('SHA-256', __native.utf8Encode('abc')))"),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
  EXPECT_EQ(worker->Evaluate(hex + "hex(__native.crypto.digest('SHA-1', new Uint8Array()))"),
            "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"");
  EXPECT_EQ(worker->Evaluate(hex + "hex(__native.crypto.hmac('SHA-256', __native.utf8Encode('key'), "
                                   "__native.utf8Encode('The quick brown fox jumps over the lazy dog')))"),
            "\"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\"");
  EXPECT_EQ(worker->Evaluate("typeof __native.crypto.digest('MD5', new Uint8Array())"), "\"undefined\"");
  EXPECT_EQ(worker->Evaluate("const r = new Uint8Array(300); __native.randomFill(r); new Set(r).size > 100"),
            "true");
}

TEST(Worker, LooksIntoPromisesAndProxies) {
  auto worker = Started();
  EXPECT_EQ(
      worker->Evaluate("const bad = Promise.reject(2); bad.catch(() => {}); [Promise.resolve(1), bad, new "
                       "Promise(() => {})].map(p => __native.previewPromise(p))"),
      "[{\"state\":\"fulfilled\",\"value\":1},{\"state\":\"rejected\",\"value\":2},{\"state\":\"pending\"}]");
  EXPECT_EQ(worker->Evaluate("[__native.isProxy(new Proxy({}, {})), __native.isProxy({})]"), "[true,false]");
}

TEST(Worker, RefusesMisuseOfTheNativesWithTypeErrors) {
  auto worker = Started();
  EXPECT_EQ(
      worker->Evaluate("['send', 'requestSync', 'setTimer', 'clearTimer', 'runScript', 'compileCheck', "
                       "'runModule', 'setModuleLoader', "
                       "'deserialize', 'utf8Encode', 'utf8EncodeInto', 'utf8Decode', 'latin1Decode', "
                       "'codecOpen', 'codecRun', 'urlParse', 'urlSet', 'previewPromise'].filter(name => "
                       "{ try { __native[name](); return true } catch (e) { return !(e "
                       "instanceof TypeError) } })"),
      "[]");
}

TEST(Worker, ChecksScriptsWithoutRunningThem) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("__native.compileCheck('globalThis.ran = 1', 'a.js'); typeof ran"),
            "\"undefined\"");
  EXPECT_EQ(worker->Evaluate("try { __native.compileCheck('let let', 'a.js') } catch (e) { e.name }"),
            "\"SyntaxError\"");
}

TEST(Worker, WaitsForTheAnswerOfASynchronousRequestAndKeepsOtherMessagesInOrder) {
  auto worker = Started();
  worker->SendEvaluate(
      "importText('https://a.example/x.js') + ' then ' + importText('https://a.example/y.js')");
  worker->SendEvaluate("'first'");
  worker->SendEvaluate("'second'");
  for (const char* name : {"X", "Y"}) {
    const auto request = worker->Next();
    ASSERT_TRUE(request && request->has_request());
    ipc::ToWorker reply;
    reply.mutable_reply()->set_id(request->request().id());
    reply.mutable_reply()->mutable_script()->set_source(name);
    worker->Send(std::move(reply));
  }
  for (const char* expected : {"\"X then Y\"", "\"first\"", "\"second\""}) {
    EXPECT_EQ(worker->Next()->evaluate_result().json(), expected);
  }
}

TEST(Worker, RunsModulesWithStaticAndDynamicImports) {
  auto worker = Started();
  EXPECT_EQ(
      worker->Evaluate(
          "globalThis.fetched = []; const files = {"
          "  'https://a.example/lib/one.js': 'import {two} from \"./two.js\"; export const one = two - 1;',"
          "  'https://a.example/lib/two.js': 'import \"./one.js\"; export const two = 2;"
          " export const url = import.meta.url + import.meta.resolve(\"#x\") + import.meta.resolve.length;',"
          "  'https://a.example/lib/late.js': 'await 0; export default \"late\"'};"
          "const resolve = (specifier, referrer) => { const path = specifier.replace('./', "
          "'https://a.example/lib/');"
          "  fetched.push(specifier + ' from ' + referrer.slice(18));"
          "  if (!files[path]) throw new TypeError('no ' + path); return {url: path, source: files[path]}; };"
          "__native.setModuleLoader(resolve, (specifier, referrer) => specifier + referrer.slice(-6));"
          "__native.runModule('https://a.example/main.js', `import {one} from './one.js'; import * as two "
          "from "
          "'./two.js'; const late = await import('./late.js'); globalThis.seen = [one, two.two, two.url, "
          "late.default,"
          " await import('./gone.js').catch(e => e.name)]`).then(() => seen)"),
      "[1,2,\"https://a.example/lib/two.js#xtwo.js1\",\"late\",\"TypeError\"]");
  EXPECT_EQ(worker->Evaluate("import('./x.js').catch(e => e.name)"), "\"TypeError\"");
  EXPECT_EQ(worker->Evaluate("__native.runModule('https://a.example/bad.js', 'export default')"
                             ".catch(e => e.name)"),
            "\"SyntaxError\"");
}

TEST(Worker, ImportsJsonAndTextByTheirAttribute) {
  auto worker = Started();
  const auto run = [&](const std::string& main) {
    return worker->Evaluate(
        "files = {'a.json json': '\\uFEFF{\"n\":[1]}'.slice(1), 'a.json text': 'as text', 'a.json ': 'export "
        "default 1',"
        " 'bad.json json': '{\"n\":'}; seen = null; count = (globalThis.count ?? 0) + 1;"
        "__native.setModuleLoader((specifier, referrer, type) => "
        "({url: specifier, source: files[specifier + ' ' + type]}), (specifier) => specifier);"
        "__native.runModule('https://a.example/main' + count + '.js', `" +
        main + "`).then(() => seen, e => String(e))");
  };
  EXPECT_EQ(run("import a from 'a.json' with {type: 'json'}; import b from 'a.json' with {type: 'json'};"
                "import t from 'a.json' with {type: 'text'}; import s from 'a.json' with {};"
                "seen = [a, a === b, t, s]"),
            R"([{"n":[1]},true,"as text",1])");
  EXPECT_EQ(run("const {default: d} = await import('a.json', {with: {type: 'json'}});"
                "seen = [d, await import('a.json', {with: {type: 'css'}}).catch(String)]"),
            R"([{"n":[1]},"TypeError: \"css\" is not a valid module type."])");
  EXPECT_EQ(run("import 'bad.json' with {type: 'json'}"), R"("SyntaxError: Unexpected end of JSON input")");
  EXPECT_EQ(run("import 'bad.json' with {type: 'json'}"), R"("SyntaxError: Unexpected end of JSON input")");
  EXPECT_EQ(run("import {n} from 'a.json' with {type: 'json'}"),
            R"("SyntaxError: The requested module 'a.json' does not provide an export named 'n'")");
  EXPECT_EQ(run("import 'a.json' with {type: 'css'}"), R"("TypeError: \"css\" is not a valid module type.")");
  EXPECT_EQ(run("import 'a.json' with {as: 'json'}"), R"("SyntaxError: Invalid attribute key \"as\".")");
}

TEST(Worker, SendsAndReceivesLargeMessages) {
  auto worker = Started();
  const std::string big(20'000'000, 'x');
  EXPECT_TRUE(worker->Evaluate("'" + big + "'") == "\"" + big + "\"");
}

// ------------------------------------------------------------------------------------------------ limits
TEST(WorkerLimits, EndsAWorkerWhoseHeapIsFull) {
  ipc::Limits limits;
  limits.set_heap_bytes(64 << 20);
  for (const char* code :
       {"const all = []; for (;;) all.push({x: all.length, y: [1, 2, 3]})",
        "let s = 'x'; const all = []; for (;;) { all.push((s += 'yyyyyyyy').split('').join('-')) }",
        "const m = new Map; for (let i = 0;; i++) m.set('key' + i, new Array(100))"}) {
    auto worker = Started({}, limits);
    worker->SendEvaluate(code);
    EXPECT_EQ(worker->ReadDying(), "heap limit");
    const int status = Zygote().WaitExited(worker->pid());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kExitHeapLimit) << status;
  }
}

TEST(WorkerLimits, LetsGarbagePassTheHeapLimit) {
  ipc::Limits limits;
  limits.set_heap_bytes(32 << 20);
  EXPECT_EQ(Started({}, limits)
                ->Evaluate("let last; for (let i = 0; i < 2e6; i++) last = {i, list: [i, i, i, i]}; last.i"),
            "1999999");
}

TEST(WorkerLimits, ThrowsWhenArrayBuffersAreOverTheirCap) {
  ipc::Limits limits;
  limits.set_array_buffer_bytes(16 << 20);
  auto worker = Started({}, limits);
  EXPECT_EQ(worker->Evaluate("try { new Uint8Array(17 << 20) } catch (e) { e.name }"), "\"RangeError\"");
  EXPECT_EQ(
      worker->Evaluate("const all = []; try { for (;;) all.push(new ArrayBuffer(1 << 20)) } catch (e) { "
                       "all.length > 10 && e.name }"),
      "\"RangeError\"");
  // Garbage is collected before an allocation is refused.
  EXPECT_EQ(
      worker->Evaluate("all.length = 0; for (let i = 0; i < 100; i++) new ArrayBuffer(8 << 20); 'fine'"),
      "\"fine\"");
}

TEST(WorkerLimits, BoundsMemoryThatIsNeitherHeapNorArrayBuffer) {
  ipc::Limits limits;
  limits.set_heap_bytes(64 << 20);
  limits.set_array_buffer_bytes(16 << 20);
  // Either the allocation of the memory fails or, when V8 itself is the first to get none, the process ends.
  EXPECT_THAT(
      Started({}, limits)
          ->Evaluate(
              "const all = []; try { for (let i = 0; i < 100; i++) { const m = new "
              "WebAssembly.Memory({initial: "
              "256}); new Uint8Array(m.buffer).fill(1); all.push(m) } 'unbounded' } catch (e) { e.name }"),
      ::testing::AnyOf("\"RangeError\"", ::testing::HasSubstr("heap limit")));
}

TEST(WorkerLimits, LetsNoScriptBlockItsThread) {
  EXPECT_EQ(Started()->Evaluate("try { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e6); } "
                                "catch (e) { e.name }"),
            "\"TypeError\"");
}

TEST(WorkerLimits, ThrowsOrEndsWhenAStructuredCloneIsTooLarge) {
  ipc::Limits limits;
  limits.set_heap_bytes(64 << 20);
  limits.set_array_buffer_bytes(16 << 20);
  // One string many times over: small on the heap, a gigabyte when it is written out.
  EXPECT_THAT(Started({}, limits)
                  ->Evaluate("const text = 'x'.repeat(1 << 20); try { __native.serialize(new "
                             "Array(1024).fill(0).map((_, i) => text + i)); 'unbounded' } catch "
                             "(e) { e.name }"),
              ::testing::AnyOf("\"DataCloneError\"", "\"RangeError\"", ::testing::HasSubstr("heap limit"),
                               ::testing::HasSubstr("fatal")));
}

TEST(WorkerLimits, EndsAWorkerThatGetsNoMemory) {
  ipc::Limits limits;
  limits.set_heap_bytes(64 << 20);
  limits.set_array_buffer_bytes(16 << 20);
  // The result alone is larger than all its memory, and V8 is not always able to say so.
  for (const char* code : {"JSON.stringify(new Array(400).fill('x'.repeat(1 << 20)))",
                           "JSON.stringify(new Array(400).fill('\u20ac'.repeat(1 << 19)))",
                           "JSON.parse('[' + '{},'.repeat(30 << 20) + '0]')"}) {
    auto worker = Started({}, limits);
    worker->SendEvaluate(code);
    worker->ReadDying();
    const int status = Zygote().WaitExited(worker->pid());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kExitHeapLimit) << status << " " << code;
  }
}

TEST(WorkerLimits, EndsAWorkerThatSetsTooManyTimers) {
  auto worker = Started();
  EXPECT_EQ(worker->Evaluate("for (let i = 1; i <= 100000; i++) __native.setTimer(i, 1e6); 'many'"),
            "\"many\"");
  worker->SendEvaluate("__native.setTimer(100001, 1e6)");
  EXPECT_EQ(worker->ReadDying(), "timer limit");
  const int status = Zygote().WaitExited(worker->pid());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kExitTimerLimit) << status;
}

TEST(WorkerLimits, EndsAWorkerThatUsedItsCpuTime) {
  ipc::Limits limits;
  limits.set_cpu_seconds(1);
  auto worker = Started({}, limits);
  worker->SendEvaluate("for (;;) {}");
  EXPECT_EQ(worker->ReadDying(), "cpu limit");
  const int status = Zygote().WaitExited(worker->pid());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kExitCpuLimit) << status;
}

TEST(WorkerLimits, CanBeEndedInTheMiddleOfALoop) {
  auto killed = Started();
  killed->SendEvaluate("for (;;) {}");
  killed->Signal(SIGKILL);
  EXPECT_EQ(killed->ReadDying(), "");
  EXPECT_TRUE(WIFSIGNALED(Zygote().WaitExited(killed->pid())));

  auto asked = Started();
  asked->SendEvaluate("__say('looping'); for (;;) {}");
  ASSERT_EQ(asked->Next()->console().text(), "looping");
  asked->Signal(SIGTERM);
  EXPECT_EQ(asked->ReadDying(), "terminated");
  EXPECT_EQ(WEXITSTATUS(Zygote().WaitExited(asked->pid())), kExitTerminated);

  auto idle = Started();
  idle->Evaluate("1");
  idle->Signal(SIGTERM);
  EXPECT_EQ(idle->ReadDying(), "terminated");
}

TEST(WorkerLimits, SaysWhyAWorkerExits) {
  auto worker = Started();
  worker->SendEvaluate("__native.exit('closed by the script')");
  EXPECT_EQ(worker->ReadDying(), "closed by the script");
  EXPECT_EQ(Zygote().WaitExited(worker->pid()), 0);
}

TEST(WorkerLimits, RefusesAConversationThatDoesNotBeginWithStart) {
  auto worker = Zygote().Fork();
  worker->SendEvaluate("1");
  EXPECT_EQ(worker->ReadDying(), "protocol: the first message is not Start");
  EXPECT_EQ(WEXITSTATUS(Zygote().WaitExited(worker->pid())), kExitProtocol);
}

// ------------------------------------------------------------------------------------------------ zygote
TEST(Zygote, SurvivesFiftyForksUnderCollectionAndJitStress) {
  const std::string code =
      "function mix(n) { let x = 1; for (let i = 0; i < n; i++) x = (x * 31 + i) | 0; return x }"
      "let kept = []; for (let i = 0; i < 30; i++) { mix(20000); kept = "
      "kept.slice(-50).concat(Array.from({length: "
      "2000}, (_, j) => ({j, s: 'n' + j}))); if (i % 10 === 0) __vigilTest.gc(); } kept.length + mix(1000)";
  std::vector<std::unique_ptr<TestWorker>> workers;
  std::set<std::string> answers;
  for (int i = 0; i < 50; ++i) {
    workers.push_back(Started(WithTestNatives()));
    workers.back()->SendEvaluate(code);
  }
  for (auto& worker : workers) answers.insert(worker->Next()->evaluate_result().json());
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_FALSE(answers.begin()->empty());
}

TEST(Zygote, ReportsTheEndOfEachChild) {
  auto first = Started();
  auto second = Started();
  first->CloseSocket();
  EXPECT_EQ(Zygote().WaitExited(first->pid()), 0);
  second->Signal(SIGKILL);
  EXPECT_EQ(WTERMSIG(Zygote().WaitExited(second->pid())), SIGKILL);
}

TEST(Zygote, WarmsTheEmbeddedBundle) { EXPECT_FALSE(TestZygote("").v8_version().empty()); }

TEST(Zygote, RefusesAForkWithoutASocket) { EXPECT_NE(Zygote().ForkWithoutSocket(), ""); }

TEST(Zygote, EndsWithAllItsChildrenWhenTheDaemonIsGone) {
  TestZygote zygote(VIGIL_TEST_BUNDLE);
  auto looping = zygote.Fork();
  ASSERT_TRUE(looping->Start());
  looping->SendEvaluate("__say('looping'); for (;;) {}");
  ASSERT_EQ(looping->Next()->console().text(), "looping");
  EXPECT_EQ(zygote.Close(), 0);
  // The socket closes when the process is gone, although its loop never ended.
  EXPECT_FALSE(looping->Next());
}

}  // namespace
}  // namespace vigil::worker
