// libFuzzer target: the worker's own reader of the wire format (worker/wire.h), which looks into every
// message of the daemon and of the zygote's socket. Against the protobuf library: a message of which that
// one made sense, written again, must read the same. On the bytes as they come the two may differ: the
// library joins two occurrences of a message and sets fields of a wrong type aside.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ipc/vigil.pb.h"
#include "worker/messages.h"

namespace {

using namespace vigil;

void Require(bool holds) {
  if (!holds) std::abort();
}

template <class Message>
bool Read(Message& message, std::string_view bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// The fields that are known here, each once and without what the library set aside, which it would write
// again.
ipc::ClockState Known(const ipc::ClockState& in) {
  ipc::ClockState out;
  out.set_virtual_time(in.virtual_time());
  out.set_wall_us(in.wall_us());
  out.set_mono_us(in.mono_us());
  return out;
}
ipc::Start Known(const ipc::Start& in) {
  ipc::Start out;
  out.set_scope(in.scope());
  out.set_origin(in.origin());
  if (in.has_clock()) *out.mutable_clock() = Known(in.clock());
  out.set_seed(in.seed());
  *out.mutable_languages() = in.languages();
  out.set_test_natives(in.test_natives());
  return out;
}
ipc::ToWorker Known(const ipc::ToWorker& in) {
  ipc::ToWorker out;
  out.set_seq(in.seq());
  if (in.has_start()) *out.mutable_start() = Known(in.start());
  if (in.has_clock()) *out.mutable_clock() = Known(in.clock());
  if (in.has_reply()) {
    out.mutable_reply()->set_id(in.reply().id());
    if (in.reply().has_failure()) *out.mutable_reply()->mutable_failure() = in.reply().failure();
  }
  if (in.has_chunk()) *out.mutable_chunk() = in.chunk();
  if (in.has_inspector()) {
    // Of several bodies the last one counts, and the library keeps that one.
    out.mutable_inspector()->set_session(in.inspector().session());
    if (in.inspector().has_attach()) out.mutable_inspector()->mutable_attach();
    if (in.inspector().has_detach()) out.mutable_inspector()->mutable_detach();
    if (in.inspector().has_message()) out.mutable_inspector()->set_message(in.inspector().message());
    if (in.inspector().has_paused()) out.mutable_inspector()->set_paused(in.inspector().paused());
  }
  return out;
}

void Compare(const worker::ClockSetting& ours, const ipc::ClockState& theirs) {
  Require(ours.is_virtual == theirs.virtual_time());
  Require(ours.wall_us == theirs.wall_us() && ours.mono_us == theirs.mono_us());
}

void CompareStart(std::string_view bytes, const ipc::Start& theirs) {
  const auto ours = worker::ParseStart(bytes);
  Require(ours.has_value());
  Require(ours->page == (theirs.scope() == ipc::Start::PAGE));
  Require(ours->seed == theirs.seed() && ours->test_natives == theirs.test_natives());
  Compare(ours->clock, theirs.clock());
}

void CompareInspector(std::string_view bytes, const ipc::InspectorFrame& theirs) {
  using Kind = worker::InspectorOrder::Kind;
  const auto ours = worker::ParseInspectorOrder(bytes);
  Require(ours.has_value() == (theirs.body_case() != ipc::InspectorFrame::BODY_NOT_SET));
  if (!ours) return;
  Require(ours->session == theirs.session());
  Require((ours->kind == Kind::kAttach) == theirs.has_attach());
  Require((ours->kind == Kind::kDetach) == theirs.has_detach());
  Require((ours->kind == Kind::kWait) == theirs.has_paused());
  Require(ours->message == theirs.message());
}

void CompareToWorker(std::string_view bytes) {
  ipc::ToWorker message;
  if (!Read(message, bytes)) return;
  message = Known(message);
  const std::string again = message.SerializeAsString();
  const auto ours = worker::Glance(again);
  Require(ours.has_value() && ours->seq == message.seq());
  Require(ours->start.has_value() == message.has_start());
  Require(ours->clock.has_value() == message.has_clock());
  Require(ours->reply_id.has_value() == message.has_reply());
  if (message.has_start()) CompareStart(*ours->start, message.start());
  if (message.has_clock()) {
    const auto clock = worker::ParseClock(*ours->clock);
    Require(clock.has_value());
    Compare(*clock, message.clock());
  }
  if (message.has_reply()) Require(*ours->reply_id == message.reply().id());
  Require(ours->inspector.has_value() == message.has_inspector());
  if (message.has_inspector()) CompareInspector(*ours->inspector, message.inspector());
}

void CompareRequest(std::string_view bytes) {
  ipc::ToDaemon message;
  if (!Read(message, bytes) || !message.has_request()) return;
  ipc::ToDaemon known;
  known.mutable_request()->set_id(message.request().id());
  known.mutable_request()->mutable_import_script()->set_url(message.request().import_script().url());
  Require(worker::RequestId(known.SerializeAsString()) == message.request().id());
}

void CompareFork(std::string_view bytes) {
  ipc::ToZygote message;
  if (!Read(message, bytes) || !message.has_fork()) return;
  ipc::ToZygote known;
  known.mutable_fork()->set_id(message.fork().id());
  known.mutable_fork()->set_title(message.fork().title());
  known.mutable_fork()->set_spare(message.fork().spare());
  const auto& given = message.fork().limits();
  auto& limits = *known.mutable_fork()->mutable_limits();
  limits.set_heap_bytes(given.heap_bytes());
  limits.set_array_buffer_bytes(given.array_buffer_bytes());
  limits.set_cpu_seconds(given.cpu_seconds());
  const auto ours = worker::ParseFork(known.SerializeAsString());
  Require(ours.has_value() && ours->id == message.fork().id());
  Require(ours->title == message.fork().title() && ours->spare == message.fork().spare());
  // None: the default, which is not none.
  const auto same = [](std::uint64_t own, std::uint64_t theirs) {
    return theirs == 0 ? own != 0 : own == theirs;
  };
  Require(same(ours->limits.heap_bytes, given.heap_bytes()));
  Require(same(ours->limits.array_buffer_bytes, given.array_buffer_bytes()));
  Require(same(ours->limits.cpu_seconds, given.cpu_seconds()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto incoming = worker::Glance(bytes);
  if (incoming && incoming->start) (void)worker::ParseStart(*incoming->start);
  if (incoming && incoming->clock) (void)worker::ParseClock(*incoming->clock);
  if (incoming && incoming->inspector) (void)worker::ParseInspectorOrder(*incoming->inspector);
  (void)worker::RequestId(bytes);
  (void)worker::ParseFork(bytes);
  CompareToWorker(bytes);
  CompareRequest(bytes);
  CompareFork(bytes);
  return 0;
}
