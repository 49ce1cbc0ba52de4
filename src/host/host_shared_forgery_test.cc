// What a process that is not ours any more says about things that processes share: message channels, locks,
// cookies; and about the connections that the daemon keeps for it.
#include <boost/asio/ip/tcp.hpp>

#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

using Frame = ipc::PortFrame;

class HostSharedForgeryTest : public HostPuppetTest {
 protected:
  static void SendFrame(const std::shared_ptr<Puppet>& puppet, std::uint32_t side, Frame::Kind kind,
                        const std::string& data = {}) {
    ipc::ToDaemon message;
    message.mutable_port()->set_channel("3b241101-e2bb-4255-8caf-4136c566a962");
    message.mutable_port()->set_side(side);
    message.mutable_port()->set_kind(kind);
    message.mutable_port()->set_data(data);
    puppet->Send(message);
  }
  static ipc::Request Lock(const std::string& name) {
    ipc::Request request;
    request.mutable_lock_request()->set_name(name);
    return request;
  }
  static ipc::Request SetCookie(const std::string& name, const std::string& value) {
    ipc::Request request;
    auto* cookie = request.mutable_cookie_set();
    cookie->set_name(name);
    cookie->set_value(value);
    cookie->set_path("/");
    cookie->set_same_site("strict");
    return request;
  }
  static ipc::Request GetCookies(const std::string& url) {
    ipc::Request request;
    request.mutable_cookie_get()->set_url(url);
    return request;
  }
  static ipc::ToDaemon OpenSocket(std::uint32_t number, const std::string& url) {
    ipc::ToDaemon message;
    message.mutable_web_socket()->set_socket(number);
    message.mutable_web_socket()->mutable_open()->set_url(url);
    return message;
  }
  std::string Ws(const TestServer& of) { return "ws" + of.Url("/socket").substr(4); }
  // How its socket ended; null: it has not.
  static const ipc::WebSocketEvent::Ended* EndOf(const Puppet& puppet, std::uint32_t number) {
    for (const auto& message : puppet.received()) {
      if (message.has_web_socket() && message.web_socket().socket() == number &&
          message.web_socket().has_ended()) {
        return &message.web_socket().ended();
      }
    }
    return nullptr;
  }
};

TEST_F(HostSharedForgeryTest, AMessageChannelOfAnotherOriginCannotBeTakenReadWrittenOrClosed) {
  StartBoth();
  SendFrame(their_page, 0, Frame::CLAIM);
  Settle(their_page);
  // One end is in their page, the other under way to their worker.
  const auto attack = [&] {
    for (const auto& attacker : {page, worker}) {
      for (std::uint32_t side : {0U, 1U, 7U}) {
        for (const auto kind : {Frame::CLAIM, Frame::MESSAGE, Frame::RELEASE, Frame::FENCE, Frame::BOUNCE,
                                Frame::DRAINED, Frame::CLOSE}) {
          SendFrame(attacker, side, kind, "FORGED");
        }
      }
      Settle(attacker);
    }
  };
  attack();
  SendFrame(their_worker, 1, Frame::CLAIM);
  Settle(their_worker);
  attack();
  SendFrame(their_page, 1, Frame::MESSAGE, "SECRET");
  Settle(their_page);
  Settle(their_worker);
  EXPECT_TRUE(Received(*their_worker, "SECRET"));
  for (const auto& victim : {their_page, their_worker}) EXPECT_FALSE(Received(*victim, "FORGED"));
  for (const auto& attacker : {page, worker}) EXPECT_FALSE(Received(*attacker, "SECRET"));
}

TEST_F(HostSharedForgeryTest, LocksOfAnotherOriginCannotBeSeenStolenOrGivenBack) {
  StartBoth();
  const std::uint64_t held = last_request + 1;
  EXPECT_TRUE(Ask(their_page, Lock("SECRET")).flag().value());
  auto steal = Lock("SECRET");
  steal.mutable_lock_request()->set_steal(true);
  EXPECT_TRUE(Ask(worker, steal).flag().value()) << "the lock of that name of its own origin";
  ipc::ToDaemon give_back;
  give_back.set_cancel_request(held);
  page->Send(give_back);
  ipc::Request query;
  query.mutable_lock_query();
  const auto seen = Ask(page, query);
  ASSERT_EQ(seen.locks().held_size(), 1) << "its own worker's";
  EXPECT_NE(seen.locks().held(0).client_id(), their_page->start().page().client_id());
  Settle(their_page);
  for (const auto& message : their_page->received()) EXPECT_EQ(message.lock_stolen(), 0U);
  auto available = Lock("SECRET");
  available.mutable_lock_request()->set_if_available(true);
  EXPECT_FALSE(Ask(their_worker, available).flag().value()) << "their page still has it";
}

TEST_F(HostSharedForgeryTest, ANumberOfALockThatIsHeldIsNotGivenTwice) {
  StartBoth();
  EXPECT_TRUE(Ask(worker, Lock("a")).flag().value());
  const std::uint64_t held = last_request;
  worker->Request(Lock("b"), held);
  Settle(worker);
  EXPECT_EQ(worker->ReplyTo(held)->flag().value(), true);
  EXPECT_TRUE(Received(*worker, "QuotaExceededError"));
  EXPECT_FALSE(worker->closed());
}

TEST_F(HostSharedForgeryTest, CookiesForServersOnlyAndThoseOfOtherOriginsAreNeitherReadNorReplaced) {
  StartBoth();
  server.files["/in"] = {200, "text/plain", "",
                         "Set-Cookie: s=SECRET; HttpOnly; Path=/\r\nSet-Cookie: o=1\r\n"};
  ipc::Request fetch;
  fetch.mutable_fetch()->set_method("GET");
  fetch.mutable_fetch()->set_url(server.Url("/in"));
  fetch.mutable_fetch()->set_credentials("include");
  EXPECT_EQ(Ask(worker, fetch).response().status(), 200U);
  EXPECT_EQ(FailureOf(their_page, SetCookie("theirs", "SECRET")), "");

  for (const auto& attacker : {page, worker}) {
    const auto own = Ask(attacker, GetCookies(server.Url("/")));
    ASSERT_EQ(own.cookies().cookies_size(), 1);
    EXPECT_EQ(own.cookies().cookies(0).name(), "o");
    EXPECT_EQ(FailureOf(attacker, GetCookies(others.Url("/"))), "TypeError");
    EXPECT_EQ(FailureOf(attacker, GetCookies("not a URL")), "TypeError");
    EXPECT_EQ(FailureOf(attacker, SetCookie("s", "forged")), "TypeError");
    EXPECT_FALSE(Received(*attacker, "SECRET"));
  }
  // What the server gets is still its own.
  fetch.mutable_fetch()->set_url(server.Url("/back"));
  Ask(worker, fetch);
  EXPECT_NE(server.requests.back().head.find("s=SECRET"), std::string::npos) << server.requests.back().head;
}

TEST_F(HostSharedForgeryTest, ACookieCannotSmuggleAttributesOrHeaders) {
  StartBoth();
  for (const auto& [name, value] :
       {std::pair("a; HttpOnly", "1"), std::pair("a=b", "1"), std::pair("a", "1; Domain=example"),
        std::pair("a", "1\r\nX-Forged: yes"), std::pair("a\n", "1")}) {
    EXPECT_EQ(FailureOf(worker, SetCookie(name, value)), "TypeError") << name;
  }
  auto foreign = SetCookie("a", "1");
  foreign.mutable_cookie_set()->set_domain("victim.example");
  EXPECT_EQ(FailureOf(worker, foreign), "TypeError");
  auto path = SetCookie("a", "1");
  path.mutable_cookie_set()->set_path("/; HttpOnly");
  EXPECT_EQ(FailureOf(worker, path), "TypeError");
  EXPECT_EQ(Ask(worker, GetCookies(server.Url("/"))).cookies().cookies_size(), 0);
}

TEST_F(HostSharedForgeryTest, CookieSubscriptionsOfAnotherOriginCannotBeMadeReadOrRemoved) {
  StartBoth();
  ipc::Request subscribe;
  subscribe.set_registration_id(RegistrationOf(others));
  subscribe.mutable_cookie_subscribe()->add_subscriptions()->set_url(others.Url("/"));
  EXPECT_TRUE(Ask(their_worker, subscribe).has_ok());
  ipc::Request list;
  list.set_registration_id(RegistrationOf(others));
  list.mutable_cookie_get_subscriptions();
  ipc::Request remove;
  remove.set_registration_id(RegistrationOf(others));
  *remove.mutable_cookie_unsubscribe() = subscribe.cookie_subscribe();
  for (const auto& attacker : {page, worker}) {
    EXPECT_EQ(FailureOf(attacker, subscribe), "UnknownError");
    EXPECT_EQ(Ask(attacker, list).cookie_subscriptions().subscriptions_size(), 0);
    EXPECT_EQ(FailureOf(attacker, remove), "UnknownError");
  }
  ipc::Request outside;
  outside.mutable_cookie_subscribe()->add_subscriptions()->set_url(others.Url("/"));
  EXPECT_EQ(FailureOf(worker, outside), "TypeError") << "not within its scope";
  EXPECT_EQ(Ask(their_worker, list).cookie_subscriptions().subscriptions_size(), 1);
}

TEST_F(HostSharedForgeryTest, AWebSocketSaysWhoseItIsAndIsReachedByItsProcessOnly) {
  StartBoth();
  their_page->Send(OpenSocket(1, Ws(others)));
  for (const char* what : {"message", "close", "grant"}) {
    ipc::ToDaemon forged;
    forged.mutable_web_socket()->set_socket(1);
    if (what == std::string("message")) forged.mutable_web_socket()->mutable_message()->set_data("FORGED");
    if (what == std::string("close")) forged.mutable_web_socket()->mutable_close()->set_code(1000);
    if (what == std::string("grant")) forged.mutable_web_socket()->set_grant(4'000'000'000U);
    page->Send(forged);  // never opened one
  }
  RunUntil([&] { return EndOf(*their_page, 1) != nullptr; });
  EXPECT_EQ(EndOf(*their_page, 1)->error().find("closed"), std::string::npos) << "their server refused it";
  Settle(page);
  EXPECT_FALSE(page->closed());

  worker->Send(OpenSocket(1, Ws(others)));
  RunUntil([&] { return EndOf(*worker, 1) != nullptr; });
  const std::string head = others.requests.back().head;
  EXPECT_NE(head.find("Origin: " + server.origin() + "\r\n"), std::string::npos) << head;
  // One that has ended is not there any more.
  ipc::ToDaemon late;
  late.mutable_web_socket()->set_socket(1);
  late.mutable_web_socket()->mutable_message()->set_data("late");
  worker->Send(late);
  Settle(worker);
  EXPECT_FALSE(worker->closed());
}

TEST_F(HostSharedForgeryTest, AWebSocketGoesWhereAScriptMayConnect) {
  StartBoth();
  std::uint32_t number = 0;
  for (const char* url : {"http://127.0.0.1/", "file:///etc/passwd", "ws://127.0.0.1:25/", "", "ws://"}) {
    worker->Send(OpenSocket(++number, url));
    RunUntil([&] { return EndOf(*worker, number) != nullptr || worker->closed(); });
    ASSERT_FALSE(worker->closed()) << url;
    EXPECT_EQ(EndOf(*worker, number)->code(), 1006U) << url;
    EXPECT_NE(EndOf(*worker, number)->error(), "") << url;
  }
}

TEST_F(HostSharedForgeryTest, WhoMisusesAWebSocketIsEnded) {
  StartBoth();
  // Takes connections and says nothing: no socket ends by itself.
  boost::asio::ip::tcp::acceptor silent(loop, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::string url = "ws://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const auto open = OpenSocket(1, url);
  std::vector<std::pair<std::string, std::vector<ipc::ToDaemon>>> misuses;
  misuses.push_back({"opened WebSockets out of order", {OpenSocket(2, url)}});
  misuses.push_back({"opened WebSockets out of order", {open, open}});
  auto odd = open;
  odd.mutable_web_socket()->mutable_open()->add_protocols("a, b");
  misuses.push_back({"named a WebSocket protocol that is none", {odd}});
  ipc::ToDaemon call;
  call.mutable_web_socket()->set_socket(1);
  call.mutable_web_socket()->mutable_close()->set_code(1006);
  misuses.push_back({"closed a WebSocket in a way that scripts cannot", {open, call}});
  call.mutable_web_socket()->mutable_close()->set_code(1000);
  call.mutable_web_socket()->mutable_close()->set_reason(std::string(124, 'x'));
  misuses.push_back({"closed a WebSocket in a way that scripts cannot", {open, call}});
  call.mutable_web_socket()->mutable_message()->set_text(true);
  call.mutable_web_socket()->mutable_message()->set_data("\xff");
  misuses.push_back({"sent a text over a WebSocket that is not UTF-8", {open, call}});
  call.mutable_web_socket()->mutable_message()->set_text(false);
  call.mutable_web_socket()->mutable_message()->set_data(std::string(1 << 20, 'x'));
  misuses.push_back({"sent more over a WebSocket than it may", {open, call, call}});
  for (const auto& [reason, messages] : misuses) {
    reports.clear();
    worker = Running(server);
    ASSERT_TRUE(worker);
    worker->SendTogether(messages);
    RunUntil([&, &said = reason] { return Reported(said); });
  }
}

}  // namespace
}  // namespace vigil::host
