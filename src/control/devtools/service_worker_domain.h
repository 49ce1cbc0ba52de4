// ServiceWorker: registrations and versions as they change, and what a developer does with them.
#pragma once

#include <map>
#include <string>

#include "control/devtools/domain.h"
#include "control/devtools/targets.h"

namespace vigil::control::devtools {

class ServiceWorkerDomain final : public DomainOf<ServiceWorkerDomain> {
 public:
  using DomainOf::DomainOf;
  ~ServiceWorkerDomain() override;

  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void DeliverPushMessage(const Params& params, const Answer& answer);
  void Disable(const Params& params, const Answer& answer);
  void DispatchPeriodicSyncEvent(const Params& params, const Answer& answer);
  void DispatchSyncEvent(const Params& params, const Answer& answer);
  void Enable(const Params& params, const Answer& answer);
  void InspectWorker(const Params& params, const Answer& answer);
  void SetForceUpdateOnPageLoad(const Params& params, const Answer& answer);
  void SkipWaiting(const Params& params, const Answer& answer);
  void StartWorker(const Params& params, const Answer& answer);
  void StopAllWorkers(const Params& params, const Answer& answer);
  void StopWorker(const Params& params, const Answer& answer);
  void Unregister(const Params& params, const Answer& answer);
  void UpdateRegistration(const Params& params, const Answer& answer);

  void Leave();
  void OnRegistration(const host::RegistrationView& view, bool removed);
  void OnPages();
  void OnLine(const boost::json::object& line);
  void Fire(const Params& params, const Answer& answer, bool periodic);
  // A command with a scopeURL whose work is not waited for, as in Chromium: what comes of it shows in events.
  template <class Work>
  void OfScope(const Params& params, const Answer& answer, Work work);
  // Which pages a version controls, and the target of its process, by the version's id: of one moment, for as
  // many versions as are to be described.
  struct Surroundings {
    std::map<std::uint64_t, boost::json::array> clients;
    std::map<std::uint64_t, std::string> targets;
  };
  Surroundings Look() const;
  static boost::json::object Version(const host::RegistrationView& view, const host::WorkerView& worker,
                                     const Surroundings& surroundings);
  static boost::json::array Versions(const host::RegistrationView& view, const Surroundings& surroundings);

  bool enabled_ = false;
  bool forces_update_ = false;
  std::uint64_t watcher_ = 0;
  std::uint64_t lines_ = 0;
  std::map<std::string, boost::json::object> told_;  // versions by id, as last told
};

}  // namespace vigil::control::devtools
