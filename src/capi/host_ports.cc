#include "capi/host_ports.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "capi/border.h"
#include "vigil/record_codec.h"

namespace vigil::capi {
namespace {

constexpr std::int64_t kLastWallUs = 253'402'300'799'999'999;  // the end of the year 9999
constexpr std::int64_t kLastMonoUs = std::int64_t{1} << 60;

template <class Clock>
std::int64_t SystemUs() {
  return std::chrono::duration_cast<Duration>(Clock::now().time_since_epoch()).count();
}

}  // namespace

class HostPorts::Asking {
 public:
  explicit Asking(const HostPorts& ports) : ports_(ports) { ++ports_.asking_; }
  ~Asking() { --ports_.asking_; }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

 private:
  const HostPorts& ports_;
};

HostPorts::HostPorts(const vigil_host& host)
    : host_(host), random_(static_cast<std::uint64_t>(SystemUs<std::chrono::system_clock>())) {}

bool HostPorts::Complete(const vigil_host& host) {
  return host.online != nullptr && host.allowed != nullptr && host.wake_at != nullptr &&
         host.load != nullptr && host.write != nullptr && host.run != nullptr;
}

// ---------------------------------------------------------------------------------------------- the world

bool HostPorts::Allowed(const std::string& origin, SyncKind kind) const {
  const Asking asking(*this);
  return host_.allowed(host_.context, Bytes(origin), static_cast<vigil_kind>(kind)) != 0;
}

bool HostPorts::Installed(const std::string& origin) const {
  const Asking asking(*this);
  return host_.installed != nullptr && host_.installed(host_.context, Bytes(origin)) != 0;
}

bool HostPorts::NotificationsAllowed(const std::string& origin) const {
  const Asking asking(*this);
  return host_.notifications_allowed != nullptr &&
         host_.notifications_allowed(host_.context, Bytes(origin)) != 0;
}

EngagementLevel HostPorts::Engagement(const std::string& origin, Now) const {
  if (host_.engagement == nullptr) return EngagementLevel::kHigh;
  const Asking asking(*this);
  const vigil_engagement level = host_.engagement(host_.context, Bytes(origin));
  const bool known = level >= VIGIL_ENGAGEMENT_NONE && level <= VIGIL_ENGAGEMENT_MAX;
  return known ? static_cast<EngagementLevel>(level) : EngagementLevel::kNone;
}

bool HostPorts::Online() const {
  const Asking asking(*this);
  return host_.online(host_.context) != 0;
}

bool HostPorts::KnownNetwork(const std::string& origin) const {
  const Asking asking(*this);
  return host_.known_network == nullptr || host_.known_network(host_.context, Bytes(origin)) != 0;
}

double HostPorts::NextUnit() {
  if (host_.random == nullptr) return random_.NextUnit();
  const Asking asking(*this);
  const double unit = host_.random(host_.context);
  return unit >= 0 && unit < 1 ? unit : 0;
}

Now HostPorts::Read() {
  const Asking asking(*this);
  vigil_time time{};
  if (host_.now != nullptr) {
    host_.now(host_.context, &time);
  } else {
    time = {SystemUs<std::chrono::system_clock>(), SystemUs<std::chrono::steady_clock>()};
  }
  last_mono_us_ = std::max(last_mono_us_, std::min(time.mono_us, kLastMonoUs));
  const std::int64_t wall_us = std::clamp<std::int64_t>(time.wall_us, 0, kLastWallUs);
  return {WallTime(Duration(wall_us)), MonoTime(Duration(last_mono_us_))};
}

void HostPorts::WakeAt(std::optional<MonoTime> when) {
  host_.wake_at(host_.context, when ? when->time_since_epoch().count() : VIGIL_NEVER);
}

// ---------------------------------------------------------------------------------------------- the store

LoadResult HostPorts::Load() {
  loader_ = vigil_loader{vigil_loader::kMagic, {}, VIGIL_OK, {}};
  vigil_status answer = VIGIL_OK;
  {
    const Asking asking(*this);
    answer = host_.load(host_.context, &loader_);
  }
  loader_.magic = 0;
  LoadResult result;
  result.records = std::exchange(loader_.records, {});
  load_status_ = loader_.status;
  if (loader_.status != VIGIL_OK) {
    result.error = loader_.error;
  } else if (answer != VIGIL_OK) {
    load_status_ = VIGIL_ERROR_STORE;
    result.error = std::string("the host's store could not be read (") + vigil_status_name(answer) +
                   "); see its own log";
  }
  return result;
}

WriteResult HostPorts::Write(WriteToken token, const std::vector<RecordChange>& changes) {
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<vigil_change> list;
  texts.reserve(changes.size());
  list.reserve(changes.size());
  for (const RecordChange& change : changes) {
    const bool put = change.op == RecordChange::Op::kPut;
    const auto& [key, value] = texts.emplace_back(EncodeRecordKey(change.record.key),
                                                  put ? EncodeRecord(change.record) : std::string());
    list.push_back({put ? VIGIL_PUT : VIGIL_ERASE, Bytes(key), Bytes(value)});
  }
  const vigil_write write{sizeof(vigil_write), token, list.data(), list.size()};
  const vigil_status answer = host_.write(host_.context, &write);
  if (answer == VIGIL_OK) return WriteResult::Written();
  if (answer == VIGIL_LATER) return WriteResult::Later();
  return WriteResult::Failed(std::string("the host's store failed (") + vigil_status_name(answer) + ")");
}

// ---------------------------------------------------------------------------------------------- what comes
// out

void HostPorts::Dispatch(const effect::Dispatch& event) {
  vigil_event out{};
  out.struct_size = sizeof(vigil_event);
  out.token = event.token;
  out.kind = static_cast<vigil_kind>(event.key.kind);
  out.last_chance = event.last_chance ? 1 : 0;
  out.worker = event.key.worker_registration;
  out.tag = Bytes(event.key.tag);
  out.origin = Bytes(event.origin);
  out.limit_us = std::max<std::int64_t>(1, event.deadline.time_since_epoch().count() - last_mono_us_);
  host_.run(host_.context, &out);
}

void HostPorts::Reply(std::uint64_t token, const std::optional<DomError>& error,
                      const std::vector<std::string>& tags) {
  std::vector<vigil_bytes> list;
  list.reserve(tags.size());
  for (const std::string& tag : tags) list.push_back(Bytes(tag));
  vigil_reply out{};
  out.struct_size = sizeof(vigil_reply);
  out.token = token;
  if (error) {
    out.error_name = Bytes(error->name);
    out.error_message = Bytes(error->message);
  }
  out.tags = list.data();
  out.tag_count = list.size();
  host_.reply(host_.context, &out);
}

void HostPorts::Log(const effect::Record& record) {
  std::vector<vigil_bytes> metadata;
  metadata.reserve(2 * record.metadata.size());
  for (const auto& [key, value] : record.metadata) {
    metadata.push_back(Bytes(key));
    metadata.push_back(Bytes(value));
  }
  vigil_log_line out{};
  out.struct_size = sizeof(vigil_log_line);
  out.wall_us = record.at.time_since_epoch().count();
  out.service = static_cast<std::int32_t>(record.service);
  out.worker = record.worker_registration;
  out.origin = Bytes(record.origin);
  out.event_name = Bytes(record.event_name);
  out.tag = Bytes(record.tag);
  out.metadata = metadata.data();
  out.metadata_count = record.metadata.size();
  host_.log(host_.context, &out);
}

}  // namespace vigil::capi

using vigil::capi::IsValid;

vigil_status vigil_load_record(vigil_loader* loader, vigil_bytes value) {
  if (loader == nullptr || loader->magic != vigil_loader::kMagic) return VIGIL_ERROR_INVALID_HANDLE;
  if (!IsValid(value, 4 * VIGIL_MAX_BYTES)) return VIGIL_ERROR_INVALID_ARGUMENT;
  vigil_status status = vigil::capi::Guarded([&]() -> vigil_status {
    vigil::DecodedRecord decoded = vigil::DecodeRecord(vigil::capi::View(value));
    if (decoded.record) {
      loader->records.push_back(std::move(*decoded.record));
      return VIGIL_OK;
    }
    if (loader->status == VIGIL_OK) loader->error = std::move(decoded.error);
    return VIGIL_ERROR_CORRUPT;
  });
  if (loader->status == VIGIL_OK) loader->status = status;
  return status;
}

vigil_status vigil_check_record(vigil_bytes value, char* message, size_t capacity) {
  vigil::capi::WriteMessage(message, capacity, {});
  if (!IsValid(value, 4 * VIGIL_MAX_BYTES)) return VIGIL_ERROR_INVALID_ARGUMENT;
  return vigil::capi::Guarded([&]() -> vigil_status {
    const vigil::DecodedRecord decoded = vigil::DecodeRecord(vigil::capi::View(value));
    if (decoded.record) return VIGIL_OK;
    vigil::capi::WriteMessage(message, capacity, decoded.error);
    return VIGIL_ERROR_CORRUPT;
  });
}
