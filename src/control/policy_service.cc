#include "control/policy_service.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <utility>

#include "base/log.h"
#include "host/clock.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"
#include "store/stores.h"

namespace vigil::control {
namespace asio = boost::asio;
namespace {

constexpr std::array kNames = {policy::kBackgroundSyncPermission, policy::kPeriodicBackgroundSyncPermission,
                               policy::kNotificationsPermission};

// Of the machine's time zone at that moment. The zone may change while the daemon runs.
Duration UtcOffset(WallTime at) {
  ::tzset();
  const time_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return Duration::zero();
  return std::chrono::seconds(local.tm_gmtoff);
}

host::PermissionState ToHost(policy::Permission permission) {
  if (permission == policy::Permission::kGranted) return host::PermissionState::kGranted;
  if (permission == policy::Permission::kPrompt) return host::PermissionState::kPrompt;
  return host::PermissionState::kDenied;
}

const char* CauseName(policy::EngagementEvent event) {
  switch (event) {
    case policy::EngagementEvent::kNavigation:
      return "navigation";
    case policy::EngagementEvent::kInput:
      return "input";
    case policy::EngagementEvent::kVisibleMedia:
      return "media";
    case policy::EngagementEvent::kHiddenMedia:
      return "hidden-media";
    case policy::EngagementEvent::kNotification:
      return "notification";
  }
  return "input";
}

// Losing one of these costs at most some engagement points; the daemon goes on.
void Warn(const Result<>& result, const char* what) {
  if (!result) log::Warning("cannot store {}: {}", what, result.error().message);
}

}  // namespace

PolicyService::PolicyService(const Parameters& parameters, host::Clock& clock, host::StorageThread& storage,
                             store::Stores& stores)
    : parameters_(parameters), clock_(clock), storage_(storage), stores_(stores), state_(parameters) {}

asio::awaitable<Result<>> PolicyService::Load() {
  struct Loaded {
    std::vector<store::StoredPermission> permissions;
    std::vector<store::StoredEngagement> engagement;
    std::vector<store::KnownNetwork> networks;
  };
  const auto read = [&stores = stores_]() -> Result<Loaded> {
    Loaded loaded;
    VIGIL_ASSIGN(loaded.permissions, stores.permissions.All());
    VIGIL_ASSIGN(loaded.engagement, stores.engagement.All());
    VIGIL_ASSIGN(loaded.networks, stores.networks.All());
    return loaded;
  };
  auto loaded = co_await storage_.Run(read);
  if (!loaded) co_return Fail(std::move(loaded).error());
  for (const auto& permission : loaded->permissions) {
    state_.SetPermission(permission.origin, permission.name, permission.allow);
    settings_[permission.origin][permission.name] = permission.allow;
  }
  for (const auto& stored : loaded->engagement) {
    policy::EngagementEntry entry;
    entry.raw_score = stored.raw_score;
    entry.points_added_today = stored.points_added_today;
    if (stored.last_engagement != WallTime{}) entry.last_engagement = stored.last_engagement;
    entry.last_shortcut_launch = stored.last_shortcut_launch;
    state_.engagement().Load(stored.origin, entry);
  }
  for (const auto& network : loaded->networks) state_.LoadKnownNetwork(network.origin, network.network_id);
  co_return Result<>();
}

void PolicyService::Connect(host::Host& host, host::SyncDriver& driver) {
  host_ = &host;
  driver_ = &driver;
}

void PolicyService::SetNetwork(const net::NetworkState& network) {
  state_.SetNetwork(network.online, network.network_id);
  if (host_ != nullptr) {
    for (const auto& page : host_->Pages()) NoteNetworkUse(page.origin);
  }
  if (driver_ != nullptr) driver_->NetworkChanged();
}

asio::awaitable<Result<>> PolicyService::SetPermission(std::string origin, std::string name,
                                                       std::optional<bool> allow) {
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
    std::string names;
    for (const auto known : kNames) names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
    co_return Fail(ErrorCode::kInvalidArgument,
                   fmt::format("there is no permission \"{}\"; the permissions are {}", name, names));
  }
  const auto write = [&stores = stores_, origin, name, allow]() -> Result<> {
    if (!allow) return stores.permissions.Unset(origin, name);
    store::StoredPermission permission;
    permission.origin = origin;
    permission.name = name;
    permission.allow = *allow;
    return stores.permissions.Set(permission);
  };
  auto stored = co_await storage_.Run(write);
  if (!stored) co_return Fail(std::move(stored).error());
  state_.SetPermission(origin, name, allow);
  if (allow) {
    settings_[origin][name] = *allow;
  } else {
    settings_[origin].erase(name);
  }
  if (driver_ != nullptr) driver_->PermissionChanged(origin);
  // The periodic one depends on both.
  if (host_ != nullptr) {
    for (const auto known : kNames) host_->PermissionsChanged(origin, std::string(known));
  }
  co_return Result<>();
}

std::vector<PermissionView> PolicyService::Permissions(const std::string& origin) const {
  std::vector<PermissionView> views;
  for (const auto name : kNames) {
    PermissionView view;
    view.origin = origin;
    view.name = name;
    view.state = Query(origin, view.name).value_or(host::PermissionState::kDenied);
    if (const auto found = settings_.find(origin); found != settings_.end()) {
      if (const auto setting = found->second.find(view.name); setting != found->second.end())
        view.setting = setting->second;
    }
    views.push_back(std::move(view));
  }
  return views;
}

EngagementView PolicyService::Engagement(const std::string& origin) const {
  const WallTime now = clock_.now().wall;
  EngagementView view;
  view.origin = origin;
  view.score = state_.engagement().Score(origin, now);
  view.level = state_.engagement().Level(origin, now);
  const auto& entries = state_.engagement().entries();
  if (const auto found = entries.find(origin); found != entries.end()) {
    view.points_today = found->second.points_added_today;
    view.last_engagement = found->second.last_engagement;
    view.last_launch = found->second.last_shortcut_launch;
  }
  const std::array factors = {parameters_.engagement_factor_none, parameters_.engagement_factor_minimal,
                              parameters_.engagement_factor_low,  parameters_.engagement_factor_medium,
                              parameters_.engagement_factor_high, parameters_.engagement_factor_max};
  view.periodic_gap = parameters_.min_periodic_gap * factors.at(static_cast<std::size_t>(view.level));
  return view;
}

std::vector<EngagementView> PolicyService::Engagement() const {
  std::vector<EngagementView> views;
  for (const auto& [origin, entry] : state_.engagement().entries()) views.push_back(Engagement(origin));
  return views;
}

void PolicyService::ForgetOrigin(const std::string& origin) {
  state_.ForgetOrigin(origin);
  history_.erase(origin);
  if (driver_ != nullptr) driver_->EngagementChanged(origin);
}

std::optional<host::PermissionState> PolicyService::Query(const std::string& origin,
                                                          const std::string& name) const {
  if (const auto decided = state_.Decide(origin, name)) return ToHost(*decided);
  // What scripts store is never evicted behind an app's back, and no other capability exists here.
  if (name == "persistent-storage") return host::PermissionState::kGranted;
  return std::nullopt;
}

void PolicyService::PageOpened(const std::string& page, const std::string& origin,
                               host::Navigation navigation) {
  pages_.insert_or_assign(page, Gates(parameters_)).first->second.input.Navigated(clock_.now().mono);
  NoteNetworkUse(origin);
  if (navigation == host::Navigation::kChosen) Record(origin, policy::EngagementEvent::kNavigation);
}

void PolicyService::PageShown(const std::string& page) {
  if (const auto found = pages_.find(page); found != pages_.end())
    found->second.input.Shown(clock_.now().mono);
}

void PolicyService::PageClosed(const std::string& page) { pages_.erase(page); }

bool PolicyService::Input(const std::string& page, const std::string& origin) {
  const auto found = pages_.find(page);
  if (found == pages_.end() || !found->second.input.Input(clock_.now().mono)) return false;
  Record(origin, policy::EngagementEvent::kInput);
  return true;
}

bool PolicyService::Media(const std::string& page, const std::string& origin, bool visible) {
  const auto found = pages_.find(page);
  if (found == pages_.end() || !found->second.media.Playing(clock_.now().mono)) return false;
  Record(origin, visible ? policy::EngagementEvent::kVisibleMedia : policy::EngagementEvent::kHiddenMedia);
  return true;
}

void PolicyService::NotificationClicked(const std::string& origin) {
  Record(origin, policy::EngagementEvent::kNotification);
}

void PolicyService::AppLaunched(const std::string& origin) {
  NoteNetworkUse(origin);
  PrepareEngagement();
  const WallTime now = clock_.now().wall;
  const double before = state_.engagement().Score(origin, now);
  state_.engagement().RecordLaunch(origin, now);
  Remember(origin, "launch", before);
  StoreEngagement(std::vector<std::string>(1, origin));
  TellOfEngagement(origin);
}

void PolicyService::AppInstalled(const std::string& origin) {
  state_.SetInstalled(origin, true);
  if (driver_ == nullptr || host_ == nullptr) return;
  driver_->AppInstalled(origin);
  host_->PermissionsChanged(origin, std::string(policy::kPeriodicBackgroundSyncPermission));
}

void PolicyService::AppUninstalled(const std::string& origin) {
  state_.SetInstalled(origin, false);
  if (driver_ == nullptr || host_ == nullptr) return;
  driver_->AppUninstalled(origin);
  host_->PermissionsChanged(origin, std::string(policy::kPeriodicBackgroundSyncPermission));
}

void PolicyService::Record(const std::string& origin, policy::EngagementEvent event) {
  PrepareEngagement();
  const WallTime now = clock_.now().wall;
  const double before = state_.engagement().Score(origin, now);
  state_.engagement().Record(origin, event, now, UtcOffset);
  Remember(origin, CauseName(event), before);
  StoreEngagement(std::vector<std::string>(1, origin));
  TellOfEngagement(origin);
}

void PolicyService::Remember(const std::string& origin, const char* cause, double before) {
  EngagementChange change;
  change.at = clock_.now().wall;
  change.cause = cause;
  change.score = state_.engagement().Score(origin, change.at);
  change.points = change.score - before;
  auto& history = history_[origin];
  history.push_back(change);
  if (history.size() > kKeptChanges) history.pop_front();
}

std::deque<EngagementChange> PolicyService::EngagementHistory(const std::string& origin) const {
  const auto found = history_.find(origin);
  return found == history_.end() ? std::deque<EngagementChange>() : found->second;
}

void PolicyService::TellOfEngagement(const std::string& origin) {
  if (driver_ != nullptr) driver_->EngagementChanged(origin);
}

// Before points are added: a pause in which nothing was used must not cost everybody their score.
void PolicyService::PrepareEngagement() {
  const WallTime now = clock_.now().wall;
  const auto moved = state_.engagement().AccountForPause(now);
  StoreEngagement(moved);
  for (const std::string& origin : state_.engagement().CleanUp(now)) {
    storage_.Post([&stores = stores_, origin] { Warn(stores.engagement.Remove(origin), "the engagement"); });
  }
  // What seemed to be gone while nobody used anything may be enough again.
  for (const std::string& origin : moved) TellOfEngagement(origin);
}

void PolicyService::StoreEngagement(std::vector<std::string> origins) {
  std::vector<store::StoredEngagement> changed;
  for (const std::string& origin : origins) {
    const auto& entries = state_.engagement().entries();
    const auto found = entries.find(origin);
    if (found == entries.end()) continue;
    store::StoredEngagement stored;
    stored.origin = origin;
    stored.raw_score = found->second.raw_score;
    stored.points_added_today = found->second.points_added_today;
    stored.last_engagement = found->second.last_engagement.value_or(WallTime{});
    stored.last_shortcut_launch = found->second.last_shortcut_launch;
    changed.push_back(std::move(stored));
  }
  if (changed.empty()) return;
  storage_.Post([&stores = stores_, changed = std::move(changed)] {
    Warn(stores.engagement.Put(changed), "the engagement");
  });
}

void PolicyService::NoteNetworkUse(const std::string& origin) {
  if (!state_.NoteUseOnNetwork(origin)) return;
  store::KnownNetwork network;
  network.origin = origin;
  network.network_id = state_.network_id();
  network.last_used = clock_.now().wall;
  storage_.Post([&stores = stores_, network] { Warn(stores.networks.Put(network), "the known network"); });
}

}  // namespace vigil::control
