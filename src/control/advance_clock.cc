#include "control/advance_clock.h"

#include <string>
#include <utility>

#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::control {

boost::asio::awaitable<Result<>> AdvanceClock(const Services& services, Duration by,
                                              std::function<void(const Now&)> moved) {
  host::VirtualClock* clock = services.virtual_clock;
  if (clock == nullptr) {
    co_return Fail(
        ErrorCode::kUnavailable,
        "this daemon follows the real clock; start it with `vigil serve --clock virtual` to advance time");
  }
  const auto store = [&stores = services.stores, target = clock->now().wall + by] {
    return stores.settings.Set(kVirtualWallSetting, std::to_string(target.time_since_epoch().count()));
  };
  auto stored = co_await services.storage.Run(store);
  if (!stored) co_return Fail(std::move(stored).error());
  co_return co_await clock->Advance(by, std::move(moved));
}

}  // namespace vigil::control
