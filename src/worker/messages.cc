#include "worker/messages.h"

#include "ipc/vigil.pb.h"
#include "worker/wire.h"

namespace vigil::worker {
namespace {

// Only the field numbers of the generated classes are used: they are compile-time constants, no code of the
// protobuf library becomes part of the worker.
using ipc::ClockState;
using ipc::Dying;
using ipc::FromZygote;
using ipc::InspectorFrame;
using ipc::Limits;
using ipc::PageStart;
using ipc::Quiescent;
using ipc::Reply;
using ipc::Request;
using ipc::Start;
using ipc::ToDaemon;
using ipc::ToWorker;
using ipc::ToZygote;

std::uint64_t SignExtended(int value) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)); }

bool ParseLimits(std::string_view bytes, LimitSetting& limits) {
  FieldReader reader(bytes);
  while (const auto field = reader.Next()) {
    if (field->value == 0) continue;
    if (field->number == Limits::kHeapBytesFieldNumber) limits.heap_bytes = field->value;
    if (field->number == Limits::kArrayBufferBytesFieldNumber) limits.array_buffer_bytes = field->value;
    if (field->number == Limits::kCpuSecondsFieldNumber) limits.cpu_seconds = field->value;
  }
  return !reader.broken();
}

}  // namespace

std::optional<Incoming> Glance(std::string_view to_worker) {
  Incoming incoming;
  FieldReader reader(to_worker);
  while (const auto field = reader.Next()) {
    switch (field->number) {
      case ToWorker::kSeqFieldNumber:
        incoming.seq = field->value;
        break;
      case ToWorker::kStartFieldNumber:
        incoming.start = field->bytes;
        break;
      case ToWorker::kClockFieldNumber:
        incoming.clock = field->bytes;
        break;
      case ToWorker::kReplyFieldNumber: {
        const auto id = FindField(field->bytes, Reply::kIdFieldNumber);
        incoming.reply_id = id ? id->value : 0;
        break;
      }
      case ToWorker::kInspectorFieldNumber:
        incoming.inspector = field->bytes;
        break;
      default:
        break;
    }
  }
  if (reader.broken()) return std::nullopt;
  return incoming;
}

std::optional<ClockSetting> ParseClock(std::string_view clock_state) {
  ClockSetting clock;
  FieldReader reader(clock_state);
  while (const auto field = reader.Next()) {
    const auto value = static_cast<std::int64_t>(field->value);
    if (field->number == ClockState::kVirtualTimeFieldNumber) clock.is_virtual = value != 0;
    if (field->number == ClockState::kWallUsFieldNumber) clock.wall_us = value;
    if (field->number == ClockState::kMonoUsFieldNumber) clock.mono_us = value;
  }
  if (reader.broken()) return std::nullopt;
  return clock;
}

std::optional<StartSetting> ParseStart(std::string_view start) {
  StartSetting setting;
  FieldReader reader(start);
  while (const auto field = reader.Next()) {
    switch (field->number) {
      case Start::kScopeFieldNumber:
        setting.page = field->value == Start::PAGE;
        break;
      case Start::kClockFieldNumber: {
        const auto clock = ParseClock(field->bytes);
        if (!clock) return std::nullopt;
        setting.clock = *clock;
        break;
      }
      case Start::kSeedFieldNumber:
        setting.seed = field->bytes;
        break;
      case Start::kTestNativesFieldNumber:
        setting.test_natives = field->value != 0;
        break;
      case Start::kOriginFieldNumber:
        setting.origin = field->bytes;
        break;
      case Start::kPageFieldNumber: {
        const auto id = FindField(field->bytes, PageStart::kClientIdFieldNumber);
        if (id) setting.client_id = id->bytes;
        break;
      }
      default:
        break;
    }
  }
  if (reader.broken()) return std::nullopt;
  return setting;
}

std::optional<InspectorOrder> ParseInspectorOrder(std::string_view frame) {
  using Kind = InspectorOrder::Kind;
  InspectorOrder order;
  bool known = false;
  FieldReader reader(frame);
  while (const auto field = reader.Next()) {
    if (field->number == InspectorFrame::kSessionFieldNumber) {
      order.session = field->value;
      continue;
    }
    known = true;
    if (field->number == InspectorFrame::kAttachFieldNumber) {
      order.kind = Kind::kAttach;
    } else if (field->number == InspectorFrame::kMessageFieldNumber) {
      order.kind = Kind::kMessage;
      order.message = field->bytes;
    } else if (field->number == InspectorFrame::kDetachFieldNumber) {
      order.kind = Kind::kDetach;
    } else if (field->number == InspectorFrame::kPausedFieldNumber) {
      order.kind = Kind::kWait;
    } else {
      return std::nullopt;
    }
  }
  if (reader.broken() || !known) return std::nullopt;
  return order;
}

std::optional<std::uint64_t> RequestId(std::string_view to_daemon) {
  const auto request = FindField(to_daemon, ToDaemon::kRequestFieldNumber);
  if (!request) return std::nullopt;
  const auto id = FindField(request->bytes, Request::kIdFieldNumber);
  return id ? id->value : 0;
}

std::string DyingMessage(std::string_view reason) {
  const std::string dying = FieldWriter().Bytes(Dying::kReasonFieldNumber, reason).Take();
  return FieldWriter().Bytes(ToDaemon::kDyingFieldNumber, dying).Take();
}

std::string QuiescentMessage(std::uint64_t seq, std::int64_t next_timer_us) {
  const std::string quiescent =
      FieldWriter()
          .Number(Quiescent::kSeqFieldNumber, seq)
          .Number(Quiescent::kNextTimerUsFieldNumber, static_cast<std::uint64_t>(next_timer_us))
          .Take();
  return FieldWriter().Bytes(ToDaemon::kQuiescentFieldNumber, quiescent).Take();
}

namespace {
std::string ToDaemonInspector(FieldWriter frame) {
  return FieldWriter().Bytes(ToDaemon::kInspectorFieldNumber, frame.Take()).Take();
}
}  // namespace

std::string InspectorMessage(std::uint64_t session, std::string_view message) {
  FieldWriter frame;
  frame.Number(InspectorFrame::kSessionFieldNumber, session);
  frame.Bytes(InspectorFrame::kMessageFieldNumber, message);
  return ToDaemonInspector(std::move(frame));
}

std::string InspectorDetached(std::uint64_t session) {
  FieldWriter frame;
  frame.Number(InspectorFrame::kSessionFieldNumber, session);
  frame.Bytes(InspectorFrame::kDetachFieldNumber, {});
  return ToDaemonInspector(std::move(frame));
}

std::string InspectorPaused(bool paused) {
  FieldWriter frame;
  frame.Number(InspectorFrame::kPausedFieldNumber, paused ? 1 : 0);
  return ToDaemonInspector(std::move(frame));
}

std::optional<ForkOrder> ParseFork(std::string_view to_zygote) {
  const auto fork = FindField(to_zygote, ToZygote::kForkFieldNumber);
  if (!fork) return std::nullopt;
  ForkOrder order;
  FieldReader reader(fork->bytes);
  while (const auto field = reader.Next()) {
    if (field->number == ToZygote::Fork::kIdFieldNumber) order.id = field->value;
    if (field->number == ToZygote::Fork::kTitleFieldNumber) order.title = field->bytes;
    if (field->number == ToZygote::Fork::kSpareFieldNumber) order.spare = field->value != 0;
    if (field->number == ToZygote::Fork::kLimitsFieldNumber && !ParseLimits(field->bytes, order.limits)) {
      return std::nullopt;
    }
  }
  if (reader.broken()) return std::nullopt;
  return order;
}

std::string ReadyMessage(std::string_view v8_version) {
  const std::string ready = FieldWriter().Bytes(FromZygote::Ready::kV8VersionFieldNumber, v8_version).Take();
  return FieldWriter().Bytes(FromZygote::kReadyFieldNumber, ready).Take();
}

std::string ForkedMessage(std::uint64_t id, int pid, std::string_view error) {
  FieldWriter forked;
  forked.Number(FromZygote::Forked::kIdFieldNumber, id);
  forked.Number(FromZygote::Forked::kPidFieldNumber, SignExtended(pid));
  forked.Bytes(FromZygote::Forked::kErrorFieldNumber, error);
  return FieldWriter().Bytes(FromZygote::kForkedFieldNumber, forked.Take()).Take();
}

std::string ExitedMessage(int pid, int wait_status) {
  FieldWriter exited;
  exited.Number(FromZygote::Exited::kPidFieldNumber, SignExtended(pid));
  exited.Number(FromZygote::Exited::kWaitStatusFieldNumber, SignExtended(wait_status));
  return FieldWriter().Bytes(FromZygote::kExitedFieldNumber, exited.Take()).Take();
}

}  // namespace vigil::worker
