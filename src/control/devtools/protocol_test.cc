#include "control/devtools/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace vigil::control::devtools {
namespace {

namespace json = boost::json;

// The error's number and message, and the id that it answers (0: none).
struct Refusal {
  int code = 0;
  std::string message;
  std::int64_t id = 0;
};
Refusal RefusalOf(std::string_view text) {
  const auto command = ParseCommand(text);
  if (command) return {};
  const json::value& error = command.error().at("error");
  const json::value* id = command.error().if_contains("id");
  return {static_cast<int>(error.at("code").as_int64()), std::string(error.at("message").as_string()),
          id == nullptr ? 0 : id->as_int64()};
}

json::object Params(std::string_view text) { return json::parse({text.data(), text.size()}).as_object(); }

TEST(DevToolsProtocol, ACommandIsReadWithItsSessionAndParameters) {
  const auto command =
      ParseCommand(R"({"id":-7,"method":"Page.enable","params":{"a":[1]},"sessionId":"S","more":0})");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->id, -7);
  EXPECT_EQ(command->method, "Page.enable");
  EXPECT_EQ(command->session_id, "S");
  EXPECT_EQ(command->params, Params(R"({"a":[1]})"));
}

TEST(DevToolsProtocol, ParametersMayBeAbsentOrNull) {
  for (const char* text : {R"({"id":1,"method":"x"})", R"({"id":1,"method":"x","params":null})"}) {
    const auto command = ParseCommand(text);
    ASSERT_TRUE(command.has_value()) << text;
    EXPECT_TRUE(command->params.empty());
    EXPECT_EQ(command->session_id, "");
  }
}

TEST(DevToolsProtocol, WhatIsNoCommandIsRefusedAsChromiumRefusesIt) {
  EXPECT_EQ(RefusalOf("").code, -32700);
  EXPECT_EQ(RefusalOf("{").code, -32700);
  EXPECT_EQ(RefusalOf("{\"id\":1,\"method\":\"x\"} trailing").code, -32700);
  EXPECT_EQ(RefusalOf("{\"id\":1,\"method\":\"\xff\"}").code, -32700);
  EXPECT_EQ(RefusalOf("[]").code, -32600);
  EXPECT_EQ(RefusalOf("\"text\"").message, "Message must be an object");
  for (const char* id : {"\"1\"", "1.5", "null", "18446744073709551615", "{}"}) {
    const auto refusal = RefusalOf(std::string(R"({"method":"x","id":)") + id + "}");
    EXPECT_EQ(refusal.code, -32600) << id;
    EXPECT_EQ(refusal.message, "Message must have integer 'id' property") << id;
    EXPECT_EQ(refusal.id, 0) << id;
  }
}

TEST(DevToolsProtocol, ARefusalNamesTheCommandOnceItsNumberIsKnown) {
  for (const char* rest :
       {R"("method":3)", R"("params":{})", R"("method":"x","params":[])", R"("method":"x","sessionId":5)"}) {
    const auto refusal = RefusalOf(std::string(R"({"id":9,)") + rest + "}");
    EXPECT_EQ(refusal.code, -32600) << rest;
    EXPECT_EQ(refusal.id, 9) << rest;
  }
}

TEST(DevToolsProtocol, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return R"({"id":1,"method":"x","params":{"a":)" + std::string(depth, '[') + std::string(depth, ']') +
           "}}";
  };
  EXPECT_TRUE(ParseCommand(nested(250)).has_value());
  EXPECT_EQ(RefusalOf(nested(400)).code, -32700);
  EXPECT_EQ(RefusalOf(nested(1'000'000)).code, -32700);
}

TEST(DevToolsProtocol, NumbersThatJsonCannotSayAgainAreRefused) {
  const char* large = R"({"id":1,"method":"x","params":{"a":[{"b":-1e3000}]}})";
  EXPECT_EQ(RefusalOf(large).code, -32700);
  EXPECT_FALSE(ParseMessage(large).has_value());
  EXPECT_TRUE(ParseMessage(R"({"id":1,"result":{"a":[-1e300]}})").has_value());
  EXPECT_FALSE(ParseMessage("[]").has_value());
  EXPECT_FALSE(ParseMessage("").has_value());
}

TEST(DevToolsProtocol, AWrongParameterIsNamed) {
  const auto params = Params(R"({"text":"t","yes":true,"number":4,"fraction":0.5})");
  EXPECT_EQ(*StringParam(params, "text"), "t");
  EXPECT_EQ(*BoolParam(params, "yes"), true);
  EXPECT_EQ(*IntegerParam(params, "number"), 4);
  EXPECT_EQ(*OptionalStringParam(params, "absent"), "");
  EXPECT_EQ(*OptionalBoolParam(params, "absent"), false);
  const auto wrong = {
      StringParam(params, "yes").error(),       StringParam(params, "absent").error(),
      BoolParam(params, "number").error(),      OptionalBoolParam(params, "text").error(),
      IntegerParam(params, "fraction").error(), OptionalStringParam(params, "number").error()};
  for (const ProtocolError& error : wrong) {
    EXPECT_EQ(error.number, ErrorNumber::kInvalidParams);
    EXPECT_EQ(error.message, "Invalid parameters");
    EXPECT_THAT(error.data, ::testing::StartsWith("params."));
  }
  EXPECT_EQ(StringParam(params, "absent").error().data, "params.absent: string value expected");
}

TEST(DevToolsProtocol, ErrorsSayNoMoreThanIsKnown) {
  const json::object unknown = ErrorMessage(3, NoSuchMethod("No.such").value());
  EXPECT_EQ(unknown, Params(R"({"id":3,"error":{"code":-32601,"message":"'No.such' wasn't found"}})"));
  const json::object nobody = ErrorMessage({}, RefuseParams("params.x: string value expected").value());
  EXPECT_EQ(nobody, Params(R"({"error":{"code":-32602,"message":"Invalid parameters",
                                        "data":"params.x: string value expected"}})"));
}

}  // namespace
}  // namespace vigil::control::devtools
