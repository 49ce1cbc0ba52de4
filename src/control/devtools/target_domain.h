// Target: which targets there are, and sessions at them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/devtools/domain.h"
#include "control/devtools/targets.h"

namespace vigil::control::devtools {

class Connection;

// Which types of targets a tool asks for: the first entry that fits counts; none: not asked for.
struct TargetFilter {
  struct Entry {
    std::string type;  // empty: every
    bool exclude = false;
  };
  std::vector<Entry> entries;

  bool Admits(const Target& target) const;
  // All but browsers and tabs.
  static TargetFilter Default() { return {{{"browser", true}, {"tab", true}, {"", false}}}; }
};

class TargetDomain final : public DomainOf<TargetDomain> {
 public:
  // The connection outlives it. id: of the session.
  TargetDomain(SessionView session, Connection& connection, std::string id);
  ~TargetDomain() override;

  static const Methods& Table();

 private:
  void ActivateTarget(const boost::json::object& params, const Answer& answer);
  void AttachToBrowserTarget(const boost::json::object& params, const Answer& answer);
  void AttachToTarget(const boost::json::object& params, const Answer& answer);
  void CloseTarget(const boost::json::object& params, const Answer& answer);
  void CreateTarget(const boost::json::object& params, const Answer& answer);
  void DetachFromTarget(const boost::json::object& params, const Answer& answer);
  void GetBrowserContexts(const boost::json::object& params, const Answer& answer);
  void GetTargetInfo(const boost::json::object& params, const Answer& answer);
  void GetTargets(const boost::json::object& params, const Answer& answer);
  void SetAutoAttach(const boost::json::object& params, const Answer& answer);
  void SetDiscoverTargets(const boost::json::object& params, const Answer& answer);
  void SetRemoteLocations(const boost::json::object& params, const Answer& answer);

  void Watch();
  void OnCreated(const Target& target);
  // A target that this session's auto-attaching is about.
  bool IsRelated(const Target& target) const;
  boost::json::object Info(const Target& target) const;
  void Emit(const char* event, const Target& target) const;

  Connection& connection_;
  const std::string id_;
  std::uint64_t watcher_ = 0;
  std::optional<TargetFilter> discover_;
  std::optional<TargetFilter> auto_attach_;
  bool wait_for_debugger_ = false;
};

}  // namespace vigil::control::devtools
