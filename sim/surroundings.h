// What the engine may ask about the world: origins, settings, the network. The same object answers the engine
// (through its ports) and the model (directly), so both see one truth.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "vigil/ports.h"

namespace vigil::sim {

inline constexpr std::size_t kOrigins = 3;
inline constexpr WorkerRegistrationId kWorkers = 4;  // 1 and 2 are of the first origin
inline const std::array<std::string, kOrigins> kOriginNames = {"https://a.test", "https://b.test",
                                                               "https://c.test"};
inline std::size_t OriginIndex(const std::string& name) {
  return static_cast<std::size_t>(name[8] - 'a');  // asked many times a step
}

class Surroundings : public PolicyPort, public NetworkPort {
 public:
  struct Place {
    bool allowed[2] = {true, true};  // by SyncKind
    bool installed = true;
    bool notifications = false;
    bool network_known = true;
    EngagementLevel level = EngagementLevel::kHigh;
    int windows = 1;
  };

  bool Allowed(const std::string& origin, SyncKind kind) const override {
    return At(origin).allowed[static_cast<int>(kind)];
  }
  bool Installed(const std::string& origin) const override { return At(origin).installed; }
  bool NotificationsAllowed(const std::string& origin) const override { return At(origin).notifications; }
  EngagementLevel Engagement(const std::string& origin, Now) const override { return At(origin).level; }
  bool Online() const override { return online; }
  bool KnownNetwork(const std::string& origin) const override { return At(origin).network_known; }

  const Place& At(const std::string& origin) const { return places[OriginIndex(origin)]; }

  std::array<Place, kOrigins> places;
  bool online = true;
};

}  // namespace vigil::sim
