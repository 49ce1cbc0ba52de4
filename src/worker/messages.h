// The messages of ipc/vigil.proto that the native half reads or writes itself. The rest belongs to the
// bundle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigil::worker {

// Times in microseconds, see ClockState in vigil.proto.
struct ClockSetting {
  bool is_virtual = false;
  std::int64_t wall_us = 0;
  std::int64_t mono_us = 0;
};

// What the message leaves out has these defaults.
struct LimitSetting {
  std::uint64_t heap_bytes = 256ULL << 20;
  std::uint64_t array_buffer_bytes = 256ULL << 20;
  std::uint64_t cpu_seconds = 600;
};

// What the native half needs of Start.
struct StartSetting {
  bool page = false;
  ClockSetting clock;
  std::string seed;
  bool test_natives = false;
  std::string origin;
  std::string client_id;  // of a page
};

// A glance at a ToWorker message.
struct Incoming {
  std::uint64_t seq = 0;
  std::optional<std::string_view> start;      // the Start inside
  std::optional<std::string_view> clock;      // the ClockState inside
  std::optional<std::uint64_t> reply_id;      // it is the Reply to this request
  std::optional<std::string_view> inspector;  // the InspectorFrame inside
};

// An InspectorFrame of the daemon's.
struct InspectorOrder {
  enum class Kind {
    kAttach,
    kWait,  // `paused`, before the start: the first run waits for Runtime.runIfWaitingForDebugger
    kMessage,
    kDetach,
  };
  std::uint64_t session = 0;
  Kind kind = Kind::kAttach;
  std::string_view message;
};

// Empty: malformed.
std::optional<Incoming> Glance(std::string_view to_worker);
std::optional<StartSetting> ParseStart(std::string_view start);
std::optional<ClockSetting> ParseClock(std::string_view clock_state);
// Empty: malformed, or an order that is not known here.
std::optional<InspectorOrder> ParseInspectorOrder(std::string_view frame);
// The id of the Request inside a ToDaemon; empty: it holds none.
std::optional<std::uint64_t> RequestId(std::string_view to_daemon);

// ToDaemon messages.
std::string DyingMessage(std::string_view reason);
std::string QuiescentMessage(std::uint64_t seq, std::int64_t next_timer_us);
std::string InspectorMessage(std::uint64_t session, std::string_view message);
std::string InspectorDetached(std::uint64_t session);
std::string InspectorPaused(bool paused);

struct ForkOrder {
  std::uint64_t id = 0;
  std::string title;
  bool spare = false;
  LimitSetting limits;
};
std::optional<ForkOrder> ParseFork(std::string_view to_zygote);
// FromZygote messages.
std::string ReadyMessage(std::string_view v8_version);
std::string ForkedMessage(std::uint64_t id, int pid, std::string_view error);
std::string ExitedMessage(int pid, int wait_status);

}  // namespace vigil::worker
