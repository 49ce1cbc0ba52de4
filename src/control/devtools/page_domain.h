// Page: the one frame of an app or page, its manifest, and where it goes.
#pragma once

#include <optional>

#include "control/devtools/domain.h"
#include "host/host.h"

namespace vigil::control::devtools {

class PageDomain final : public DomainOf<PageDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void AddScript(const Params& params, const Answer& answer);
  void Close(const Params& params, const Answer& answer);
  void GetAppId(const Params& params, const Answer& answer);
  void GetAppManifest(const Params& params, const Answer& answer);
  void GetFrameTree(const Params& params, const Answer& answer);
  void GetInstallabilityErrors(const Params& params, const Answer& answer);
  void GetNavigationHistory(const Params& params, const Answer& answer);
  void GetResourceTree(const Params& params, const Answer& answer);
  void Nothing(const Params& params, const Answer& answer);

  // The page as it is now; none: it is no open page, or has closed.
  std::optional<host::PageView> Page() const;
  std::optional<host::AppView> App() const;
  std::string Url() const;
  boost::json::object Frame() const;
};

}  // namespace vigil::control::devtools
