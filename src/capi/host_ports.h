// The engine's ports, answered by the callbacks of a vigil_host.
//
// Use from the engine's thread. Keeps a copy of the table; what its context points to is the host's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vigil/driver.h"
#include "vigil/memory_ports.h"
#include "vigil/vigil.h"

// Open while the host's load callback runs.
struct vigil_loader {
  static constexpr std::uint32_t kMagic = 0x56474C4F;
  std::uint32_t magic = 0;
  std::vector<vigil::RegistrationRecord> records;
  vigil_status status = VIGIL_OK;  // of the first value that was refused
  std::string error;
};

namespace vigil::capi {

class HostPorts final : public PolicyPort,
                        public NetworkPort,
                        public RandomPort,
                        public StorePort,
                        public DispatcherPort,
                        public ClockPort {
 public:
  explicit HostPorts(const vigil_host& host);

  // Every callback that may not be NULL is there.
  static bool Complete(const vigil_host& host);

  DriverPorts ports() { return {*this, *this, *this, *this, *this, *this}; }
  const vigil_host& host() const { return host_; }
  // A question is being answered: the engine is in the middle of a step, and must not be called.
  bool asking() const { return asking_ > 0; }
  // Why the last Load() failed; VIGIL_OK when it did not.
  vigil_status load_status() const { return load_status_; }

  // PolicyPort, NetworkPort, RandomPort
  bool Allowed(const std::string& origin, SyncKind kind) const override;
  bool Installed(const std::string& origin) const override;
  bool NotificationsAllowed(const std::string& origin) const override;
  EngagementLevel Engagement(const std::string& origin, Now now) const override;
  bool Online() const override;
  bool KnownNetwork(const std::string& origin) const override;
  double NextUnit() override;
  // StorePort, DispatcherPort, ClockPort
  LoadResult Load() override;
  WriteResult Write(WriteToken token, const std::vector<RecordChange>& changes) override;
  void Dispatch(const effect::Dispatch& event) override;
  Now Read() override;
  void WakeAt(std::optional<MonoTime> when) override;

  void Reply(std::uint64_t token, const std::optional<DomError>& error, const std::vector<std::string>& tags);
  void Log(const effect::Record& record);

 private:
  class Asking;

  vigil_host host_;
  mutable int asking_ = 0;
  vigil_loader loader_;
  vigil_status load_status_ = VIGIL_OK;
  SeededRandom random_;
  std::int64_t last_mono_us_ = 0;
};

}  // namespace vigil::capi
