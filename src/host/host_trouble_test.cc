// Bad input and hostile workers: one clear line for the user, nothing half-installed, nothing else disturbed.
#include "host/host.h"
#include "host/test_rig.h"

namespace vigil::host {
namespace {

class HostTroubleTest : public HostTest {
 protected:
  void ExpectNotInstalled(const Result<AppView>& app, const std::string& part) {
    ASSERT_FALSE(app);
    EXPECT_NE(app.error().message.find(part), std::string::npos) << app.error().message;
    EXPECT_EQ(app.error().message.find('\n'), std::string::npos) << app.error().message;
    EXPECT_TRUE(host->Apps().empty());
    EXPECT_TRUE(host->Registrations().empty());
    EXPECT_TRUE(sync.known.empty());
    EXPECT_TRUE(host->Pages().empty());
  }
};

TEST_F(HostTroubleTest, InsecureOriginsAreRefused) {
  Start();
  ExpectNotInstalled(Await(host->Install("http://shop.example/", {})), "https");
  ExpectNotInstalled(Await(host->Install("ftp://shop.example/", {})), "http");
  ExpectNotInstalled(Await(host->Install("nonsense", {})), "not a URL");
}

TEST_F(HostTroubleTest, AnUnreachableServerIsNamed) {
  Start();
  std::string origin = server.origin();
  server.Close();
  ExpectNotInstalled(Await(host->Install(origin + "/", {})), "cannot be installed");
}

TEST_F(HostTroubleTest, AScriptOfTheWrongTypeIsRefused) {
  Start();
  ServeApp("");
  server.files["/sw.js"].type = "text/plain";
  ExpectNotInstalled(Install(), "MIME type 'text/plain'");
}

TEST_F(HostTroubleTest, AScriptThatIsMissingIsRefused) {
  Start();
  ServeApp("");
  server.files.erase("/sw.js");
  ExpectNotInstalled(Install(), "404");
}

TEST_F(HostTroubleTest, AScopeAboveTheScriptIsRefused) {
  Start();
  ServeApp("");
  server.files["/page.js"].body = "navigator.serviceWorker.register('/deep/sw.js', {scope: '/'});";
  server.files["/deep/sw.js"] = server.files["/sw.js"];
  ExpectNotInstalled(Install(), "scope '/'");
  server.files["/deep/sw.js"].headers = "Service-Worker-Allowed: /\r\n";
  auto app = Install();
  EXPECT_TRUE(app) << app.error().message;
}

TEST_F(HostTroubleTest, ASyntaxErrorIsReported) {
  Start();
  ServeApp("this is not JavaScript");
  ExpectNotInstalled(Install(), "SyntaxError");
}

TEST_F(HostTroubleTest, AnInstallEventThatRejectsLeavesNothing) {
  Start();
  ServeApp("self.addEventListener('install', e => e.waitUntil(Promise.reject(new Error('no disk'))));");
  ExpectNotInstalled(Install(), "no disk");
}

TEST_F(HostTroubleTest, AManifestThatIsNoneIsRefused) {
  Start();
  ServeApp("");
  server.files["/app.webmanifest"].body = "<!doctype html>";
  ExpectNotInstalled(Install(), "not JSON");
  server.files["/app.webmanifest"].body = "{\"start_url\":\"/\"}";
  ExpectNotInstalled(Install(), "neither name nor short_name");
  server.files["/"].body = "<script src=/page.js></script>";
  ExpectNotInstalled(Install(), "links no web app manifest");
}

TEST_F(HostTroubleTest, UnknownThingsAreNamedWithWhatExists) {
  Start();
  ServeApp("");
  auto none = host->FindRegistration("https://nowhere.example/");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(Install());
  none = host->FindRegistration("https://nowhere.example/");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find(server.Url("/")), std::string::npos) << none.error().message;
  EXPECT_TRUE(host->FindRegistration(server.Url("/somewhere/deep?q#f")));
}

TEST_F(HostTroubleTest, AWorkerThatLoopsIsKilledAndReported) {
  options.answer_limit = std::chrono::milliseconds(500);
  Start();
  ServeApp("self.addEventListener('sync', e => { if (e.tag === 'loop') for (;;); });");
  ASSERT_TRUE(Install());
  auto outcome = Sync("loop");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kFailed);
  EXPECT_NE(outcome.text.find("without giving up its turn"), std::string::npos) << outcome.text;
  EXPECT_TRUE(Reported("without giving up its turn"));
  EXPECT_EQ(Sync("fine").kind, DispatchOutcome::Kind::kSucceeded);
}

TEST_F(HostTroubleTest, AWorkerThatEatsMemoryIsKilledAndReported) {
  options.heap_bytes = std::uint64_t{32} << 20;
  options.answer_limit = std::chrono::minutes(5);
  Start();
  ServeApp(
      "self.addEventListener('sync', e => { if (e.tag !== 'eat') return; const all = [];"
      " for (;;) all.push(new Array(1000).fill(all.length)); });");
  ASSERT_TRUE(Install());
  auto outcome = Sync("eat");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kFailed);
  EXPECT_NE(outcome.text.find("memory"), std::string::npos) << outcome.text;
  EXPECT_EQ(Sync("fine").kind, DispatchOutcome::Kind::kSucceeded);
}

TEST_F(HostTroubleTest, AKilledWorkerFailsItsEventAndStartsAgain) {
  Start();
  ServeApp("self.addEventListener('sync', e => { if (e.tag === 'wait') e.waitUntil(fetch('/wait')); });");
  ASSERT_TRUE(Install());
  server.on_request = [&](const TestRequest& request) {
    if (request.target == "/wait") kill(host->Registrations()[0].active->pid, SIGSEGV);
  };
  auto outcome = Sync("wait");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kFailed);
  EXPECT_EQ(Sync("fine").kind, DispatchOutcome::Kind::kSucceeded);
}

TEST_F(HostTroubleTest, AStoppedWorkerDoesNotCountAgainstTheApp) {
  Start();
  ServeApp("self.addEventListener('sync', e => { if (e.tag === 'wait') e.waitUntil(fetch('/wait')); });");
  ASSERT_TRUE(Install());
  server.on_request = [&](const TestRequest& request) {
    if (request.target != "/wait") return;
    boost::asio::co_spawn(loop, host->StopWorker(server.Url("/")),
                          [](std::exception_ptr, Result<RegistrationView>) {});
  };
  EXPECT_EQ(Sync("wait").kind, DispatchOutcome::Kind::kNotStarted);
}

TEST_F(HostTroubleTest, AnEventThatTakesTooLongTimesOutAndTheWorkerLivesOn) {
  Start();
  ServeApp(
      "self.addEventListener('sync', e => { if (e.tag === 'wait') e.waitUntil(new Promise(() => {})); });");
  ASSERT_TRUE(Install());
  auto outcome = Await(host->DispatchSync(RegistrationId(), "wait", false, std::chrono::milliseconds(50)));
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kTimeout);
  EXPECT_EQ(Sync("fine").kind, DispatchOutcome::Kind::kSucceeded);
}

TEST_F(HostTroubleTest, AScriptThatThrowsInAPageIsAnOutcomeNotAnError) {
  Start();
  ServeApp("");
  auto page = RunInPage("Promise.reject(new TypeError('mine'))");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_FALSE(page->script->ok);
  EXPECT_NE(page->script->text.find("mine"), std::string::npos);
}

TEST_F(HostTroubleTest, OfflineNothingOpens) {
  Start();
  ServeApp("");
  network.Set(false);
  auto page = RunInPage("1");
  ASSERT_FALSE(page);
  EXPECT_NE(page.error().message.find("cannot be opened"), std::string::npos) << page.error().message;
}

TEST_F(HostTroubleTest, AMissingWorkerProgramIsNamed) {
  options.worker_executable = "/nonexistent/vigil-worker";
  HostDependencies dependencies{loop,     clock,   *storage, *stores, *fetcher,
                                *sockets, network, policy,   policy,  policy};
  host = std::make_unique<Host>(dependencies, options);
  auto started = Await(host->Start());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("/nonexistent/vigil-worker"), std::string::npos);
}

}  // namespace
}  // namespace vigil::host
