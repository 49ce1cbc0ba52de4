#include "control/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace vigil::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ::testing::HasSubstr;

struct NoCaller : Caller {
  void Send(json::object) override {}
  bool gone() const override { return false; }
  void OnGone(std::function<void()>) override {}
};

struct RouterTest : ::testing::Test {
  RouterTest() {
    router.Add("GET", "/v1/pages", [](Request, Caller&) { return Say("list"); });
    router.Add("DELETE", "/v1/pages/{id}",
               [](Request request, Caller&) { return Say(request.path_arguments["id"]); });
    router.Add("GET", "/v1/broken", [](Request, Caller&) { return Break(); });
    router.Add("GET", "/v1/refused", [](Request, Caller&) { return Refuse(); });
  }
  static asio::awaitable<Router::Reply> Say(std::string text) { co_return json::value(json::string(text)); }
  static asio::awaitable<Router::Reply> Break() {
    throw std::runtime_error("third-party trouble");
    co_return json::value();
  }
  static asio::awaitable<Router::Reply> Refuse() { co_return Fail(ErrorCode::kTooLarge, "too much"); }

  Answer Ask(const char* method, const char* target) {
    auto request = ParseTarget(method, target);
    if (!request) return ErrorAnswer(request.error());
    Answer answer;
    asio::io_context loop;
    NoCaller caller;
    asio::co_spawn(
        loop, [&] { return router.Handle(std::move(*request), caller); },
        [&](std::exception_ptr exception, Answer got) {
          EXPECT_FALSE(exception);
          answer = std::move(got);
        });
    loop.run();
    return answer;
  }
  Router router;
};

TEST_F(RouterTest, FindsTheHandlerAndItsArguments) {
  EXPECT_EQ(Ask("GET", "/v1/pages").body, "list");
  EXPECT_EQ(Ask("GET", "/v1/pages?x=1").body, "list");
  EXPECT_EQ(Ask("DELETE", "/v1/pages/a%20b").body, "a b");
}

TEST_F(RouterTest, SaysWhatIsWrongWithACall) {
  EXPECT_EQ(Ask("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(Ask("GET", "/v1/pages/7/more").status, 404);
  const Answer wrong_method = Ask("POST", "/v1/pages");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_THAT(json::serialize(wrong_method.body), HasSubstr("it takes GET"));
}

TEST_F(RouterTest, TurnsFailuresIntoAnswers) {
  const Answer refused = Ask("GET", "/v1/refused");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(json::serialize(refused.body), R"({"error":{"code":"too-large","message":"too much"}})");
  const Answer broken = Ask("GET", "/v1/broken");
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(json::serialize(broken.body), HasSubstr("third-party trouble"));
}

TEST(ParseTarget, DecodesPathAndQuery) {
  const auto request = ParseTarget("GET", "/v1/syncs?url=http%3A%2F%2F127.0.0.1%3A80%2F&x=a+b&flag&x=c");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/v1/syncs");
  EXPECT_EQ(QueryValue(*request, "url"), "http://127.0.0.1:80/");
  EXPECT_EQ(QueryValue(*request, "x"), "c");
  EXPECT_EQ(QueryValue(*request, "flag"), "");
  EXPECT_EQ(QueryValue(*request, "absent"), "");
}

TEST(ParseTarget, RefusesWhatIsNotWellFormed) {
  for (const char* target : {"", "v1", "*", "/a%", "/a%4", "/a%zz", "/?x=%f"}) {
    EXPECT_FALSE(ParseTarget("GET", target)) << target;
  }
}

TEST(Arguments, NameWhatIsMissingOrOfTheWrongType) {
  const auto body = ParseBody(R"({"url": 7, "keep": "yes", "nothing": null})");
  ASSERT_TRUE(body);
  EXPECT_THAT(RequiredString(*body, "tag").error().message, HasSubstr("\"tag\" is missing"));
  EXPECT_THAT(RequiredString(*body, "url").error().message, HasSubstr("\"url\" must be a string"));
  EXPECT_THAT(OptionalBool(*body, "keep").error().message, HasSubstr("\"keep\" must be true or false"));
  EXPECT_EQ(OptionalString(*body, "nothing").value(), "");
  EXPECT_FALSE(OptionalBool(*body, "absent").value());
}

TEST(ParseBody, TakesAnObjectOrNothing) {
  EXPECT_TRUE(ParseBody(""));
  EXPECT_TRUE(ParseBody("{}"));
  for (const char* text : {"[]", "7", "{", "{} {}", "null"}) EXPECT_FALSE(ParseBody(text)) << text;
}

}  // namespace
}  // namespace vigil::control
