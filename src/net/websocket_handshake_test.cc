#include "net/websocket_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigil::net {
namespace {

using ::testing::HasSubstr;

// The pair of RFC 6455, section 1.3.
constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

HttpClientHead Good() {
  HttpClientHead head;
  head.status = 101;
  head.headers = {
      {"Upgrade", "WebSocket"}, {"Connection", "keep-alive, Upgrade"}, {"Sec-WebSocket-Accept", kAccept}};
  return head;
}
void Set(HttpClientHead& head, const std::string& name, const std::string& value) {
  std::erase_if(head.headers, [&](const auto& header) { return header.first == name; });
  head.headers.emplace_back(name, value);
}

TEST(WebSocketHandshake, AsksForTheUpgradeWithItsProtocolsAndHeaders) {
  const Url url = Url::Parse("http://shop.example:81/live?x=1").value();
  const std::string request =
      WebSocketRequest(url, kKey, {"chat", "v2"}, {{"Origin", "https://shop.example"}});
  EXPECT_TRUE(
      request.starts_with("GET /live?x=1 HTTP/1.1\r\nHost: shop.example:81\r\nConnection: Upgrade\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Protocol: chat, v2\r\n"));
  EXPECT_TRUE(request.ends_with("\r\nOrigin: https://shop.example\r\n\r\n"));
}

TEST(WebSocketHandshake, MakesAnotherKeyEachTime) {
  EXPECT_EQ(MakeWebSocketKey().size(), 24U);
  EXPECT_NE(MakeWebSocketKey(), MakeWebSocketKey());
}

TEST(WebSocketHandshake, ReadsAHead) {
  const auto head = ParseResponseHead("HTTP/1.1 101 Switching Protocols\r\nA:  b \r\nC:");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 101);
  EXPECT_EQ(head->status_text, "Switching Protocols");
  EXPECT_EQ(head->headers, (Headers{{"A", "b"}, {"C", ""}}));
}

TEST(WebSocketHandshake, RefusesWhatIsNoHead) {
  for (const char* text :
       {"", "HTTP/1.0 101 x", "HTTP/1.1 1x1 x", "HTTP/1.1 10", "ICY 200 OK", "HTTP/1.1 101 x\r\nno colon"}) {
    EXPECT_FALSE(ParseResponseHead(text)) << text;
  }
}

TEST(WebSocketHandshake, AcceptsWhatWasAskedFor) {
  HttpClientHead head = Good();
  EXPECT_TRUE(CheckWebSocketResponse(head, kKey, {}));
  Set(head, "Sec-WebSocket-Protocol", "v2");
  const auto terms = CheckWebSocketResponse(head, kKey, {"chat", "v2"});
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->protocol, "v2");
  EXPECT_FALSE(terms->deflate);
}

TEST(WebSocketHandshake, RefusesEveryOtherAnswer) {
  const auto problem = [](const HttpClientHead& head, const std::vector<std::string>& protocols = {}) {
    const auto terms = CheckWebSocketResponse(head, kKey, protocols);
    return terms ? std::string() : terms.error().message;
  };
  HttpClientHead head = Good();
  head.status = 200;
  EXPECT_THAT(problem(head), HasSubstr("the server answers 200"));
  for (const char* name : {"Upgrade", "Connection", "Sec-WebSocket-Accept"}) {
    head = Good();
    Set(head, name, "something else");
    EXPECT_THAT(problem(head), HasSubstr(name));
  }
  EXPECT_THAT(problem(Good(), {"chat"}), HasSubstr("none of the protocols"));
  head = Good();
  Set(head, "Sec-WebSocket-Protocol", "other");
  EXPECT_THAT(problem(head, {"chat"}), HasSubstr("was not offered"));
  EXPECT_THAT(problem(head), HasSubstr("was not offered"));
}

TEST(WebSocketHandshake, ReadsTheTermsOfCompression) {
  HttpClientHead head = Good();
  Set(head, "Sec-WebSocket-Extensions",
      "permessage-deflate; server_no_context_takeover; client_max_window_bits=\"10\"; "
      "server_max_window_bits=12");
  const auto terms = CheckWebSocketResponse(head, kKey, {});
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->deflate, (DeflateTerms{true, false, 10}));
}

TEST(WebSocketHandshake, RefusesTermsThatWereNotOffered) {
  for (const char* extension :
       {"x-other", "permessage-deflate, permessage-deflate", "permessage-deflate; unknown",
        "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover"}) {
    HttpClientHead head = Good();
    Set(head, "Sec-WebSocket-Extensions", extension);
    EXPECT_FALSE(CheckWebSocketResponse(head, kKey, {})) << extension;
  }
}

}  // namespace
}  // namespace vigil::net
