// The modules of service workers: what they import besides JavaScript, and what servers and disks see of it.
#include <algorithm>

#include "host/test_rig.h"

namespace vigil::host {
namespace {

class HostModulesTest : public HostTest {
 protected:
  // An app whose service worker is a module.
  void ServeModule(const std::string& worker) {
    ServeApp(worker);
    server.files["/page.js"].body =
        "navigator.serviceWorker.register('/sw.js', {type: 'module'})"
        ".catch(e => console.log(e.name + ': ' + e.message.slice(e.message.lastIndexOf(': ') + 2)));";
    server.files["/hit"] = {200, "text/plain", "ok"};
  }
  std::string Sent(const std::string& target, const std::string& name) const {
    for (const auto& request : server.requests) {
      if (request.target != target) continue;
      const auto at = request.head.find("\r\n" + name + ": ");
      if (at == std::string::npos) return "";
      const auto begin = at + name.size() + 4;
      return request.head.substr(begin, request.head.find("\r\n", begin) - begin);
    }
    return "not asked for";
  }
  std::string Refusal() {
    page_console.clear();
    (void)RunInPage("");
    return page_console.empty() ? "" : page_console.front();
  }
};

constexpr const char* kImportsJson =
    "import data from './lib/data.json' with {type: 'json'};"
    "self.addEventListener('sync', e => e.waitUntil(fetch('/hit?' + data.n)));";

TEST_F(HostModulesTest, JsonIsStoredWithTheScriptsThatImportIt) {
  Start();
  ServeModule(kImportsJson);
  server.files["/lib/data.json"] = {200, "application/json", R"({"n": 7})"};
  ASSERT_TRUE(Install());
  Restart();
  server.files.erase("/lib/data.json");
  server.files.erase("/sw.js");
  const auto outcome = Sync("a");
  EXPECT_EQ(outcome.kind, DispatchOutcome::Kind::kSucceeded) << outcome.text;
  EXPECT_EQ(server.requests.back().target, "/hit?7");
}

TEST_F(HostModulesTest, AnUpdateIsFoundInJson) {
  Start();
  ServeModule(std::string(kImportsJson) + "self.addEventListener('install', () => self.skipWaiting());");
  server.files["/lib/data.json"] = {200, "text/json", R"({"n": 7})"};
  ASSERT_TRUE(Install());
  const auto before = host->Registrations()[0].active->version_id;
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  EXPECT_EQ(host->Registrations()[0].active->version_id, before);
  server.files["/lib/data.json"].body = R"({"n": 8})";
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  RunUntil([&] {
    const auto active = host->Registrations()[0].active;
    return active && active->version_id != before && active->state == "activated";
  });
  Sync("a");
  EXPECT_EQ(server.requests.back().target, "/hit?8");
}

TEST_F(HostModulesTest, TheImporterIsTheReferrerOfWhatItImports) {
  Start();
  ServeModule("import '/lib/one.js';");
  server.files["/lib/one.js"] = {200, "text/javascript",
                                 "import './two.js'; import d from './d.json' with {type: 'json'};"};
  server.files["/lib/two.js"] = {200, "text/javascript", "import './three.js'",
                                 "Referrer-Policy: origin\r\n"};
  server.files["/lib/three.js"] = {200, "text/javascript", "import './four.js'"};
  server.files["/lib/four.js"] = {200, "text/javascript", ""};
  server.files["/lib/d.json"] = {200, "application/json", "1"};
  ASSERT_TRUE(Install());
  const auto check = [&] {
    EXPECT_EQ(Sent("/lib/one.js", "Referer"), server.Url("/sw.js"));
    EXPECT_EQ(Sent("/lib/two.js", "Referer"), server.Url("/lib/one.js"));
    EXPECT_EQ(Sent("/lib/three.js", "Referer"), server.Url("/"));
    EXPECT_EQ(Sent("/lib/four.js", "Referer"), server.Url("/"));
    EXPECT_EQ(Sent("/lib/d.json", "Referer"), server.Url("/lib/one.js"));
    EXPECT_EQ(Sent("/lib/d.json", "Sec-Fetch-Dest"), "json");
    EXPECT_EQ(Sent("/lib/d.json", "Accept"), "application/json,*/*;q=0.5");
    EXPECT_EQ(Sent("/lib/two.js", "Sec-Fetch-Dest"), "serviceworker");
  };
  check();
  // The check for an update asks as the import did, after a restart too.
  Restart();
  server.requests.clear();
  ASSERT_TRUE(Await(host->UpdateWorker(server.Url("/"))));
  check();
}

TEST_F(HostModulesTest, OneAddressCanBeJsonAndText) {
  Start();
  ServeModule(
      "import data from '/d.json' with {type: 'json'}; import text from '/d.json' with {type: 'text'};"
      "self.addEventListener('sync', e => e.waitUntil(fetch('/hit?' + (text === JSON.stringify(data)))));");
  server.files["/d.json"] = {200, "application/json", R"({"n":7})"};
  ASSERT_TRUE(Install());
  Restart();
  Sync("a");
  EXPECT_EQ(server.requests.back().target, "/hit?true");
}

TEST_F(HostModulesTest, WhatIsNoJsonIsRefused) {
  Start();
  ServeModule("import data from '/data.json' with {type: 'json'};");
  EXPECT_EQ(Refusal(), "TypeError: ServiceWorker cannot be started");
  server.files["/data.json"] = {200, "text/plain", "{}"};
  EXPECT_EQ(Refusal(), "TypeError: ServiceWorker cannot be started");
  server.files["/data.json"] = {200, "application/json", "{"};
  EXPECT_EQ(Refusal(), "TypeError: ServiceWorker script evaluation failed");
  server.files["/sw.js"].body = "import sheet from '/a.css' with {type: 'css'};";
  EXPECT_EQ(Refusal(), "TypeError: ServiceWorker script evaluation failed");
  EXPECT_EQ(Sent("/a.css", "Referer"), "not asked for");
  server.files["/sw.js"].body = "import data from '/data.json' with {type: 'json'};";
  server.files["/data.json"].body = "{}";
  EXPECT_EQ(Refusal(), "");
}

TEST_F(HostModulesTest, PagesImportJsonToo) {
  Start();
  ServeApp("");
  server.files["/lib/page.js"] = {
      200, "text/javascript",
      "import data from './data.json' with {type: 'json'};"
      "const failed = await import('./plain.json', {with: {type: 'json'}}).catch(e => e.message);"
      "console.log(data.n, failed);"};
  server.files["/"].body = "<!doctype html><script type=module>import '/lib/page.js'</script>";
  server.files["/lib/data.json"] = {200, "application/json", R"({"n":7})"};
  server.files["/lib/plain.json"] = {200, "text/plain", "{}"};
  ASSERT_TRUE(RunInPage("1"));
  ASSERT_FALSE(page_console.empty());
  EXPECT_EQ(page_console.back(),
            "7 Failed to fetch dynamically imported module: " + server.Url("/lib/plain.json"));
  EXPECT_EQ(Sent("/lib/data.json", "Sec-Fetch-Dest"), "json");
  EXPECT_EQ(Sent("/lib/data.json", "Referer"), server.Url("/lib/page.js"));
  EXPECT_EQ(Sent("/lib/page.js", "Referer"), server.Url("/"));
}

TEST_F(HostModulesTest, ClassicScriptsOfPagesImportToo) {
  Start();
  ServeApp("");
  server.files["/page.js"].body = "import('./m.js').then(m => console.log(m.default))";
  server.files["/m.js"] = {200, "text/javascript", "export default 'imported'"};
  ASSERT_TRUE(RunInPage("console.log((await import('./m.js')).default + ' again')"));
  EXPECT_EQ(page_console, (std::vector<std::string>{"imported", "imported again"}));
}

}  // namespace
}  // namespace vigil::host
