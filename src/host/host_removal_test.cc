// A user's order to remove something, while the app does its best not to go.
#include <algorithm>

#include "host/test_rig.h"

namespace vigil::host {
namespace {

class HostRemovalTest : public HostTest {
 protected:
  bool AskedFor(const std::string& target) const {
    return std::any_of(server.requests.begin(), server.requests.end(),
                       [&](const auto& request) { return request.target == target; });
  }
  // The page is there, its register() was called.
  void OpenAndRegister(const std::string& worker) {
    Start();
    ServeApp(worker);
    PageOptions keep;
    keep.keep = true;
    auto page = Await(host->OpenPage(server.Url("/"), keep,
                                     [this](const ConsoleLine& line) { page_console.push_back(line.text); }));
    ASSERT_TRUE(page) << page.error().message;
    RunUntil([&] { return !host->Registrations().empty(); });
  }
};

constexpr const char* kNeverInstalls =
    "self.addEventListener('install', e => e.waitUntil(new Promise(() => {})));";

TEST_F(HostRemovalTest, AnInstallationThatHangsIsRemovedAtOnce) {
  OpenAndRegister(kNeverInstalls);
  RunUntil([&] { return host->Registrations()[0].installing.has_value(); });
  ASSERT_TRUE(Await(host->Unregister(server.Url("/"))));
  EXPECT_TRUE(host->Registrations().empty());
}

TEST_F(HostRemovalTest, AFirstRunThatNeverEndsIsEnded) {
  OpenAndRegister("for (;;) {}");
  server.files["/page.js"].body = "";
  ASSERT_TRUE(Await(host->Unregister(server.Url("/"))));
  EXPECT_TRUE(host->Registrations().empty());
  RunUntil([&] { return !page_console.empty(); });
  EXPECT_NE(page_console.back().find("AbortError"), std::string::npos) << page_console.back();
  // The same scope can be had again: nothing of the old one holds its queue.
  server.files["/sw.js"].body = "";
  ASSERT_TRUE(RunInPage("await navigator.serviceWorker.register('/sw.js'); console.log('registered')"));
  EXPECT_EQ(page_console.back(), "registered");
}

TEST_F(HostRemovalTest, WhatWaitsBehindAHangingInstallationIsGoneWithIt) {
  OpenAndRegister(kNeverInstalls);
  RunUntil([&] { return host->Registrations()[0].installing.has_value(); });
  server.files["/late.js"] = {200, "text/javascript", ""};
  server.files["/page.js"].body =
      "navigator.serviceWorker.register('/late.js').catch(e => console.log(e.message));";
  ASSERT_TRUE(RunInPage("1"));
  ASSERT_TRUE(Await(host->ClearOrigin(server.origin())));
  EXPECT_TRUE(host->Registrations().empty());
  server.files["/page.js"].body = "";
  server.files["/other.js"] = {200, "text/javascript", ""};
  ASSERT_TRUE(
      RunInPage("await navigator.serviceWorker.register('/other.js'); await navigator.serviceWorker.ready"));
  ASSERT_EQ(host->Registrations().size(), 1u);
  EXPECT_FALSE(AskedFor("/late.js"));
}

TEST_F(HostRemovalTest, AScriptThatIsStillBeingFetchedIsNotInstalledAfterClearing) {
  Start();
  ServeApp("");
  bool cleared = false;
  server.on_request = [&](const TestRequest& request) {
    if (request.target != "/sw.js" || cleared) return;
    cleared = true;
    boost::asio::co_spawn(loop, host->ClearOrigin(server.origin()),
                          [](std::exception_ptr, const Result<>&) {});
  };
  (void)RunInPage("");
  server.files["/page.js"].body = "";
  (void)RunInPage("");
  EXPECT_TRUE(cleared);
  EXPECT_TRUE(host->Registrations().empty());
}

// "Unregister" of a script waits its turn (Service Workers, "Schedule Job").
TEST_F(HostRemovalTest, UnregisteringByAScriptWaitsForTheInstallation) {
  Start();
  ServeApp("self.addEventListener('install', e => e.waitUntil(fetch('/slow')));");
  server.files["/slow"] = {200, "text/plain", "ok"};
  server.files["/page.js"].body = "";
  ASSERT_TRUE(
      RunInPage("const registration = await navigator.serviceWorker.register('/sw.js');"
                "const worker = registration.installing; const gone = await registration.unregister();"
                "console.log(gone, worker.state)"));
  ASSERT_FALSE(page_console.empty());
  EXPECT_TRUE(AskedFor("/slow"));
  EXPECT_EQ(page_console.back().substr(0, 4), "true");
}

}  // namespace
}  // namespace vigil::host
