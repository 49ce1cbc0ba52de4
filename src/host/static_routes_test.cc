// Static routes: what is refused, what a rule matches, and what the daemon does with them on real processes.
#include "host/static_routes.h"

#include <gtest/gtest.h>

#include "host/test_rig.h"

namespace vigil::host {
namespace {

using Source = StaticRoutes::Source;

ipc::RouterUrlPattern Path(const std::string& pathname) {
  ipc::RouterUrlPattern pattern;
  for (auto* text : {pattern.mutable_protocol(), pattern.mutable_username(), pattern.mutable_password(),
                     pattern.mutable_hostname(), pattern.mutable_port(), pattern.mutable_search(),
                     pattern.mutable_hash()}) {
    *text = "*";
  }
  pattern.set_pathname(pathname);
  return pattern;
}
ipc::RouterCondition OnPath(const std::string& pathname) {
  ipc::RouterCondition condition;
  *condition.mutable_url_pattern() = Path(pathname);
  return condition;
}
ipc::RouterRules Rules(const ipc::RouterCondition& condition, const std::string& source = "network") {
  ipc::RouterRules rules;
  *rules.add_rules()->mutable_condition() = condition;
  rules.mutable_rules(0)->set_source(source);
  return rules;
}
ipc::HttpRequest Request(const std::string& path, const std::string& method = "GET") {
  ipc::HttpRequest request;
  request.set_url("https://shop.example" + path);
  request.set_method(method);
  request.set_mode("cors");
  return request;
}
std::string WhyNot(const ipc::RouterRules& rules) {
  StaticRoutes routes;
  const auto added = routes.Add(rules);
  return added ? "" : added.error().message;
}

TEST(StaticRoutes, TheFirstRuleThatHoldsCounts) {
  StaticRoutes routes;
  ASSERT_TRUE(routes.Add(Rules(OnPath("/a/*"))));
  auto cached = Rules(OnPath("/*"), "cache");
  cached.mutable_rules(0)->set_cache_name("v1");
  ASSERT_TRUE(routes.Add(cached));
  EXPECT_EQ(routes.Match(Request("/a/1"), false)->source, Source::kNetwork);
  EXPECT_EQ(routes.Match(Request("/b"), false)->source, Source::kCache);
  EXPECT_EQ(routes.Match(Request("/b"), false)->cache_name, "v1");
  EXPECT_EQ(routes.rules().rules_size(), 2);
}

TEST(StaticRoutes, ConditionsBesideEachOtherMustAllHold) {
  ipc::RouterCondition condition = OnPath("/a");
  condition.set_request_method("post");
  condition.set_request_mode("cors");
  condition.set_request_destination("");
  condition.set_running_status("running");
  StaticRoutes routes;
  ASSERT_TRUE(routes.Add(Rules(condition)));
  EXPECT_TRUE(routes.Match(Request("/a", "POST"), true));
  EXPECT_FALSE(routes.Match(Request("/a", "POST"), false));
  EXPECT_FALSE(routes.Match(Request("/a"), true));
  EXPECT_FALSE(routes.Match(Request("/b", "POST"), true));
  ipc::HttpRequest image = Request("/a", "POST");
  image.set_destination("image");
  EXPECT_FALSE(routes.Match(image, true));
}

TEST(StaticRoutes, OrAndNot) {
  ipc::RouterCondition either;
  *either.mutable_any_of()->add_conditions() = OnPath("/a");
  *either.mutable_any_of()->add_conditions()->mutable_negated() = OnPath("/:any");
  StaticRoutes routes;
  ASSERT_TRUE(routes.Add(Rules(either)));
  EXPECT_TRUE(routes.Match(Request("/a"), false));
  EXPECT_FALSE(routes.Match(Request("/b"), false));
  EXPECT_TRUE(routes.Match(Request("/b/c"), false));
}

TEST(StaticRoutes, WhatMakesNoSenseIsRefusedWithAReason) {
  ipc::RouterCondition both = OnPath("/a");
  *both.mutable_negated() = OnPath("/b");
  EXPECT_NE(WhyNot(Rules(both)), "");
  EXPECT_EQ(WhyNot(Rules(ipc::RouterCondition())),
            "At least one condition must be set, but no condition has been set to the rule.");
  EXPECT_NE(WhyNot(Rules(OnPath("/([a-z])"))), "");
  EXPECT_NE(WhyNot(Rules(OnPath("/a"), "elsewhere")), "");
  ipc::RouterCondition method;
  method.set_request_method("connect");
  EXPECT_EQ(WhyNot(Rules(method)), "'connect' HTTP method is unsupported.");
  method.set_request_method("(GET)");
  EXPECT_EQ(WhyNot(Rules(method)), "'(GET)' is not a valid HTTP method.");
  ipc::RouterCondition mode;
  mode.set_request_mode("sideways");
  EXPECT_NE(WhyNot(Rules(mode)), "");
  auto named = Rules(OnPath("/a"));
  named.mutable_rules(0)->set_cache_name("v1");
  EXPECT_NE(WhyNot(named), "");
}

TEST(StaticRoutes, DepthAndNumberOfConditionsAreLimited) {
  ipc::RouterCondition deep = OnPath("/a");
  for (int depth = 1; depth < StaticRoutes::kMaxDepth; ++depth) {
    ipc::RouterCondition outer;
    *outer.mutable_negated() = deep;
    deep = outer;
  }
  EXPECT_EQ(WhyNot(Rules(deep)), "");
  ipc::RouterCondition deeper;
  *deeper.mutable_negated() = deep;
  EXPECT_NE(WhyNot(Rules(deeper)), "");
  StaticRoutes routes;
  for (std::size_t i = 0; i < StaticRoutes::kMaxConditions; ++i) ASSERT_TRUE(routes.Add(Rules(OnPath("/a"))));
  EXPECT_FALSE(routes.Add(Rules(OnPath("/a"))));
  EXPECT_EQ(routes.rules().rules_size(), static_cast<int>(StaticRoutes::kMaxConditions));
}

TEST(StaticRoutes, RulesThatTakeTooLongCountAsNone) {
  std::string pattern = "/";
  for (int i = 0; i < 3000; ++i) pattern += "*a";
  StaticRoutes routes;
  ASSERT_TRUE(routes.Add(Rules(OnPath(pattern + "b"))));
  ASSERT_TRUE(routes.Add(Rules(OnPath("*"))));
  EXPECT_FALSE(routes.Match(Request("/" + std::string(100'000, 'a')), false));
  EXPECT_TRUE(routes.Match(Request("/x"), false));
}

// ----------------------------------------------------------------------------------------------------
class StaticRoutesTest : public HostTest {
 protected:
  // The worker answers "event" to what reaches it.
  void InstallWith(const std::string& rules) {
    Start();
    ServeApp(
        "self.addEventListener('install', e => { e.waitUntil((async () => {"
        " const c = await caches.open('v1'); await c.put('/cached', new Response('cached'));"
        " await c.put('/big', new Response('b'.repeat(3000000)));"
        " await e.addRoutes(" +
        rules +
        "); })()); });"
        "self.addEventListener('fetch', e => { if (!e.request.url.endsWith('/')) "
        "e.respondWith(new Response('event')); });");
    for (const char* path : {"/plain", "/cached", "/race"})
      server.files[path] = {200, "text/plain", "server"};
    auto app = Install();
    ASSERT_TRUE(app) << app.error().message;
  }
  std::string Fetched(const std::string& code) {
    auto page = RunInPage(code);
    return page ? page->script->text : page.error().message;
  }
  bool Stopped() {
    const auto active = host->Registrations()[0].active;
    return active && active->running == "stopped";
  }
  void StopWorker() {
    ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
    RunUntil([&] { return Stopped(); });
  }
};

TEST_F(StaticRoutesTest, NetworkAndCacheDoNotStartTheWorkerAlsoAfterARestart) {
  InstallWith(
      "[{condition: {urlPattern: '/plain'}, source: 'network'},"
      " {condition: {urlPattern: '/cached'}, source: {cacheName: 'v1'}},"
      " {condition: {urlPattern: '/big'}, source: 'cache'},"
      " {condition: {urlPattern: '/'}, source: 'network'}, {condition: {urlPattern: '/page.js'}, source: "
      "'network'},"
      " {condition: {urlPattern: '/sw.js'}, source: 'network'}]");
  Restart();
  EXPECT_EQ(Fetched("Promise.all(['/plain', '/cached', '/big'].map(u => fetch(u).then(r => r.text())))"
                    ".then(([a, b, c]) => a + ' ' + b + ' ' + c.length)"),
            "server cached 3000000");
  EXPECT_TRUE(Stopped());
  EXPECT_EQ(Fetched("fetch('/other').then(r => r.text())"), "event");
}

TEST_F(StaticRoutesTest, ACacheWithoutTheEntryLeadsToTheNetwork) {
  InstallWith("{condition: {urlPattern: '/plain'}, source: 'cache'}");
  EXPECT_EQ(Fetched("fetch('/plain').then(r => r.text())"), "server");
}

TEST_F(StaticRoutesTest, NavigationsAreRoutedToo) {
  InstallWith("{condition: {requestMode: 'navigate'}, source: 'network'}");
  server.files["/there"] = {200, "text/html", "<title>There</title>"};
  PageOptions keep;
  keep.keep = true;
  auto page = Await(host->OpenPage(server.Url("/there"), keep, {}));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->page.title, "There");
}

TEST_F(StaticRoutesTest, TheRaceGoesToWhoeverAnswersWell) {
  InstallWith("{condition: {urlPattern: '/gone'}, source: 'race-network-and-fetch-handler'}");
  // The server does not have it: its answer decides nothing.
  EXPECT_EQ(Fetched("fetch('/gone').then(r => r.text())"), "event");
}

TEST_F(StaticRoutesTest, TheNetworkWinsTheRaceAgainstAHandlerThatWaits) {
  Start();
  ServeApp(
      "self.addEventListener('install', e => { e.waitUntil(e.addRoutes({condition: {urlPattern: '/race'},"
      " source: 'race-network-and-fetch-handler'})); });"
      "self.addEventListener('fetch', e => { if (e.request.url.endsWith('/race'))"
      " e.respondWith(new Promise(() => {})); });");
  server.files["/race"] = {200, "text/plain", "server"};
  ASSERT_TRUE(Install());
  EXPECT_EQ(Fetched("fetch('/race').then(r => r.text())"), "server");
}

TEST_F(StaticRoutesTest, WhatIsRefusedSaysWhyAndChangesNothing) {
  Start();
  ServeApp(
      "self.addEventListener('install', e => { e.waitUntil((async () => {"
      " for (const rules of [{condition: {urlPattern: '/x'}, source: 'fetch-event'},"
      "  {condition: {urlPattern: '/(a|b)'}, source: 'network'}, {condition: {}, source: 'network'}])"
      "  await e.addRoutes(rules).catch(x => console.log(x.name + ': ' + x.message)); })()); });");
  ASSERT_TRUE(Install());
  const auto said = [&](const std::string& line) {
    return std::find(console.begin(), console.end(), line) != console.end();
  };
  EXPECT_TRUE(
      said("TypeError: Failed to execute 'addRoutes' on 'InstallEvent': A source that includes the fetch "
           "handler is set without a fetch handler."));
  EXPECT_TRUE(
      said("TypeError: Failed to execute 'addRoutes' on 'InstallEvent': Failed to read the 'condition' "
           "property from 'RouterRule': Failed to read the 'urlPattern' property from 'RouterCondition': "
           "The pattern must not contain regular expression groups."));
  EXPECT_TRUE(
      said("TypeError: Failed to execute 'addRoutes' on 'InstallEvent': At least one condition must be set, "
           "but no condition has been set to the rule."));
}

}  // namespace
}  // namespace vigil::host
