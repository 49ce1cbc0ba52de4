// libFuzzer target: the worker's own reader of the wire format (worker/wire.h), which looks into every
// message of the daemon and of the zygote's socket. Against the protobuf library: what both can read must
// read the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ipc/vigil.pb.h"
#include "worker/messages.h"
#include "worker/wire.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CompareStart(std::string_view bytes, const vigil::ipc::Start& start) {
  const auto setting = vigil::worker::ParseStart(bytes);
  Require(setting.has_value());
  Require(setting->page == (start.scope() == vigil::ipc::Start::PAGE));
  Require(setting->seed == start.seed());
  Require(setting->test_natives == start.test_natives());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto incoming = vigil::worker::Glance(bytes);
  if (incoming && incoming->start) (void)vigil::worker::ParseStart(*incoming->start);
  if (incoming && incoming->clock) (void)vigil::worker::ParseClock(*incoming->clock);
  (void)vigil::worker::RequestId(bytes);
  (void)vigil::worker::ParseFork(bytes);

  vigil::ipc::ToWorker message;
  if (message.ParseFromArray(data, static_cast<int>(size))) {
    // Written again every field occurs once, in its place.
    const std::string canonical = message.SerializeAsString();
    const auto again = vigil::worker::Glance(canonical);
    Require(again.has_value());
    Require(again->seq == message.seq());
    Require(again->start.has_value() == message.has_start());
    if (message.has_start()) CompareStart(*again->start, message.start());
    if (message.has_clock()) {
      const auto clock = vigil::worker::ParseClock(*again->clock);
      Require(clock && clock->wall_us == message.clock().wall_us() &&
              clock->mono_us == message.clock().mono_us());
    }
    if (message.has_reply()) Require(again->reply_id == message.reply().id());
  }
  vigil::ipc::ToDaemon answer;
  if (answer.ParseFromArray(data, static_cast<int>(size)) && answer.has_request()) {
    Require(vigil::worker::RequestId(answer.SerializeAsString()) == answer.request().id());
  }
  return 0;
}
