// What the engine asks the world while it decides. All questions are answered at once from what the embedder
// knows already (snapshots): no implementation may block, call back into the engine, or throw.
//
// The engine keeps references; the ports must outlive it. Called on the engine's thread only.
#pragma once

#include <cstdint>
#include <string>

#include "vigil/export.h"
#include "vigil/registration.h"
#include "vigil/time.h"

namespace vigil {

enum class EngagementLevel : std::uint8_t { kNone, kMinimal, kLow, kMedium, kHigh, kMax };
// "none" "minimal" "low" "medium" "high" "max"
VIGIL_API const char* EngagementLevelName(EngagementLevel level);

class PolicyPort {
 public:
  virtual ~PolicyPort() = default;
  // May the origin use this kind? For periodic without regard to installation, which is asked separately.
  virtual bool Allowed(const std::string& origin, SyncKind kind) const = 0;
  virtual bool Installed(const std::string& origin) const = 0;
  virtual bool NotificationsAllowed(const std::string& origin) const = 0;
  virtual EngagementLevel Engagement(const std::string& origin, Now now) const = 0;
};

class NetworkPort {
 public:
  virtual ~NetworkPort() = default;
  // Unknown counts as offline: nothing may fire before the first report.
  virtual bool Online() const = 0;
  // Was the origin's app used by its user on the present network before?
  virtual bool KnownNetwork(const std::string& origin) const = 0;
};

// Randomness for Parameters::jitter.
class RandomPort {
 public:
  virtual ~RandomPort() = default;
  virtual double NextUnit() = 0;  // in [0, 1)
};

struct Ports {
  const PolicyPort& policy;
  const NetworkPort& network;
  RandomPort& random;
};

}  // namespace vigil
