#include "control/clear_origin.h"

#include "control/policy_service.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "net/fetcher.h"
#include "store/stores.h"

namespace vigil::control {

boost::asio::awaitable<Result<>> ClearOrigin(const Services& services, std::string origin) {
  auto cleared = co_await services.host.ClearOrigin(origin);
  if (!cleared) co_return cleared;
  services.policy.ForgetOrigin(origin);
  services.fetcher.ClearOrigin(origin);
  const auto forget = [&stores = services.stores, origin] { return stores.ClearOrigin(origin); };
  co_return co_await services.storage.Run(forget);
}

}  // namespace vigil::control
