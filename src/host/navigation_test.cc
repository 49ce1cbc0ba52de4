// Navigations through service workers, and navigation preload, on real worker processes.
#include "host/host.h"
#include "host/test_rig.h"

namespace vigil::host {
namespace {

constexpr const char* kAnswersFromPreload = R"(
  self.addEventListener('activate', e => e.waitUntil((async () => {
    await self.registration.navigationPreload.enable();
    await self.registration.navigationPreload.setHeaderValue('v7');
  })()));
  self.addEventListener('fetch', e => {
    if (e.request.mode !== 'navigate') return;
    e.respondWith((async () => {
      const response = await e.preloadResponse;
      const seen = response ? await response.text() : 'nothing';
      return new Response('<title>' + seen + '</title>', {headers: {'Content-Type': 'text/html'}});
    })());
  });)";

class NavigationTest : public HostTest {
 protected:
  // What was asked of the server for a path: whole heads.
  std::vector<std::string> HeadsOf(const std::string& target) const {
    std::vector<std::string> heads;
    for (const auto& request : server.requests) {
      if (request.target == target) heads.push_back(request.head);
    }
    return heads;
  }
  std::string TitleOf(const std::string& target) {
    PageOptions keep;
    keep.keep = true;
    auto page = Await(host->OpenPage(server.Url(target), keep, {}));
    return page ? page->page.title : page.error().message;
  }
  void StopWorker() {
    ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
    RunUntil([&] { return host->Registrations()[0].active->running == "stopped"; });
  }
};

TEST_F(NavigationTest, ThePreloadResponseReachesAStartedWorkerAndItsHeaderTheServer) {
  Start();
  ServeApp(kAnswersFromPreload);
  server.files["/shop"] = {200, "text/html", "from the server"};
  ASSERT_TRUE(Install());
  StopWorker();
  EXPECT_EQ(TitleOf("/shop"), "from the server");
  const auto heads = HeadsOf("/shop");
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_NE(heads[0].find("Service-Worker-Navigation-Preload: v7\r\n"), std::string::npos) << heads[0];
}

TEST_F(NavigationTest, ALargePreloadResponseStreams) {
  Start();
  ServeApp(kAnswersFromPreload);
  server.files["/big"] = {200, "text/html", std::string(3'000'000, 'z')};
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/big").substr(0, 400), std::string(400, 'z'));
}

TEST_F(NavigationTest, PreloadSurvivesARestart) {
  Start();
  ServeApp(kAnswersFromPreload);
  server.files["/shop"] = {200, "text/html", "from the server"};
  ASSERT_TRUE(Install());
  Restart();
  EXPECT_EQ(TitleOf("/shop"), "from the server");
  auto state = RunInPage(
      "navigator.serviceWorker.ready.then(r => r.navigationPreload.getState())"
      ".then(s => JSON.stringify(s))");
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->script->text, R"({"enabled":true,"headerValue":"v7"})") << state->script->text;
}

TEST_F(NavigationTest, WithoutPreloadTheEventHasNone) {
  Start();
  ServeApp(
      "self.addEventListener('fetch', e => { if (e.request.mode === 'navigate') e.respondWith("
      "e.preloadResponse.then(r => new Response('<title>' + r + '</title>', "
      "{headers: {'Content-Type': 'text/html'}}))); });");
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/shop"), "undefined");
  EXPECT_TRUE(HeadsOf("/shop").empty());
}

TEST_F(NavigationTest, AWorkerWithoutFetchHandlerCausesNoPreload) {
  Start();
  ServeApp(
      "self.addEventListener('activate', e => e.waitUntil(self.registration.navigationPreload.enable()));");
  server.files["/shop"] = {200, "text/html", "<title>plain</title>"};
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/shop"), "plain");
  const auto heads = HeadsOf("/shop");
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_EQ(heads[0].find("Navigation-Preload"), std::string::npos);
}

TEST_F(NavigationTest, APreloadThatFailsRejectsAndOneThatIsRedirectedIsOpaque) {
  Start();
  ServeApp(R"(
    self.addEventListener('activate', e => e.waitUntil(self.registration.navigationPreload.enable()));
    self.addEventListener('fetch', e => {
      if (e.request.mode !== 'navigate') return;
      const said = text => new Response('<title>' + text + '</title>', {headers: {'Content-Type': 'text/html'}});
      e.respondWith(e.preloadResponse.then(r => said([r.type, r.status, r.headers.get('location')].join()),
        error => said(error.name + ' ' + error.message.includes('failed due to a network error'))));
    });)");
  server.files["/moved"] = {302, "text/html", "", "Location: /elsewhere\r\n"};
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/moved"), "opaqueredirect,0,");
  network.Set(false);
  EXPECT_EQ(TitleOf("/shop"), "NetworkError true");
}

TEST_F(NavigationTest, APreloadNobodyWaitsForIsDropped) {
  Start();
  ServeApp(R"(
    self.addEventListener('activate', e => e.waitUntil(self.registration.navigationPreload.enable()));
    self.addEventListener('fetch', e => { if (e.request.mode === 'navigate') e.respondWith(
      new Response('<title>own</title>', {headers: {'Content-Type': 'text/html'}})); });)");
  server.files["/shop"] = {200, "text/html", std::string(5'000'000, 'z')};
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/shop"), "own");
  RunUntil([&] { return fetcher->Running() == 0; });
}

TEST_F(NavigationTest, OnlyARegistrationWithAnActiveWorkerHasPreload) {
  Start();
  ServeApp(
      "self.addEventListener('install', e => e.waitUntil(self.registration.navigationPreload.enable()"
      ".catch(error => console.log(error.name + ': ' + error.message))));");
  ASSERT_TRUE(Install());
  EXPECT_NE(
      std::find(console.begin(), console.end(),
                "InvalidStateError: Failed to enable or disable navigation preload: The registration does "
                "not have an active worker."),
      console.end());
}

TEST_F(NavigationTest, ARedirectIsHandedToTheWorkerWhoseScopeItLeadsInto) {
  Start();
  ServeApp(
      "self.addEventListener('fetch', e => { if (e.request.url.endsWith('/made')) e.respondWith("
      "new Response('<title>made</title>', {headers: {'Content-Type': 'text/html'}})); });");
  server.files["/from"] = {302, "text/html", "", "Location: /made\r\n"};
  ASSERT_TRUE(Install());
  EXPECT_EQ(TitleOf("/from"), "made");
  EXPECT_EQ(host->Pages().back().url, server.Url("/made"));
}

}  // namespace
}  // namespace vigil::host
