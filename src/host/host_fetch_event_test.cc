// What a page's worker is shown of a request, and what becomes of a request that it passes on.
#include <algorithm>

#include "host/test_rig.h"

namespace vigil::host {
namespace {

class HostFetchEventTest : public HostTest {
 protected:
  void Control(const std::string& on_fetch) {
    options.user_agent = "Agent/1";
    Start();
    ServeApp(
        "addEventListener('install', () => skipWaiting());"
        "addEventListener('activate', e => e.waitUntil(clients.claim()));" +
        on_fetch);
    ASSERT_TRUE(Install());
  }
  std::string LineOf(const std::string& code) {
    page_console.clear();
    auto ran = RunInPage(code);
    EXPECT_TRUE(ran) << ran.error().message;
    return page_console.empty() ? "nothing" : page_console.back();
  }
};

TEST_F(HostFetchEventTest, ShowsTheUserAgentThatNavigatorNames) {
  Control(
      "addEventListener('fetch', e => e.request.url.endsWith('/echo') && e.respondWith(new Response("
      "[...e.request.headers].map(line => line.join(': ')).join('; '))));");
  EXPECT_EQ(LineOf("console.log(await (await fetch('/echo')).text())"), "accept: */*; user-agent: Agent/1");
  EXPECT_EQ(LineOf("console.log(await (await fetch('/echo', {headers: {'User-Agent': 'mine'}})).text())"),
            "accept: */*; user-agent: mine");
  EXPECT_EQ(LineOf("console.log(navigator.userAgent)"), "Agent/1");
}

TEST_F(HostFetchEventTest, ARequestThatIsPassedOnToAnotherOriginNeedsNoPreflight) {
  Control(
      "addEventListener('fetch', e => e.request.url.includes('/cors') && e.respondWith(fetch(e.request)));");
  server.files["/cors"] = {200, "text/plain", "read", "Access-Control-Allow-Origin: *\r\n"};
  const std::string other = "http://localhost" + server.origin().substr(server.origin().rfind(':')) + "/cors";
  EXPECT_EQ(LineOf("console.log(await (await fetch('" + other + "')).text())"), "read");
  EXPECT_TRUE(std::none_of(server.requests.begin(), server.requests.end(),
                           [](const auto& request) { return request.method == "OPTIONS"; }));
}

// Fetch, "extract a MIME type": the last one counts.
TEST_F(HostFetchEventTest, ADocumentOfSeveralContentTypesIsWhatTheLastOneSays) {
  Start();
  server.files["/two"] = {200, "text/plain", "<title>Two</title>", "Content-Type: text/html\r\n"};
  auto page = Await(host->OpenPage(server.Url("/two"), {}, {}));
  EXPECT_TRUE(page) << page.error().message;
  server.files["/two"] = {200, "text/html", "<title>Two</title>", "Content-Type: text/plain\r\n"};
  EXPECT_FALSE(Await(host->OpenPage(server.Url("/two"), {}, {})));
}

TEST_F(HostFetchEventTest, AClientThatIsNavigatedToAnotherOriginIsNull) {
  Control(
      "addEventListener('message', e => e.waitUntil((async () => { const client = await "
      "clients.get(e.source.id); console.log(await client.navigate(e.data)); })()));");
  server.files["/page.js"].body = "";
  const std::string other = "http://localhost" + server.origin().substr(server.origin().rfind(':')) + "/x";
  server.files["/x"] = {200, "text/html", "<title>Elsewhere</title>"};
  PageOptions page;
  page.keep = true;
  page.script = "navigator.serviceWorker.controller.postMessage('" + other + "')";
  // It may be gone before its script has ended.
  (void)Await(host->OpenPage(server.Url("/"), page, {}));
  const auto said = [&](const std::string& text) {
    return std::find(console.begin(), console.end(), text) != console.end();
  };
  RunUntil([&] { return said("null"); });
  const auto pages = host->Pages();
  ASSERT_EQ(pages.size(), 1u);
  EXPECT_EQ(pages[0].url, other);
}

}  // namespace
}  // namespace vigil::host
