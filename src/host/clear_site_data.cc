#include "host/clear_site_data.h"

#include <boost/asio/post.hpp>
#include <string_view>

#include "host/jobs.h"
#include "host/local_storage.h"
#include "host/script_storage.h"
#include "net/fetch_headers.h"
#include "net/fetcher.h"

namespace vigil::host {
namespace asio = boost::asio;

void ClearSiteData(HostContext& context, const std::string& origin, const ipc::HttpResponse& head) {
  if (head.type() != ipc::HttpResponse::BASIC) return;
  const std::string order = net::HeaderValue(head, "clear-site-data");
  if (order.empty()) return;
  const auto orders = [&](std::string_view what) {
    return order.find(what) != std::string::npos || order.find("\"*\"") != std::string::npos;
  };
  if (orders("\"storage\"")) {
    context.jobs->RemoveAll(origin);
    context.Spawn([](HostContext& host, std::string of) -> asio::awaitable<void> {
      auto local = co_await host.local_storage->Clear(of);
      auto scripts = co_await host.storage->Clear(of);
      if (!local || !scripts)
        host.Report(of, 0, "its storage could not be cleared as Clear-Site-Data orders");
    }(context, origin));
  }
  // A fetch is under way in there.
  if (orders("\"cookies\"")) {
    asio::post(context.executor, [host = &context, origin] { host->deps.fetcher.ClearOrigin(origin); });
  }
}

}  // namespace vigil::host
