// The hand-read messages agree with the generated classes.
#include "worker/messages.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "ipc/vigil.pb.h"
#include "worker/wire.h"

namespace vigil::worker {
namespace {

TEST(Messages, ReadsWhatProtobufWrites) {
  ipc::ToWorker message;
  message.set_seq(77);
  auto& start = *message.mutable_start();
  start.set_scope(ipc::Start::PAGE);
  start.set_origin("https://shop.example");
  start.mutable_clock()->set_virtual_time(true);
  start.mutable_clock()->set_wall_us(-5);
  start.mutable_clock()->set_mono_us(1LL << 50);
  start.set_seed(std::string("\0seed", 5));
  start.mutable_network()->set_downlink_mbps(1.5);
  start.set_test_natives(true);
  const std::string bytes = message.SerializeAsString();

  const auto incoming = Glance(bytes);
  ASSERT_TRUE(incoming && incoming->start);
  EXPECT_EQ(incoming->seq, 77U);
  EXPECT_FALSE(incoming->reply_id);
  const auto setting = ParseStart(*incoming->start);
  ASSERT_TRUE(setting);
  EXPECT_TRUE(setting->page && setting->clock.is_virtual && setting->test_natives);
  EXPECT_EQ(setting->clock.wall_us, -5);
  EXPECT_EQ(setting->clock.mono_us, 1LL << 50);
  EXPECT_EQ(setting->seed, std::string("\0seed", 5));
}

TEST(Messages, FindsTheIdsOfRequestsAndReplies) {
  ipc::ToDaemon request;
  request.mutable_request()->set_id(9);
  request.mutable_request()->mutable_import_script()->set_url("https://shop.example/a.js");
  EXPECT_EQ(RequestId(request.SerializeAsString()), 9U);
  EXPECT_EQ(RequestId(ipc::ToDaemon().SerializeAsString()), std::nullopt);
  ipc::ToWorker reply;
  reply.mutable_reply()->set_id(9);
  const std::string bytes = reply.SerializeAsString();
  EXPECT_EQ(Glance(bytes)->reply_id, 9U);
}

TEST(Messages, WritesWhatProtobufReads) {
  ipc::ToDaemon message;
  ASSERT_TRUE(message.ParseFromString(DyingMessage("heap limit")));
  EXPECT_EQ(message.dying().reason(), "heap limit");
  ASSERT_TRUE(message.ParseFromString(QuiescentMessage(3, -1)));
  EXPECT_EQ(message.quiescent().seq(), 3U);
  EXPECT_EQ(message.quiescent().next_timer_us(), -1);
  ipc::FromZygote zygote;
  ASSERT_TRUE(zygote.ParseFromString(ReadyMessage("14.6")));
  EXPECT_EQ(zygote.ready().v8_version(), "14.6");
  ASSERT_TRUE(zygote.ParseFromString(ForkedMessage(5, 1234, "no")));
  EXPECT_EQ(zygote.forked().id(), 5U);
  EXPECT_EQ(zygote.forked().pid(), 1234);
  EXPECT_EQ(zygote.forked().error(), "no");
  ASSERT_TRUE(zygote.ParseFromString(ExitedMessage(1234, -1)));
  EXPECT_EQ(zygote.exited().wait_status(), -1);
  ipc::ToZygote order;
  order.mutable_fork()->set_id(8);
  order.mutable_fork()->set_title("shop.example");
  order.mutable_fork()->set_spare(true);
  order.mutable_fork()->mutable_limits()->set_heap_bytes(1 << 20);
  const auto parsed = ParseFork(order.SerializeAsString());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, 8U);
  EXPECT_EQ(parsed->title, "shop.example");
  EXPECT_TRUE(parsed->spare);
  EXPECT_EQ(parsed->limits.heap_bytes, 1U << 20);
  EXPECT_EQ(parsed->limits.array_buffer_bytes, 256U << 20);  // the default
}

TEST(Messages, ReadsTheWordsOfDeveloperTools) {
  using Kind = InspectorOrder::Kind;
  ipc::ToWorker message;
  message.mutable_inspector()->set_session(7);
  const auto order = [&message] {
    const std::string bytes = message.SerializeAsString();
    const auto incoming = Glance(bytes);
    const auto parsed =
        incoming && incoming->inspector ? ParseInspectorOrder(*incoming->inspector) : std::nullopt;
    return parsed ? std::tuple(parsed->session, parsed->kind, std::string(parsed->message))
                  : std::tuple(std::uint64_t{0}, Kind::kAttach, std::string("malformed"));
  };
  EXPECT_EQ(order(), std::tuple(0U, Kind::kAttach, "malformed"));
  message.mutable_inspector()->mutable_attach();
  EXPECT_EQ(order(), std::tuple(7U, Kind::kAttach, ""));
  message.mutable_inspector()->set_message("{}");
  EXPECT_EQ(order(), std::tuple(7U, Kind::kMessage, "{}"));
  message.mutable_inspector()->set_paused(true);
  EXPECT_EQ(order(), std::tuple(7U, Kind::kWait, ""));
  message.mutable_inspector()->mutable_detach();
  EXPECT_EQ(order(), std::tuple(7U, Kind::kDetach, ""));
  EXPECT_FALSE(ParseInspectorOrder("\x08"));

  ipc::ToDaemon said;
  ASSERT_TRUE(said.ParseFromString(InspectorMessage(7, "{}")));
  EXPECT_EQ(said.inspector().session(), 7U);
  EXPECT_EQ(said.inspector().message(), "{}");
  ASSERT_TRUE(said.ParseFromString(InspectorDetached(7)));
  EXPECT_TRUE(said.inspector().has_detach());
  ASSERT_TRUE(said.ParseFromString(InspectorPaused(false)));
  EXPECT_TRUE(said.inspector().has_paused() && !said.inspector().paused());
}

TEST(Messages, RefusesWhatIsCutShort) {
  ipc::ToWorker message;
  message.set_seq(1);
  message.mutable_start()->set_seed("0123456789");
  const std::string bytes = message.SerializeAsString();
  for (std::size_t size = 3; size < bytes.size(); ++size) EXPECT_FALSE(Glance(bytes.substr(0, size))) << size;
  EXPECT_FALSE(Glance(std::string(12, '\xff')));
  EXPECT_FALSE(Glance(std::string("\x00\x01", 2)));
}

}  // namespace
}  // namespace vigil::worker
