#include "net/fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "net/test_server.h"

namespace vigil::net {
namespace {

using ::testing::HasSubstr;
using Response = ipc::HttpResponse;

class FetcherTest : public ::testing::Test {
 protected:
  struct Outcome {
    Response head;
    bool has_body = false;
    std::string body;
    std::optional<Result<>> result;
    std::string Header(const std::string& name) const { return HeaderValue(head, name); }
  };

  std::string Answer(const TestRequest& request) {
    const auto found = answers_.find(request.target);
    if (found == answers_.end()) return TestServer::Response("404 Not Found", {}, "");
    const auto& [status, headers, body] = found->second;
    return TestServer::Response(status, headers, body);
  }

  // An app at our server's 127.0.0.1 origin; "localhost" is the same server and another origin (and site).
  FetchClient App() const {
    return FetchClient{.origin = server_.Origin(), .url = server_.Origin() + "/app/page"};
  }
  std::string Here(const std::string& target) const { return server_.Origin() + target; }
  std::string Elsewhere(const std::string& target) const { return server_.Origin("localhost") + target; }

  static ipc::HttpRequest Request(const std::string& url, const std::string& mode = "cors",
                                  const std::string& method = "GET") {
    ipc::HttpRequest request;
    request.set_url(url);
    request.set_mode(mode);
    request.set_method(method);
    request.set_referrer("about:client");
    return request;
  }
  static void Add(ipc::HttpRequest& request, const std::string& name, const std::string& value) {
    ipc::HttpHeader* header = request.add_headers();
    header->set_name(name);
    header->set_value(value);
  }

  FetchHandlers Record(Outcome& outcome) {
    FetchHandlers handlers;
    handlers.on_head = [&outcome](Response head, bool has_body) {
      outcome.head = std::move(head);
      outcome.has_body = has_body;
    };
    handlers.on_data = [&outcome](std::string_view data) { outcome.body += data; };
    handlers.on_done = [this, &outcome](Result<> result) {
      outcome.result = std::move(result);
      io_.stop();
    };
    return handlers;
  }
  Outcome Fetch(const FetchClient& client, ipc::HttpRequest request) {
    Outcome outcome;
    const auto fetch = fetcher_.Start(client, std::move(request), Record(outcome));
    EXPECT_FALSE(outcome.result);
    io_.restart();
    io_.run();
    return outcome;
  }
  Outcome Fetch(ipc::HttpRequest request) { return Fetch(App(), std::move(request)); }
  const TestRequest& Last() const { return server_.requests().back(); }
  std::size_t Served() const { return server_.requests().size(); }

  boost::asio::io_context io_;
  std::map<std::string, std::tuple<std::string, Headers, std::string>> answers_{
      {"/ok", {"200 OK", {{"X-Own", "1"}}, "fine"}}};
  TestServer server_{io_, [this](const TestRequest& request) { return Answer(request); }};
  HttpClient http_{io_.get_executor()};
  ManualConnectivity network_;
  WallTime now_{std::chrono::hours(480'000)};
  Fetcher fetcher_{io_.get_executor(), http_, network_, FetcherOptions{.wall_now = [this] { return now_; }}};
};

TEST_F(FetcherTest, FetchesFromItsOwnOrigin) {
  const Outcome outcome = Fetch(Request(Here("/ok")));
  EXPECT_EQ(outcome.head.type(), Response::BASIC);
  EXPECT_EQ(outcome.head.status(), 200U);
  EXPECT_EQ(outcome.Header("X-Own"), "1");
  EXPECT_TRUE(outcome.has_body);
  EXPECT_EQ(outcome.body, "fine");
  EXPECT_TRUE(*outcome.result);
  EXPECT_EQ(Last().Header("referer"), Here("/app/page"));
  EXPECT_EQ(Last().Header("sec-fetch-site"), "same-origin");
  EXPECT_FALSE(HasHeader(Last().headers, "origin"));
}

TEST_F(FetcherTest, PostsItsBodyWithItsOrigin) {
  ipc::HttpRequest request = Request(Here("/ok"), "cors", "post");
  request.mutable_body()->set_inline_("{}");
  Add(request, "Content-Type", "application/json");
  Fetch(request);
  EXPECT_EQ(Last().method, "POST");
  EXPECT_EQ(Last().body, "{}");
  EXPECT_EQ(Last().Header("origin"), server_.Origin());
}

TEST_F(FetcherTest, FailsAtOnceOfflineEvenOnThisMachine) {
  network_.Set(false);
  const Outcome outcome = Fetch(Request(Here("/ok")));
  EXPECT_EQ(outcome.head.type(), Response::ERROR);
  EXPECT_THAT(outcome.head.error(), HasSubstr("offline"));
  EXPECT_EQ(outcome.result->error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Served(), 0U);
}

TEST_F(FetcherTest, FailsAsOfflineWhenTheNetworkGoesBeforeItBegins) {
  Outcome outcome;
  const auto fetch = fetcher_.Start(App(), Request(Here("/ok")), Record(outcome));
  network_.Set(false);
  io_.restart();
  io_.run();
  EXPECT_THAT(outcome.head.error(), HasSubstr("offline"));
  EXPECT_EQ(Served(), 0U);
}

TEST_F(FetcherTest, BreaksOffWhenTheNetworkGoes) {
  server_.TakeOver("/hang", [this](TestServer::Socket& socket) -> boost::asio::awaitable<void> {
    network_.Set(false);
    char byte = 0;
    const auto buffer = boost::asio::buffer(&byte, 1);
    co_await socket.async_read_some(buffer, boost::asio::use_awaitable);
  });
  EXPECT_EQ(Fetch(Request(Here("/hang"))).head.error(), "the network went away");
  network_.Set(true);
  EXPECT_EQ(Fetch(Request(Here("/ok"))).body, "fine");
}

TEST_F(FetcherTest, StripsForbiddenHeadersOfScriptsOnly) {
  ipc::HttpRequest request = Request(Here("/ok"));
  for (const char* name : {"Cookie", "Host", "Origin", "Referer", "Sec-Fetch-Site", "Proxy-X", "X-Mine"})
    Add(request, name, "evil");
  Fetch(request);
  EXPECT_EQ(Last().Header("x-mine"), "evil");
  EXPECT_FALSE(HasHeader(Last().headers, "cookie"));
  EXPECT_FALSE(HasHeader(Last().headers, "proxy-x"));
  EXPECT_NE(Last().Header("host"), "evil");
  EXPECT_EQ(Last().Header("sec-fetch-site"), "same-origin");
  FetchClient trusted = App();
  trusted.trusted = true;
  ipc::HttpRequest own = Request(Here("/ok"));
  Add(own, "Sec-Fetch-Site", "none");
  Fetch(trusted, own);
  EXPECT_EQ(Last().Header("sec-fetch-site"), "none");
}

TEST_F(FetcherTest, RefusesInsecureAndForeignSchemes) {
  EXPECT_EQ(Fetch(Request("http://shop.example/")).result->error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(Fetch(Request("ftp://shop.example/")).result->error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(Fetch(Request("nonsense")).result->error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Fetch(Request(Here("/ok"), "cors", "TRACE")).result->error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Fetch(Request("http://127.0.0.1:25/")).result->error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(Fetch(Request(Here("/ok"), "navigate")).result->error().code, ErrorCode::kInvalidArgument);
}

TEST_F(FetcherTest, SameOriginModeStaysAtHome) {
  EXPECT_EQ(Fetch(Request(Here("/ok"), "same-origin")).head.status(), 200U);
  EXPECT_EQ(Fetch(Request(Elsewhere("/ok"), "same-origin")).result->error().code,
            ErrorCode::kPermissionDenied);
}

TEST_F(FetcherTest, CorsNeedsTheOthersConsentAndShowsWhatItExposes) {
  const Outcome refused = Fetch(Request(Elsewhere("/ok")));
  EXPECT_EQ(refused.head.type(), Response::ERROR);
  EXPECT_THAT(refused.head.error(), HasSubstr("Access-Control-Allow-Origin"));
  EXPECT_EQ(refused.body, "");
  EXPECT_EQ(Last().Header("origin"), server_.Origin());
  EXPECT_EQ(Last().Header("referer"), server_.Origin() + "/");
  answers_["/cors"] = {"200 OK",
                       {{"Access-Control-Allow-Origin", "*"},
                        {"Access-Control-Expose-Headers", "X-Shown"},
                        {"X-Shown", "1"},
                        {"X-Hidden", "1"}},
                       "shared"};
  const Outcome allowed = Fetch(Request(Elsewhere("/cors")));
  EXPECT_EQ(allowed.head.type(), Response::CORS);
  EXPECT_EQ(allowed.body, "shared");
  EXPECT_EQ(allowed.Header("x-shown"), "1");
  EXPECT_EQ(allowed.Header("x-hidden"), "");
  ipc::HttpRequest with_credentials = Request(Elsewhere("/cors"));
  with_credentials.set_credentials("include");
  EXPECT_EQ(Fetch(with_credentials).head.type(), Response::ERROR);
}

TEST_F(FetcherTest, AsksBeforeUnusualRequestsOnceUntilTheAnswerIsOld) {
  answers_["/api"] = {"200 OK",
                      {{"Access-Control-Allow-Origin", server_.Origin()},
                       {"Access-Control-Allow-Methods", "PUT"},
                       {"Access-Control-Allow-Headers", "X-Key, content-type"},
                       {"Access-Control-Max-Age", "60"}},
                      "done"};
  ipc::HttpRequest put = Request(Elsewhere("/api"), "cors", "PUT");
  Add(put, "X-Key", "1");
  Add(put, "Content-Type", "application/json");
  EXPECT_EQ(Fetch(put).body, "done");
  ASSERT_EQ(Served(), 2U);
  EXPECT_EQ(server_.requests()[0].method, "OPTIONS");
  EXPECT_EQ(server_.requests()[0].Header("access-control-request-method"), "PUT");
  EXPECT_EQ(server_.requests()[0].Header("access-control-request-headers"), "content-type,x-key");
  EXPECT_FALSE(HasHeader(server_.requests()[0].headers, "x-key"));
  EXPECT_EQ(server_.requests()[1].Header("x-key"), "1");
  Fetch(put);
  EXPECT_EQ(Served(), 3U);
  now_ += std::chrono::seconds(61);
  Fetch(put);
  EXPECT_EQ(Served(), 5U);
  EXPECT_THAT(Fetch(Request(Elsewhere("/api"), "cors", "DELETE")).head.error(),
              HasSubstr("DELETE is not allowed"));
  Add(put, "X-Other", "1");
  EXPECT_THAT(Fetch(put).head.error(), HasSubstr("x-other is not allowed"));
  EXPECT_EQ(Last().method, "OPTIONS");
}

TEST_F(FetcherTest, NoCorsResponsesTellScriptsNothing) {
  const Outcome opaque = Fetch(Request(Elsewhere("/ok"), "no-cors"));
  EXPECT_EQ(opaque.head.type(), Response::OPAQUE);
  EXPECT_EQ(opaque.head.status(), 0U);
  EXPECT_EQ(opaque.head.headers_size(), 0);
  EXPECT_EQ(opaque.head.url_list_size(), 0);
  EXPECT_EQ(opaque.body, "");
  EXPECT_TRUE(*opaque.result);
  FetchClient trusted = App();
  trusted.trusted = true;
  EXPECT_EQ(Fetch(trusted, Request(Elsewhere("/ok"), "no-cors")).body, "fine");
  answers_["/corp"] = {"200 OK", {{"Cross-Origin-Resource-Policy", "same-origin"}}, "x"};
  EXPECT_EQ(Fetch(Request(Elsewhere("/corp"), "no-cors")).head.type(), Response::ERROR);
  EXPECT_EQ(Fetch(Request(Elsewhere("/ok"), "no-cors", "PUT")).head.type(), Response::ERROR);
}

TEST_F(FetcherTest, FollowsRedirectsAndKeepsTheirTrace) {
  answers_["/a"] = {"302 Found", {{"Location", "b?x"}}, "moved"};
  answers_["/b?x"] = {"307 Temporary Redirect", {{"Location", "/ok"}}, ""};
  const Outcome outcome = Fetch(Request(Here("/a#frag")));
  EXPECT_EQ(outcome.body, "fine");
  ASSERT_EQ(outcome.head.url_list_size(), 3);
  EXPECT_EQ(outcome.head.url_list(2), Here("/ok#frag"));
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(FetcherTest, RedirectsChangeMethodsAsTheStandardSays) {
  for (const auto& [status, method] : std::map<std::string, std::string>{
           {"301 x", "GET"}, {"302 x", "GET"}, {"303 x", "GET"}, {"307 x", "POST"}, {"308 x", "POST"}}) {
    answers_["/r"] = {status, {{"Location", "/ok"}}, ""};
    ipc::HttpRequest request = Request(Here("/r"), "cors", "POST");
    request.mutable_body()->set_inline_("data");
    Add(request, "Content-Type", "text/plain");
    Fetch(request);
    EXPECT_EQ(Last().method, method) << status;
    EXPECT_EQ(Last().body, method == "POST" ? "data" : "") << status;
    EXPECT_EQ(HasHeader(Last().headers, "content-type"), method == "POST") << status;
  }
}

TEST_F(FetcherTest, ObeysTheRedirectMode) {
  answers_["/r"] = {"302 Found", {{"Location", "/ok"}}, "body"};
  ipc::HttpRequest request = Request(Here("/r"));
  request.set_redirect("error");
  EXPECT_EQ(Fetch(request).head.type(), Response::ERROR);
  request.set_redirect("manual");
  const Outcome manual = Fetch(request);
  EXPECT_EQ(manual.head.type(), Response::OPAQUE_REDIRECT);
  EXPECT_EQ(manual.head.status(), 0U);
  EXPECT_EQ(manual.head.headers_size(), 0);
  EXPECT_EQ(manual.body, "");
}

TEST_F(FetcherTest, GivesUpOnEndlessAndBrokenRedirects) {
  answers_["/loop"] = {"302 Found", {{"Location", "/loop"}}, ""};
  EXPECT_THAT(Fetch(Request(Here("/loop"))).head.error(), HasSubstr("too often"));
  EXPECT_EQ(Served(), 21U);
  answers_["/bad"] = {"302 Found", {{"Location", "data:,x"}}, ""};
  EXPECT_EQ(Fetch(Request(Here("/bad"))).head.type(), Response::ERROR);
  answers_["/insecure"] = {"302 Found", {{"Location", "http://shop.example/"}}, ""};
  EXPECT_EQ(Fetch(Request(Here("/insecure"))).result->error().code, ErrorCode::kPermissionDenied);
}

TEST_F(FetcherTest, RedirectsToOtherOriginsNeedCorsAndLoseAuthorization) {
  answers_["/out"] = {"302 Found", {{"Location", Elsewhere("/cors")}}, ""};
  answers_["/cors"] = {"200 OK", {{"Access-Control-Allow-Origin", "*"}}, "shared"};
  ipc::HttpRequest request = Request(Here("/out"));
  Add(request, "Authorization", "secret");
  EXPECT_EQ(Fetch(request).head.type(), Response::CORS);
  EXPECT_FALSE(HasHeader(Last().headers, "authorization"));
  answers_["/out"] = {"302 Found", {{"Location", Elsewhere("/ok")}}, ""};
  EXPECT_EQ(Fetch(request).head.type(), Response::ERROR);
}

TEST_F(FetcherTest, CookiesStayInTheirClientsJar) {
  answers_["/login"] = {"200 OK", {{"Set-Cookie", "id=7; Max-Age=60; HttpOnly"}, {"Set-Cookie", "s=1"}}, ""};
  std::vector<std::string> stored;
  fetcher_.OnCookieChange([&](const std::string& jar, const Cookie& cookie, bool removed) {
    stored.push_back(jar + " " + cookie.name + (removed ? " removed" : ""));
  });
  EXPECT_EQ(Fetch(Request(Here("/login"))).Header("set-cookie"), "");
  EXPECT_THAT(stored, ::testing::ElementsAre(server_.Origin() + " id"));
  Fetch(Request(Here("/ok")));
  EXPECT_EQ(Last().Header("cookie"), "id=7; s=1");
  ipc::HttpRequest omit = Request(Here("/ok"));
  omit.set_credentials("omit");
  Fetch(omit);
  EXPECT_FALSE(HasHeader(Last().headers, "cookie"));
  FetchClient other{.origin = server_.Origin("localhost"), .url = server_.Origin("localhost") + "/"};
  Fetch(other, Request(Elsewhere("/ok")));
  EXPECT_FALSE(HasHeader(Last().headers, "cookie"));
  now_ += std::chrono::seconds(61);
  Fetch(Request(Here("/ok")));
  EXPECT_EQ(Last().Header("cookie"), "s=1");
  EXPECT_EQ(stored.back(), server_.Origin() + " id removed");
  fetcher_.ClearOrigin(server_.Origin());
  Fetch(Request(Here("/ok")));
  EXPECT_FALSE(HasHeader(Last().headers, "cookie"));
}

TEST_F(FetcherTest, ChecksIntegrityBeforeAnythingIsSeen) {
  ipc::HttpRequest request = Request(Here("/ok"));
  request.set_integrity("sha256-5iOLqxc9ySHWm0JNd6gKQPfTK33A7c3Hu/CzGQbGCQk=");
  const Outcome wrong = Fetch(request);
  EXPECT_EQ(wrong.head.type(), Response::ERROR);
  EXPECT_EQ(wrong.body, "");
  request.set_integrity("sha256-0UpYuugEorgLW3agECOciP/KH8eVGpD46RMb7aHiPBs=");
  const Outcome right = Fetch(request);
  EXPECT_EQ(right.head.type(), Response::BASIC);
  EXPECT_EQ(right.body, "fine");
}

TEST_F(FetcherTest, ReadsDataUrlsOfflineToo) {
  network_.Set(false);
  const Outcome outcome = Fetch(Request("data:text/html;charset=utf-8;base64,aGk="));
  EXPECT_EQ(outcome.head.status(), 200U);
  EXPECT_EQ(outcome.Header("content-type"), "text/html;charset=utf-8");
  EXPECT_EQ(outcome.body, "hi");
}

TEST_F(FetcherTest, DecodesCompressedBodies) {
  // printf zipped | gzip
  const std::string zipped(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xca\x2c\x28\x48\x4d\x01\x00\x57\x68\xc2\xe2\x06\x00"
      "\x00\x00",
      26);
  answers_["/zip"] = {"200 OK", {{"Content-Encoding", "gzip"}}, zipped};
  EXPECT_EQ(Fetch(Request(Here("/zip"))).body, "zipped");
  answers_["/zip"] = {"200 OK", {{"Content-Encoding", "gzip"}}, "not zipped"};
  const Outcome broken = Fetch(Request(Here("/zip")));
  EXPECT_EQ(broken.head.status(), 200U);
  EXPECT_EQ(broken.result->error().code, ErrorCode::kCorrupt);
}

TEST_F(FetcherTest, AsksAMisdirectedRequestOnceMoreOnANewConnection) {
  answers_["/misdirected"] = {"421 Misdirected Request", {}, "not here"};
  ipc::HttpRequest request = Request(Here("/misdirected"), "cors", "POST");
  request.mutable_body()->set_inline_("data");
  const Outcome outcome = Fetch(request);
  EXPECT_EQ(outcome.head.status(), 421U);
  EXPECT_EQ(outcome.body, "not here");
  EXPECT_EQ(Served(), 2U);
  EXPECT_EQ(Last().body, "data");
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(FetcherTest, KeepaliveRequestsAreSmallAltogether) {
  ipc::HttpRequest request = Request(Here("/ok"), "cors", "POST");
  request.set_keepalive(true);
  request.mutable_body()->set_inline_(std::string(40'000, 'x'));
  Outcome first;
  const auto running = fetcher_.Start(App(), request, Record(first));
  const Outcome second = Fetch(request);
  EXPECT_EQ(second.head.type(), Response::ERROR);
  EXPECT_THAT(second.head.error(), HasSubstr("keepalive"));
  io_.restart();
  while (!first.result) io_.run_one();
  EXPECT_EQ(Fetch(request).body, "fine");
  request.mutable_body()->set_inline_(std::string(65'537, 'x'));
  EXPECT_EQ(Fetch(request).head.type(), Response::ERROR);
}

TEST_F(FetcherTest, HasNullBodiesWhereTheStandardSaysSo) {
  EXPECT_FALSE(Fetch(Request(Here("/ok"), "cors", "HEAD")).has_body);
  answers_["/none"] = {"204 No Content", {}, ""};
  EXPECT_FALSE(Fetch(Request(Here("/none"))).has_body);
}

TEST_F(FetcherTest, CountsWhatRunsAndTellsWhenAllIsIdle) {
  int idle = 0;
  fetcher_.OnIdle([&] { ++idle; });
  Outcome outcome;
  auto fetch = fetcher_.Start(App(), Request(Here("/ok")), Record(outcome));
  EXPECT_EQ(fetcher_.Running(), 1);
  io_.run();
  EXPECT_EQ(fetcher_.Running(), 0);
  EXPECT_EQ(idle, 1);
  fetch = fetcher_.Start(App(), Request(Here("/ok")), Record(outcome));
  fetch->Pause();
  EXPECT_EQ(fetcher_.Running(), 1);  // its head is still to come
  outcome = {};
  io_.restart();
  while (fetcher_.Running() > 0) io_.run_one();
  EXPECT_EQ(outcome.head.status(), 200U);
  EXPECT_EQ(outcome.body, "");
  fetch->Resume();
  EXPECT_EQ(fetcher_.Running(), 1);
  io_.run();
  EXPECT_EQ(outcome.body, "fine");
  EXPECT_EQ(idle, 3);
}

TEST_F(FetcherTest, NavigationsSayWhereTheyComeFrom) {
  answers_["/login"] = {"200 OK", {{"Set-Cookie", "id=7; Max-Age=60"}}, ""};
  Fetch(Request(Here("/login")));
  FetchClient client{.origin = server_.Origin(), .trusted = true};
  ipc::HttpRequest request = Request(Here("/ok"), "navigate");
  request.set_credentials("include");
  const auto seen = [&](const std::string& from) {
    client.navigated_from = from;
    Fetch(client, request);
    return Last().Header("sec-fetch-site") + " " + Last().Header("cookie");
  };
  EXPECT_EQ(seen(""), "none id=7");
  EXPECT_EQ(seen(Here("/app/page")), "same-origin id=7");
  EXPECT_EQ(seen("https://other.example/"), "cross-site ");
}

TEST_F(FetcherTest, FetchAllCollectsAndLimits) {
  std::vector<std::string> said;
  const auto run = [&]() -> boost::asio::awaitable<void> {
    FetchClient client{.origin = server_.Origin(), .trusted = true};
    ipc::HttpRequest request = Request(Here("/ok"), "navigate");
    request.set_destination("document");
    const Result<FetchedResponse> good = co_await fetcher_.FetchAll(client, request, 100);
    said.push_back(good ? good->body : good.error().message);
    const Result<FetchedResponse> large = co_await fetcher_.FetchAll(client, request, 3);
    said.push_back(large ? large->body : ErrorCodeName(large.error().code));
    network_.Set(false);
    const Result<FetchedResponse> offline = co_await fetcher_.FetchAll(client, request, 100);
    said.push_back(offline ? offline->body : ErrorCodeName(offline.error().code));
    io_.stop();
  };
  boost::asio::co_spawn(io_, run(), boost::asio::detached);
  io_.run();
  EXPECT_THAT(said, ::testing::ElementsAre("fine", "too-large", "unavailable"));
  EXPECT_EQ(Last().Header("sec-fetch-mode"), "navigate");
}

}  // namespace
}  // namespace vigil::net
