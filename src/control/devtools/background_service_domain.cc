#include "control/devtools/background_service_domain.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <utility>
#include <vector>

#include "control/log_feed.h"
#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// Services of the protocol that do not exist here: they can be observed, and never have an event.
constexpr std::array<std::string_view, 3> kAbsent = {"backgroundFetch", "pushMessaging", "paymentHandler"};

// Of the youngest: a tool that is sent more than it reads is cut off.
constexpr std::size_t kMostReplayed = 20'000;

tl::expected<std::string, ProtocolError> ServiceParam(const json::object& params) {
  auto name = StringParam(params, "service");
  if (!name) return name;
  const bool known = store::ServiceFromName(*name).has_value() ||
                     std::find(kAbsent.begin(), kAbsent.end(), *name) != kAbsent.end();
  if (!known) return RefuseValue("Invalid service name");
  return name;
}

json::object StateEvent(const std::string& service, bool recording) {
  return json::object{{"isRecording", recording}, {"service", service}};
}

// line: see LogFeed.
json::object ServiceEvent(const json::object& line, bool sorted) {
  const std::string origin = std::string(line.at("origin").as_string()) + "/";
  std::vector<std::pair<std::string, std::string>> metadata;
  for (const auto& [key, value] : line.at("metadata").as_object())
    metadata.emplace_back(std::string(key), std::string(value.as_string()));
  if (sorted) std::sort(metadata.begin(), metadata.end());
  json::array pairs;
  for (const auto& [key, value] : metadata) pairs.emplace_back(json::object{{"key", key}, {"value", value}});
  json::object event;
  event["timestamp"] = static_cast<double>(line.at("at_us").to_number<std::int64_t>()) / 1e6;
  event["origin"] = origin;
  event["serviceWorkerRegistrationId"] =
      std::to_string(line.at("registration_id").to_number<std::uint64_t>());
  event["service"] = line.at("service");
  event["eventName"] = line.at("event");
  event["instanceId"] = line.at("tag");
  event["eventMetadata"] = std::move(pairs);
  event["storageKey"] = origin;
  return json::object{{"backgroundServiceEvent", std::move(event)}};
}

asio::awaitable<Reply> Record(const Services& services, std::string name, bool on) {
  const auto service = store::ServiceFromName(name);
  if (!service) co_return json::object();
  using Set = Result<store::Recording>;
  const auto write = [&stores = services.stores, service = *service, on,
                      now = services.clock.now().wall]() -> Set {
    return stores.events.SetRecording(service, on, now);
  };
  auto written = co_await services.storage.Run(write);
  if (!written) co_return Refuse(written.error().message);
  services.feed.Recording(*written);
  co_return json::object();
}

asio::awaitable<Reply> Clear(const Services& services, std::string name) {
  const auto service = store::ServiceFromName(name);
  if (!service) co_return json::object();
  const auto clear = [&stores = services.stores, service = *service] { return stores.events.Clear(service); };
  auto cleared = co_await services.storage.Run(clear);
  if (!cleared) co_return Refuse(cleared.error().message);
  co_return json::object();
}

}  // namespace

BackgroundServiceDomain::~BackgroundServiceDomain() {
  observed_->clear();
  if (lines_ != 0) session_.services.feed.Unlisten(lines_);
}

const BackgroundServiceDomain::Methods& BackgroundServiceDomain::Table() {
  static const Methods table = {
      {"clearEvents", &BackgroundServiceDomain::ClearEvents},
      {"setRecording", &BackgroundServiceDomain::SetRecording},
      {"startObserving", &BackgroundServiceDomain::StartObserving},
      {"stopObserving", &BackgroundServiceDomain::StopObserving},
  };
  return table;
}

void BackgroundServiceDomain::OnLine(const json::object& line) const {
  const auto& type = line.at("type");
  if (type == "event" && observed_->count(std::string(line.at("service").as_string())) > 0)
    session_.emit("BackgroundService.backgroundServiceEventReceived", ServiceEvent(line, false));
  if (type == "recording") {
    const std::string service(line.at("service").as_string());
    if (observed_->count(service) > 0)
      session_.emit("BackgroundService.recordingStateChanged", StateEvent(service, line.at("on").as_bool()));
  }
}

// The state, then what was recorded before, then the answer. What is recorded meanwhile is in what was read,
// or comes as it happens, never both.
asio::awaitable<Reply> BackgroundServiceDomain::Begin(SessionView session, std::string name,
                                                      std::shared_ptr<Observed> observed) {
  const auto& emit = session.emit;
  const Services& services = session.services;
  const auto service = store::ServiceFromName(name);
  if (!service) {
    emit("BackgroundService.recordingStateChanged", StateEvent(name, false));
    co_return json::object();
  }
  struct Before {
    bool recording = false;
    Result<std::vector<store::LoggedEvent>> events;
  };
  const auto read = [&stores = services.stores, service = *service, now = services.clock.now().wall] {
    Before before;
    if (const auto recordings = stores.events.Recordings(now)) {
      for (const auto& recording : *recordings)
        before.recording = before.recording || (recording.service == service && recording.until);
    }
    store::EventFilter filter;
    filter.service = service;
    filter.limit = kMostReplayed;
    before.events = stores.events.Query(filter);
    return before;
  };
  const Before before = co_await services.storage.Run(read);
  emit("BackgroundService.recordingStateChanged", StateEvent(name, before.recording));
  if (!before.events) co_return Refuse(before.events.error().message);
  for (const auto& event : *before.events) {
    emit("BackgroundService.backgroundServiceEventReceived", ServiceEvent(LogFeed::EventLine(event), true));
  }
  observed->insert(name);
  co_return json::object();
}

void BackgroundServiceDomain::StartObserving(const Params& params, const Answer& answer) {
  const auto service = ServiceParam(params);
  if (!service) return answer(tl::make_unexpected(service.error()));
  if (observed_->count(*service) > 0) return answer(json::object());
  if (lines_ == 0) lines_ = session_.services.feed.Listen([this](const json::object& line) { OnLine(line); });
  Spawn(Begin(session_, *service, observed_), answer);
}

void BackgroundServiceDomain::StopObserving(const Params& params, const Answer& answer) {
  const auto service = ServiceParam(params);
  if (!service) return answer(tl::make_unexpected(service.error()));
  observed_->erase(*service);
  answer(json::object());
}

void BackgroundServiceDomain::SetRecording(const Params& params, const Answer& answer) {
  const auto service = ServiceParam(params);
  const auto on = BoolParam(params, "shouldRecord");
  if (!service) return answer(tl::make_unexpected(service.error()));
  if (!on) return answer(tl::make_unexpected(on.error()));
  Spawn(Record(session_.services, *service, *on), answer);
}

void BackgroundServiceDomain::ClearEvents(const Params& params, const Answer& answer) {
  const auto service = ServiceParam(params);
  if (!service) return answer(tl::make_unexpected(service.error()));
  Spawn(Clear(session_.services, *service), answer);
}

}  // namespace vigil::control::devtools
