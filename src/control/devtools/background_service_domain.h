// BackgroundService: the recorded events of the background services, as they happen and from before.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class BackgroundServiceDomain final : public DomainOf<BackgroundServiceDomain> {
 public:
  using DomainOf::DomainOf;
  ~BackgroundServiceDomain() override;

  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void ClearEvents(const Params& params, const Answer& answer);
  void SetRecording(const Params& params, const Answer& answer);
  void StartObserving(const Params& params, const Answer& answer);
  void StopObserving(const Params& params, const Answer& answer);

  using Observed = std::set<std::string>;
  static boost::asio::awaitable<Reply> Begin(SessionView session, std::string service,
                                             std::shared_ptr<Observed> observed);
  void OnLine(const boost::json::object& line) const;

  // Shared with replies under way. Names of services.
  std::shared_ptr<Observed> observed_ = std::make_shared<Observed>();
  std::uint64_t lines_ = 0;
};

}  // namespace vigil::control::devtools
