// What users decide about apps and do with them: keeps policy::PolicyState, stores each change, and tells the
// sync driver and the worker processes. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/ports.h"
#include "net/connectivity.h"
#include "policy/policy_state.h"
#include "vigil/parameters.h"

namespace vigil::store {
class Stores;
}
namespace vigil::host {
class Clock;
class Host;
class StorageThread;
class SyncDriver;
}  // namespace vigil::host

namespace vigil::control {

struct PermissionView {
  std::string origin;
  std::string name;
  host::PermissionState state = host::PermissionState::kDenied;
  std::optional<bool> setting;  // what the user chose; absent: the default
};
struct EngagementView {
  std::string origin;
  double score = 0;
  EngagementLevel level = EngagementLevel::kNone;
  double points_today = 0;
  std::optional<WallTime> last_engagement;
  std::optional<WallTime> last_launch;
  Duration periodic_gap{0};  // shortest time between periodic events at this level; 0: none are run
};

// Something its user did with an app, and what that made of its score.
struct EngagementChange {
  WallTime at{};
  const char* cause = "";  // navigation input media hidden-media notification launch
  double points = 0;       // 0: no more points are given today
  double score = 0;        // afterwards
};

class PolicyService final : public host::PermissionSource,
                            public host::EngagementSink,
                            public host::AppObserver {
 public:
  // Everything outlives the service.
  PolicyService(const Parameters& parameters, host::Clock& clock, host::StorageThread& storage,
                store::Stores& stores);

  // Reads settings, engagement and known networks. Before anything asks.
  boost::asio::awaitable<Result<>> Load();
  // From here on these are told of changes. (They are made after this, and ask it while they start.)
  void Connect(host::Host& host, host::SyncDriver& driver);

  const policy::PolicyState& state() const { return state_; }

  // The network is different. Open pages are used on the new one.
  void SetNetwork(const net::NetworkState& network);

  // Durable before it returns. name: one that PolicyState decides; kInvalidArgument names them.
  boost::asio::awaitable<Result<>> SetPermission(std::string origin, std::string name,
                                                 std::optional<bool> allow);
  std::vector<PermissionView> Permissions(const std::string& origin) const;
  std::vector<EngagementView> Engagement() const;
  EngagementView Engagement(const std::string& origin) const;
  // The youngest kKeptChanges of this life of the daemon, oldest first.
  static constexpr std::size_t kKeptChanges = 100;
  std::deque<EngagementChange> EngagementHistory(const std::string& origin) const;
  // What its use left behind (scores, networks), in memory; the stores forget it with Stores::ClearOrigin.
  void ForgetOrigin(const std::string& origin);

  // host::PermissionSource
  std::optional<host::PermissionState> Query(const std::string& origin,
                                             const std::string& name) const override;
  // host::EngagementSink
  void PageOpened(const std::string& page, const std::string& origin, host::Navigation navigation) override;
  void PageShown(const std::string& page) override;
  void PageClosed(const std::string& page) override;
  bool Input(const std::string& page, const std::string& origin) override;
  bool Media(const std::string& page, const std::string& origin, bool visible) override;
  void NotificationClicked(const std::string& origin) override;
  void AppLaunched(const std::string& origin) override;
  // host::AppObserver
  void AppInstalled(const std::string& origin) override;
  void AppUninstalled(const std::string& origin) override;

 private:
  void Record(const std::string& origin, policy::EngagementEvent event);
  void Remember(const std::string& origin, const char* cause, double before);
  void PrepareEngagement();
  void StoreEngagement(std::vector<std::string> origins);
  void NoteNetworkUse(const std::string& origin);
  void TellOfEngagement(const std::string& origin);

  // What of a page's input and media earns points.
  struct Gates {
    explicit Gates(const Parameters& parameters) : input(parameters), media(parameters) {}
    policy::InputGate input;
    policy::MediaGate media;
  };

  const Parameters parameters_;
  host::Clock& clock_;
  host::StorageThread& storage_;
  store::Stores& stores_;
  policy::PolicyState state_;
  std::map<std::string, std::map<std::string, bool>> settings_;
  std::map<std::string, Gates> pages_;
  std::map<std::string, std::deque<EngagementChange>> history_;
  host::Host* host_ = nullptr;
  host::SyncDriver* driver_ = nullptr;
};

}  // namespace vigil::control
