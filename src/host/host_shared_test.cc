// What pages and service workers of one origin share: locks, the two ends of a message channel, cookies.
#include "host/host.h"
#include "host/test_rig.h"

namespace vigil::host {
namespace {

// Answers to the text of a message with what the code says.
const char* const kWorker = R"(
  self.oncookiechange = event => { self.changes = (self.changes ?? '') + event.changed.map(({ name }) => name) };
  self.addEventListener('activate', event => event.waitUntil(clients.claim()));
  self.addEventListener('message', event => event.waitUntil((async () => {
    const value = await (0, eval)('(async (event) => {' + event.data + '})')(event);
    if (value !== undefined) event.source.postMessage(value);
  })()));)";
const char* const kAsk = R"(
  const { active } = await navigator.serviceWorker.ready;
  const ask = (code, ports = []) => new Promise(resolve => {
    navigator.serviceWorker.onmessage = event => resolve(event.data);
    active.postMessage(code, ports);
  });)";

class HostSharedTest : public HostTest {
 protected:
  void SetUp() override {
    Start();
    ServeApp(kWorker);
    ASSERT_TRUE(Install());
  }
  std::string InPage(const std::string& code) {
    auto page = RunInPage(kAsk + code);
    if (!page) return page.error().message;
    return page->script->ok ? page->script->json : page->script->text;
  }
};

TEST_F(HostSharedTest, APageWaitsForALockThatTheWorkerHolds) {
  EXPECT_EQ(InPage(R"(
    await ask(`self.held = navigator.locks.request('n', () => new Promise(give => { self.give = give })); return 1`);
    const refused = await navigator.locks.request('n', { ifAvailable: true }, lock => lock);
    const { held } = await navigator.locks.query();
    const seen = [refused, held.length, held[0].name, held[0].mode];
    const mine = navigator.locks.request('n', lock => { seen.push('granted ' + lock.name); });
    await ask(`return navigator.locks.query().then(({ pending }) => pending.length)`).then(count => seen.push(count));
    active.postMessage('self.give()');
    await mine;
    return seen.join();)"),
            "\",1,n,exclusive,1,granted n\"");
}

TEST_F(HostSharedTest, AStoppedWorkerHoldsNoLock) {
  EXPECT_EQ(InPage("return ask(`navigator.locks.request('n', () => new Promise(() => {})); return 'held'`)"),
            "\"held\"");
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  EXPECT_EQ(InPage("return navigator.locks.request('n', { ifAvailable: true }, lock => lock.mode)"),
            "\"exclusive\"");
}

TEST_F(HostSharedTest, TheHolderOfAStolenLockHearsOfIt) {
  EXPECT_EQ(InPage(R"(
    await ask(`self.broken = navigator.locks.request('n', () => new Promise(() => {})).catch(error => error.name); return 1`);
    await navigator.locks.request('n', { steal: true }, () => {});
    return ask('return self.broken');)"),
            "\"AbortError\"");
}

TEST_F(HostSharedTest, MessagesFollowAPortIntoAWorkerThatStillStarts) {
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  EXPECT_EQ(InPage(R"(
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    const all = new Promise(resolve => { port1.onmessage = event => seen.push(event.data) === 3 && resolve() });
    port2.postMessage('from before');
    active.postMessage(`event.ports[0].onmessage = ({ data, target }) => target.postMessage('worker ' + data)`, [port2]);
    port1.postMessage(1);
    port1.postMessage(2);
    await all;
    return seen.join();)"),
            "\"from before,worker 1,worker 2\"");
}

TEST_F(HostSharedTest, APortCanGoOnToAWorkerAndComeBack) {
  EXPECT_EQ(InPage(R"(
    const { port1, port2 } = new MessageChannel();
    active.postMessage(`event.source.postMessage('back', [event.ports[0]])`, [port2]);
    port1.postMessage('kept');
    const [port] = await new Promise(resolve => navigator.serviceWorker.onmessage = event => resolve(event.ports));
    const got = new Promise(resolve => port.onmessage = event => resolve(event.data));
    return got;)"),
            "\"kept\"");
}

TEST_F(HostSharedTest, AWorkerHearsOfTheCookiesThatItSubscribedToAlsoWhenItIsStopped) {
  EXPECT_EQ(InPage(R"(
    await ask(`await registration.cookies.subscribe([{ name: 'a' }]); return 1`);
    await cookieStore.set('other', '1');
    await cookieStore.set('a', '1');
    const seen = [(await cookieStore.get('a')).value, (await cookieStore.getAll()).length];
    return seen.concat(await ask(`return self.changes`)).join();)"),
            "\"1,2,a\"");
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  Restart();
  InPage("await cookieStore.set('a', '2')");
  EXPECT_EQ(InPage("return ask(`return self.changes`)"), "\"a\"");
}

}  // namespace
}  // namespace vigil::host
