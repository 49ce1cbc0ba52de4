// The life of apps, service workers and pages on real worker processes.
#include "host/host.h"

#include "host/test_rig.h"

namespace vigil::host {
namespace {

TEST_F(HostTest, InstallsAnAppOnceItsWorkerIsActive) {
  Start();
  ServeApp("self.addEventListener('install', () => console.log('installing'));");
  auto app = Install();
  ASSERT_TRUE(app) << app.error().message;
  EXPECT_EQ(app->name, "An app");
  EXPECT_EQ(app->scope, server.Url("/"));
  auto registrations = host->Registrations();
  ASSERT_EQ(registrations.size(), 1u);
  EXPECT_EQ(registrations[0].active->state, "activated");
  EXPECT_EQ(policy.installed.count(server.origin()), 1u);
  EXPECT_GE(policy.launches, 1);
  EXPECT_NE(std::find(console.begin(), console.end(), "installing"), console.end());
}

TEST_F(HostTest, InstallsFromTheManifestItself) {
  Start();
  ServeApp("");
  auto app = Await(host->Install(server.Url("/app.webmanifest"), {}));
  ASSERT_TRUE(app) << app.error().message;
  EXPECT_EQ(app->start_url, server.Url("/"));
}

TEST_F(HostTest, DispatchesSyncToAStoppedWorkerAndSaysWhenTheHandlerStarted) {
  Start();
  ServeApp("self.addEventListener('sync', e => e.waitUntil(fetch('/hit?' + e.tag + e.lastChance)));");
  ASSERT_TRUE(Install());
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  RunUntil([&] { return host->Registrations()[0].active->running == "stopped"; });
  server.files["/hit"] = {200, "text/plain", "ok"};
  auto outcome = Sync("a", true);
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kSucceeded) << outcome.text;
  EXPECT_GE(outcome.handler_started_us, outcome.dispatched_us);
  EXPECT_GE(outcome.finished_us, outcome.handler_started_us);
  EXPECT_EQ(server.requests.back().target, "/hit?atrue");
}

TEST_F(HostTest, RejectedWaitUntilIsARejection) {
  Start();
  ServeApp("self.addEventListener('sync', e => e.waitUntil(Promise.reject(new Error('no luck'))));");
  ASSERT_TRUE(Install());
  auto outcome = Sync("a");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kRejected);
  EXPECT_NE(outcome.text.find("no luck"), std::string::npos) << outcome.text;
}

TEST_F(HostTest, RegistrationsAndAppsSurviveARestart) {
  Start();
  ServeApp(
      "importScripts('/lib.js'); self.addEventListener('sync', e => e.waitUntil(fetch('/hit?' + answer)));");
  server.files["/lib.js"] = {200, "text/javascript", "self.answer = 42;"};
  ASSERT_TRUE(Install());
  std::uint64_t id = RegistrationId();
  sync.known.clear();
  Restart();
  ASSERT_EQ(host->Registrations().size(), 1u);
  EXPECT_EQ(RegistrationId(), id);
  EXPECT_EQ(sync.known.count(id), 1u);
  EXPECT_EQ(host->Apps().size(), 1u);
  // The scripts come from the disk, not from the server.
  server.files.erase("/sw.js");
  server.files.erase("/lib.js");
  server.files["/hit"] = {200, "text/plain", "ok"};
  auto outcome = Sync("a");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kSucceeded) << outcome.text;
  EXPECT_EQ(server.requests.back().target, "/hit?42");
}

TEST_F(HostTest, UpdateInstallsAWorkerOnlyWhenBytesDiffer) {
  Start();
  ServeApp("self.addEventListener('install', () => self.skipWaiting()); const version = 1;");
  ASSERT_TRUE(Install());
  auto before = host->Registrations()[0].active->version_id;
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  EXPECT_EQ(host->Registrations()[0].active->version_id, before);
  server.files["/sw.js"].body =
      "self.addEventListener('install', () => self.skipWaiting()); const version = 2;";
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  RunUntil([&] {
    auto active = host->Registrations()[0].active;
    return active && active->version_id != before && active->state == "activated";
  });
  EXPECT_NE(host->Registrations()[0].active->version_id, before);
}

TEST_F(HostTest, ANewWorkerWaitsWhileAPageUsesTheOldOne) {
  Start();
  ServeApp("const version = 1;");
  ASSERT_TRUE(Install());
  PageOptions keep;
  keep.keep = true;
  auto page = Await(host->OpenPage(server.Url("/"), keep, {}));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_NE(page->page.controller_version_id, 0u);
  server.files["/sw.js"].body = "const version = 2;";
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  RunUntil([&] { return host->Registrations()[0].waiting.has_value(); });
  auto before = host->Registrations()[0].active->version_id;
  ASSERT_TRUE(Await(host->ClosePage(page->page.id)));
  RunUntil([&] {
    auto active = host->Registrations()[0].active;
    return active && active->version_id != before && active->state == "activated";
  });
  EXPECT_FALSE(host->Registrations()[0].waiting.has_value());
}

TEST_F(HostTest, APageGetsItsAnswersFromItsController) {
  Start();
  ServeApp(
      "self.addEventListener('fetch', e => { const url = new URL(e.request.url);"
      " if (url.pathname === '/made') e.respondWith(e.request.text().then(t => new Response('made ' + t)));"
      " if (url.pathname === '/big') e.respondWith(new Response('x'.repeat(1000000))); });");
  server.files["/plain"] = {200, "text/plain", "from the server"};
  ASSERT_TRUE(Install());
  auto page = RunInPage(
      "(async () => [await (await fetch('/made', {method: 'POST', body: 'here'})).text(),"
      " await (await fetch('/plain')).text(), (await (await fetch('/big')).text()).length])()");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_TRUE(page->script->ok) << page->script->text;
  EXPECT_EQ(page->script->json, R"(["made here","from the server",1000000])");
}

TEST_F(HostTest, BigBodiesFlowFromTheServer) {
  Start();
  ServeApp("");
  server.files["/big"] = {200, "text/plain", std::string(5'000'000, 'y')};
  auto page = RunInPage("fetch('/big').then(r => r.text()).then(t => t.length)");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->script->json, "5000000");
}

TEST_F(HostTest, ClaimedPagesHearFromTheirWorker) {
  Start();
  ServeApp(
      "self.addEventListener('activate', e => e.waitUntil(self.clients.claim()));"
      "self.addEventListener('message', e => e.source.postMessage('echo ' + e.data));");
  auto page = RunInPage(
      "(async () => { await navigator.serviceWorker.ready;"
      " if (!navigator.serviceWorker.controller) await new Promise(r => "
      "navigator.serviceWorker.oncontrollerchange = r);"
      " const answer = new Promise(r => navigator.serviceWorker.onmessage = e => r(e.data));"
      " navigator.serviceWorker.controller.postMessage('hello'); return answer; })()");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->script->json, "\"echo hello\"");
}

TEST_F(HostTest, SyncRegistrationIsAcknowledgedAfterItsPromise) {
  Start();
  ServeApp("");
  auto page = RunInPage(
      "(async () => { const r = await navigator.serviceWorker.ready; await r.sync.register('post');"
      " return r.sync.getTags(); })()");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->script->json, "[\"post\"]");
  ASSERT_EQ(sync.calls.size(), 1u);
  EXPECT_EQ(sync.calls[0].origin, server.origin());
  EXPECT_EQ(sync.acknowledged, std::vector<std::string>{"post"});
  EXPECT_EQ(sync.windows[server.origin()], 0);
}

TEST_F(HostTest, IndexedDbCacheAndLocalStorageLast) {
  Start();
  ServeApp("");
  auto wrote = RunInPage(
      "(async () => { localStorage.setItem('k', 'v'); const c = await caches.open('c');"
      " await c.put('/x', new Response('cached'));"
      " await new Promise((ok, no) => { const r = indexedDB.open('d'); r.onerror = no;"
      "  r.onupgradeneeded = () => r.result.createObjectStore('s');"
      "  r.onsuccess = () => { const t = r.result.transaction('s', 'readwrite'); "
      "t.objectStore('s').put('value', 1);"
      "   t.oncomplete = ok; }; }); })()");
  ASSERT_TRUE(wrote) << wrote.error().message;
  ASSERT_TRUE(wrote->script->ok) << wrote->script->text;
  Restart();
  auto read = RunInPage(
      "(async () => [localStorage.getItem('k'), await (await caches.match('/x')).text(),"
      " await new Promise((ok, no) => { const r = indexedDB.open('d'); r.onerror = no; r.onsuccess = () => {"
      "  const g = r.result.transaction('s').objectStore('s').get(1); g.onsuccess = () => ok(g.result); }; "
      "})])()");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->script->json, R"(["v","cached","value"])") << read->script->text;
}

TEST_F(HostTest, AClickedNotificationReachesTheWorker) {
  Start();
  ServeApp(
      "self.addEventListener('sync', e => e.waitUntil(self.registration.showNotification('Sent', {body: "
      "e.tag})));"
      "self.addEventListener('notificationclick', e => { e.notification.close();"
      " e.waitUntil(self.clients.openWindow('/opened')); });");
  server.files["/opened"] = {200, "text/html", "<title>Opened</title>"};
  ASSERT_TRUE(Install());
  ASSERT_EQ(Sync("post").kind, DispatchOutcome::Kind::kSucceeded);
  auto shown = host->Notifications({});
  ASSERT_EQ(shown->size(), 1u);
  EXPECT_EQ((*shown)[0].body, "post");
  auto clicked = Await(host->ClickNotification((*shown)[0].id, ""));
  ASSERT_TRUE(clicked) << clicked.error().message;
  EXPECT_EQ(clicked->kind, DispatchOutcome::Kind::kSucceeded) << clicked->text;
  EXPECT_EQ(policy.clicks, 1);
  EXPECT_TRUE(host->Notifications({})->empty());
  ASSERT_EQ(host->Pages().size(), 1u);
  EXPECT_EQ(host->Pages()[0].title, "Opened");
}

TEST_F(HostTest, RemoveTakesTheAppAndItsWorker) {
  Start();
  ServeApp("");
  ASSERT_TRUE(Install());
  auto removed = Await(host->Remove(server.Url("/")));
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(host->Apps().empty());
  EXPECT_TRUE(host->Registrations().empty());
  EXPECT_TRUE(sync.known.empty());
  EXPECT_EQ(policy.installed.count(server.origin()), 0u);
  Restart();
  EXPECT_TRUE(host->Registrations().empty());
}

TEST_F(HostTest, AnIdleWorkerIsStopped) {
  options.idle_stop = std::chrono::milliseconds(50);
  Start();
  ServeApp("");
  ASSERT_TRUE(Install());
  RunUntil([&] { return host->Registrations()[0].active->running == "stopped"; });
  EXPECT_TRUE(reports.empty());
}

}  // namespace
}  // namespace vigil::host
