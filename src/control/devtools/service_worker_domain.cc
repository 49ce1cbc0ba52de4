#include "control/devtools/service_worker_domain.h"

#include <boost/json/array.hpp>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "control/log_feed.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

json::object RegistrationJson(const host::RegistrationView& view, bool removed) {
  return json::object{
      {"registrationId", std::to_string(view.id)}, {"scopeURL", view.scope}, {"isDeleted", removed}};
}

// "parsed" has no name of its own in the protocol.
std::string StatusOf(const std::string& state) { return state == "parsed" ? "new" : state; }

std::vector<const host::WorkerView*> WorkersOf(const host::RegistrationView& view) {
  std::vector<const host::WorkerView*> workers;
  for (const auto* worker : {&view.installing, &view.waiting, &view.active}) {
    if (*worker) workers.push_back(&**worker);
  }
  return workers;
}

std::optional<std::uint64_t> Number(const std::string& text) {
  std::uint64_t number = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

// Chromium's words, for registrations too.
tl::unexpected<ProtocolError> NoNumber() { return RefuseValue("Invalid version ID"); }

template <class View>
const host::RegistrationView* Find(const std::vector<host::RegistrationView>& views, View&& fits) {
  for (const auto& view : views) {
    if (fits(view)) return &view;
  }
  return nullptr;
}

template <class T>
asio::awaitable<void> Ignore(asio::awaitable<T> work) {
  co_await std::move(work);
}

// What was logged before has reached those who observe.
asio::awaitable<Reply> AfterLog(host::StorageThread& storage) {
  const auto nothing = [] {};
  co_await storage.Run(nothing);
  co_return json::object();
}

}  // namespace

ServiceWorkerDomain::~ServiceWorkerDomain() {
  Leave();
  if (forces_update_) session_.services.host.ForceUpdateOnPageLoad(false);
}

const ServiceWorkerDomain::Methods& ServiceWorkerDomain::Table() {
  static const Methods table = {
      {"deliverPushMessage", &ServiceWorkerDomain::DeliverPushMessage},
      {"disable", &ServiceWorkerDomain::Disable},
      {"dispatchPeriodicSyncEvent", &ServiceWorkerDomain::DispatchPeriodicSyncEvent},
      {"dispatchSyncEvent", &ServiceWorkerDomain::DispatchSyncEvent},
      {"enable", &ServiceWorkerDomain::Enable},
      {"inspectWorker", &ServiceWorkerDomain::InspectWorker},
      {"setForceUpdateOnPageLoad", &ServiceWorkerDomain::SetForceUpdateOnPageLoad},
      {"skipWaiting", &ServiceWorkerDomain::SkipWaiting},
      {"startWorker", &ServiceWorkerDomain::StartWorker},
      {"stopAllWorkers", &ServiceWorkerDomain::StopAllWorkers},
      {"stopWorker", &ServiceWorkerDomain::StopWorker},
      {"unregister", &ServiceWorkerDomain::Unregister},
      {"updateRegistration", &ServiceWorkerDomain::UpdateRegistration},
  };
  return table;
}

// ------------------------------------------------------------------------------------------------ what is
// told
ServiceWorkerDomain::Surroundings ServiceWorkerDomain::Look() const {
  Surroundings surroundings;
  for (const auto& page : session_.services.host.Pages()) {
    if (page.controller_version_id != 0)
      surroundings.clients[page.controller_version_id].emplace_back(Targets::PageId(page.id));
  }
  surroundings.targets = session_.targets.WorkerTargetIds();
  return surroundings;
}

json::object ServiceWorkerDomain::Version(const host::RegistrationView& view, const host::WorkerView& worker,
                                          const Surroundings& surroundings) {
  json::object version;
  version["versionId"] = std::to_string(worker.version_id);
  version["registrationId"] = std::to_string(view.id);
  version["scriptURL"] = worker.script_url;
  version["runningStatus"] = worker.running;
  version["status"] = StatusOf(worker.state);
  version["scriptLastModified"] = 0;
  version["scriptResponseTime"] = static_cast<double>(view.last_update_check_us) / 1e6;
  const auto clients = surroundings.clients.find(worker.version_id);
  version["controlledClients"] = clients == surroundings.clients.end() ? json::array() : clients->second;
  const auto target = surroundings.targets.find(worker.version_id);
  if (target != surroundings.targets.end()) version["targetId"] = target->second;
  return version;
}

json::array ServiceWorkerDomain::Versions(const host::RegistrationView& view,
                                          const Surroundings& surroundings) {
  json::array versions;
  for (const auto* worker : WorkersOf(view)) versions.emplace_back(Version(view, *worker, surroundings));
  return versions;
}

void ServiceWorkerDomain::Enable(const Params&, const Answer& answer) {
  answer(json::object());
  if (enabled_) return;
  enabled_ = true;
  json::array registrations;
  json::array versions;
  const Surroundings surroundings = Look();
  for (const auto& view : session_.services.host.Registrations()) {
    registrations.emplace_back(RegistrationJson(view, false));
    for (auto& version : Versions(view, surroundings)) {
      told_[std::string(version.at("versionId").as_string())] = version.as_object();
      versions.push_back(std::move(version));
    }
  }
  session_.emit("ServiceWorker.workerRegistrationUpdated",
                json::object{{"registrations", std::move(registrations)}});
  session_.emit("ServiceWorker.workerVersionUpdated", json::object{{"versions", std::move(versions)}});
  Targets::Watcher watcher;
  watcher.registration = [this](const host::RegistrationView& view, bool removed) {
    OnRegistration(view, removed);
  };
  watcher.pages = [this] { OnPages(); };
  watcher_ = session_.targets.Watch(std::move(watcher));
  lines_ = session_.services.feed.Listen([this](const json::object& line) { OnLine(line); });
}

void ServiceWorkerDomain::Leave() {
  if (!enabled_) return;
  enabled_ = false;
  session_.targets.Unwatch(watcher_);
  session_.services.feed.Unlisten(lines_);
  told_.clear();
}

void ServiceWorkerDomain::Disable(const Params&, const Answer& answer) {
  Leave();
  answer(json::object());
}

void ServiceWorkerDomain::OnRegistration(const host::RegistrationView& view, bool removed) {
  json::array versions;
  bool any = false;
  const std::string id = std::to_string(view.id);
  std::map<std::string, json::object> now;
  for (auto& version : Versions(view, Look()))
    now[std::string(version.at("versionId").as_string())] = version.as_object();
  // A version that the registration has lost is redundant; nothing more comes of it.
  for (auto old = told_.begin(); old != told_.end();) {
    if (old->second.at("registrationId").as_string() == id.c_str() && now.count(old->first) == 0) {
      old->second["status"] = "redundant";
      old->second["runningStatus"] = "stopped";
      old->second.erase("targetId");
      versions.emplace_back(old->second);
      old = told_.erase(old);
    } else {
      any = any || old->second.at("registrationId").as_string() == id.c_str();
      ++old;
    }
  }
  for (auto& [version_id, version] : now) {
    auto& told = told_[version_id];
    if (told == version) continue;
    told = version;
    versions.emplace_back(version);
  }
  if (removed || !any) {
    session_.emit("ServiceWorker.workerRegistrationUpdated",
                  json::object{{"registrations", json::array{RegistrationJson(view, removed)}}});
  }
  if (!versions.empty())
    session_.emit("ServiceWorker.workerVersionUpdated", json::object{{"versions", std::move(versions)}});
}

void ServiceWorkerDomain::OnPages() {
  json::array versions;
  const Surroundings surroundings = Look();
  for (const auto& view : session_.services.host.Registrations()) {
    for (auto& version : Versions(view, surroundings)) {
      auto& told = told_[std::string(version.at("versionId").as_string())];
      if (told == version.as_object()) continue;
      told = version.as_object();
      versions.push_back(std::move(version));
    }
  }
  if (!versions.empty())
    session_.emit("ServiceWorker.workerVersionUpdated", json::object{{"versions", std::move(versions)}});
}

// What a worker did not catch is an error line of its console.
void ServiceWorkerDomain::OnLine(const json::object& line) {
  if (line.at("type") != "console" || line.at("level") != "error") return;
  const json::value* registration = line.if_contains("registration_id");
  if (registration == nullptr) return;
  const std::string text(line.at("text").as_string());
  if (text.rfind("Uncaught", 0) != 0) return;
  std::string source;
  if (const json::value* given = line.if_contains("source")) source = std::string(given->as_string());
  // "url:line:column"
  std::int64_t numbers[2] = {-1, -1};
  for (int i = 1; i >= 0; --i) {
    const std::size_t colon = source.rfind(':');
    const auto number = colon == std::string::npos ? std::nullopt : Number(source.substr(colon + 1));
    if (!number) break;
    numbers[i] = static_cast<std::int64_t>(*number);
    source.resize(colon);
  }
  json::object error;
  error["errorMessage"] = text.substr(0, text.find('\n'));
  const std::string id = std::to_string(registration->to_number<std::uint64_t>());
  error["registrationId"] = id;
  error["versionId"] = "";
  for (const auto& [version_id, version] : told_) {
    if (version.at("registrationId").as_string() == id.c_str()) error["versionId"] = version_id;
  }
  error["sourceURL"] = source;
  error["lineNumber"] = numbers[0];
  error["columnNumber"] = numbers[1];
  session_.emit("ServiceWorker.workerErrorReported", json::object{{"errorMessage", std::move(error)}});
}

// ------------------------------------------------------------------------------------------------ what is
// done
template <class Work>
void ServiceWorkerDomain::OfScope(const Params& params, const Answer& answer, Work work) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  const auto scope = StringParam(params, "scopeURL");
  if (!scope) return answer(tl::make_unexpected(scope.error()));
  const auto views = session_.services.host.Registrations();
  const auto* view = Find(views, [&](const auto& one) { return one.scope == *scope; });
  if (view != nullptr) work(*scope);
  answer(json::object());
}

void ServiceWorkerDomain::StartWorker(const Params& params, const Answer& answer) {
  OfScope(params, answer, [this](const std::string& scope) {
    asio::co_spawn(session_.services.loop, Ignore(session_.services.host.StartWorker(scope)), asio::detached);
  });
}

void ServiceWorkerDomain::UpdateRegistration(const Params& params, const Answer& answer) {
  OfScope(params, answer, [this](const std::string& scope) {
    asio::co_spawn(session_.services.loop, Ignore(session_.services.host.UpdateWorker(scope)),
                   asio::detached);
  });
}

void ServiceWorkerDomain::Unregister(const Params& params, const Answer& answer) {
  OfScope(params, answer, [this](const std::string& scope) {
    asio::co_spawn(session_.services.loop, Ignore(session_.services.host.Unregister(scope)), asio::detached);
  });
}

void ServiceWorkerDomain::SkipWaiting(const Params& params, const Answer& answer) {
  OfScope(params, answer, [this](const std::string& scope) { session_.services.host.SkipWaiting(scope); });
}

void ServiceWorkerDomain::StopWorker(const Params& params, const Answer& answer) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  const auto id = StringParam(params, "versionId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  const auto number = Number(*id);
  if (!number) return answer(NoNumber());
  const auto views = session_.services.host.Registrations();
  const auto* view = Find(views, [&](const auto& one) {
    for (const auto* worker : WorkersOf(one)) {
      if (number == worker->version_id) return true;
    }
    return false;
  });
  if (view == nullptr) return answer(json::object());
  asio::co_spawn(session_.services.loop, Ignore(session_.services.host.StopWorker(view->scope)),
                 asio::detached);
  answer(json::object());
}

void ServiceWorkerDomain::StopAllWorkers(const Params&, const Answer& answer) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  for (const auto& view : session_.services.host.Registrations())
    asio::co_spawn(session_.services.loop, Ignore(session_.services.host.StopWorker(view.scope)),
                   asio::detached);
  answer(json::object());
}

// The front end opens the worker's own tools by the version's targetId.
void ServiceWorkerDomain::InspectWorker(const Params&, const Answer& answer) { answer(json::object()); }

void ServiceWorkerDomain::SetForceUpdateOnPageLoad(const Params& params, const Answer& answer) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  const auto force = BoolParam(params, "forceUpdateOnPageLoad");
  if (!force) return answer(tl::make_unexpected(force.error()));
  forces_update_ = *force;
  session_.services.host.ForceUpdateOnPageLoad(*force);
  answer(json::object());
}

void ServiceWorkerDomain::Fire(const Params& params, const Answer& answer, bool periodic) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  const auto id = StringParam(params, "registrationId");
  const auto tag = StringParam(params, "tag");
  const auto last_chance =
      periodic ? OptionalBoolParam(params, "lastChance") : BoolParam(params, "lastChance");
  if (!id) return answer(tl::make_unexpected(id.error()));
  if (!tag) return answer(tl::make_unexpected(tag.error()));
  if (!last_chance) return answer(tl::make_unexpected(last_chance.error()));
  const auto number = Number(*id);
  if (!number) return answer(NoNumber());
  const auto views = session_.services.host.Registrations();
  const auto* view = Find(views, [&](const auto& one) { return number == one.id; });
  if (view == nullptr) return answer(Refuse("No service worker registration has this id"));
  session_.services.syncs.Fire(periodic ? host::SyncKind::kPeriodic : host::SyncKind::kOneShot, view->id,
                               view->origin, *tag, *last_chance, [](host::DispatchOutcome) {});
  Spawn(AfterLog(session_.services.storage), answer);
}

void ServiceWorkerDomain::DispatchSyncEvent(const Params& params, const Answer& answer) {
  Fire(params, answer, false);
}
void ServiceWorkerDomain::DispatchPeriodicSyncEvent(const Params& params, const Answer& answer) {
  Fire(params, answer, true);
}

void ServiceWorkerDomain::DeliverPushMessage(const Params& params, const Answer& answer) {
  if (!enabled_) return answer(Refuse("ServiceWorker domain not enabled"));
  const auto id = StringParam(params, "registrationId");
  const auto data = StringParam(params, "data");
  if (!id) return answer(tl::make_unexpected(id.error()));
  if (!data) return answer(tl::make_unexpected(data.error()));
  const auto number = Number(*id);
  if (!number) return answer(NoNumber());
  std::optional<std::string> message;
  if (!data->empty()) message = *data;
  asio::co_spawn(session_.services.loop,
                 Ignore(session_.services.host.DispatchPush(*number, std::move(message))), asio::detached);
  answer(json::object());
}

}  // namespace vigil::control::devtools
