// What one origin may have of everything that the daemon keeps for it. Beyond it the one call is refused; the
// processes live on.
#include "host/cookies.h"
#include "host/locks.h"
#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

class HostOriginCapsTest : public HostPuppetTest {};

TEST_F(HostOriginCapsTest, NotificationsTheirSizeAndTheOldest) {
  options.caps.notifications = 3;
  options.caps.notification_bytes = 1000;
  StartBoth();
  ipc::Request show;
  show.mutable_show_notification()->set_body(std::string(1000, 'x'));
  EXPECT_EQ(FailureOf(worker, show), "TypeError");
  for (int i = 0; i < 5; ++i) {
    ipc::Request small;
    small.mutable_show_notification()->set_title(std::to_string(i));
    EXPECT_EQ(FailureOf(worker, small), "");
  }
  auto shown = host->Notifications("");
  ASSERT_TRUE(shown);
  ASSERT_EQ(shown->size(), 3U);
  EXPECT_EQ((*shown)[0].title, "2");
}

TEST_F(HostOriginCapsTest, ServiceWorkersOfAnOrigin) {
  options.caps.service_workers = 2;
  StartBoth();
  server.files["/a/sw.js"] = server.files["/b/sw.js"] = server.files["/sw.js"];
  ipc::Request request;
  request.mutable_container_register()->set_script_url(server.Url("/a/sw.js"));
  EXPECT_EQ(FailureOf(page, request), "");
  request.mutable_container_register()->set_script_url(server.Url("/b/sw.js"));
  EXPECT_EQ(FailureOf(page, request), "QuotaExceededError");
  request.mutable_container_register()->set_script_url(server.Url("/a/sw.js"));
  EXPECT_EQ(FailureOf(page, request), "") << "it is there already";
}

TEST_F(HostOriginCapsTest, Pages) {
  options.caps.pages = 3;
  StartBoth();
  PageOptions keep;
  keep.keep = true;
  EXPECT_TRUE(Await(host->OpenPage(server.Url("/"), keep, {})));
  const auto fourth = Await(host->OpenPage(server.Url("/"), keep, {}));
  ASSERT_FALSE(fourth);
  EXPECT_NE(fourth.error().message.find("close some"), std::string::npos) << fourth.error().message;
}

TEST_F(HostOriginCapsTest, StorageOfAnOrigin) {
  options.caps.quota_bytes = 1 << 20;
  StartBoth();
  ipc::Request estimate;
  estimate.mutable_storage_estimate();
  EXPECT_EQ(Ask(worker, estimate).estimate().quota(), 1U << 20);
  ipc::Request open;
  open.mutable_cache()->set_open("c");
  const std::uint64_t cache = Ask(worker, open).cache().cache();
  std::string failure;
  for (int i = 0; i < 10 && failure.empty(); ++i) {
    ipc::Request put;
    put.mutable_cache()->mutable_put()->set_cache(cache);
    auto* entry = put.mutable_cache()->mutable_put()->add_entries();
    entry->mutable_request()->set_method("GET");
    entry->mutable_request()->set_url(server.Url("/" + std::to_string(i)));
    entry->mutable_response()->set_status(200);
    entry->mutable_response()->mutable_body()->set_inline_(std::string(200'000, 'x'));
    failure = Ask(worker, put).cache().error_name();
  }
  EXPECT_EQ(failure, "QuotaExceededError");
  // And the other origin has its own.
  EXPECT_NE(Ask(their_worker, open).cache().cache(), 0U);
}

TEST_F(HostOriginCapsTest, AddressesOfAServiceWorker) {
  StartBoth();
  ipc::Request request;
  request.mutable_container_register()->set_script_url(server.Url("/sw.js"));
  request.mutable_container_register()->set_scope(server.Url("/" + std::string(100'000, 'x')));
  EXPECT_EQ(FailureOf(page, request), "TypeError");
  EXPECT_EQ(host->Registrations().size(), 2U);
}

TEST_F(HostOriginCapsTest, LocksAndTheirNames) {
  StartBoth();
  ipc::Request lock;
  lock.mutable_lock_request()->set_name(std::string(Locks::kMaxNameBytes - 100, 'x'));
  EXPECT_TRUE(Ask(worker, lock).flag().value());
  lock.mutable_lock_request()->set_name(std::string(100, 'y'));
  EXPECT_EQ(FailureOf(worker, lock), "");
  lock.mutable_lock_request()->set_name("z");
  EXPECT_EQ(FailureOf(worker, lock), "QuotaExceededError");
  EXPECT_TRUE(Ask(page, lock).flag().value()) << "another process";
  for (std::uint64_t id = 1; id < Locks::kMaxEntries; ++id) {
    lock.mutable_lock_request()->set_name(std::to_string(id));
    page->Request(lock, 1'000'000 + id);
  }
  EXPECT_EQ(FailureOf(page, lock), "QuotaExceededError");
  EXPECT_FALSE(page->closed());
}

TEST_F(HostOriginCapsTest, CookieSubscriptions) {
  StartBoth();
  ipc::Request many;
  for (int i = 0; i <= Cookies::kMaxSubscriptions; ++i) {
    many.mutable_cookie_subscribe()->add_subscriptions()->set_url(server.Url("/" + std::to_string(i)));
  }
  EXPECT_EQ(FailureOf(worker, many), "QuotaExceededError");
  ipc::Request large;
  large.mutable_cookie_subscribe()->add_subscriptions()->set_url(
      server.Url("/" + std::string(Cookies::kMaxSubscriptionBytes, 'x')));
  EXPECT_EQ(FailureOf(worker, large), "QuotaExceededError");
  many.mutable_cookie_subscribe()->mutable_subscriptions()->RemoveLast();
  EXPECT_EQ(FailureOf(worker, many), "");
}

TEST_F(HostOriginCapsTest, WebSockets) {
  StartBoth();
  const auto last = static_cast<std::uint32_t>(net::WebSockets::kMaxPerOrigin) + 1;
  std::vector<ipc::ToDaemon> messages(last);
  for (std::uint32_t i = 0; i < last; ++i) {
    messages[i].mutable_web_socket()->set_socket(i + 1);
    messages[i].mutable_web_socket()->mutable_open()->set_url("ws" + server.Url("/").substr(4));
  }
  worker->SendTogether(messages);
  RunUntil([&] { return Received(*worker, "too many WebSockets of this origin are open"); });
  EXPECT_FALSE(worker->closed());
}

}  // namespace
}  // namespace vigil::host
