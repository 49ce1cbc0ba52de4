// Navigation preload (Service Workers §3.5, "Handle Fetch"): the request that is made while a service worker
// starts, and how its response reaches the fetch event. Event-loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/body.h"
#include "host/context.h"

namespace vigil::host {

class NavigationPreload : public std::enable_shared_from_this<NavigationPreload> {
 public:
  // The navigation's own request, and the value of Service-Worker-Navigation-Preload.
  static std::shared_ptr<NavigationPreload> Start(HostContext& context, ipc::HttpRequest request,
                                                  const std::string& header_value);
  ~NavigationPreload();
  NavigationPreload(const NavigationPreload&) = delete;
  NavigationPreload& operator=(const NavigationPreload&) = delete;

  // The event is on its way to that process: the response follows it. Once.
  void DeliverTo(WorkerProcess& process, std::uint64_t event_id);

 private:
  explicit NavigationPreload(HostContext& context) : context_(context) {}
  void OnHead(ipc::HttpResponse head, bool has_body);
  void MaybeDeliver();

  HostContext& context_;
  std::shared_ptr<FetchBody> body_;  // until it is handed on
  std::optional<ipc::HttpResponse> head_;
  bool has_body_ = false;
  std::weak_ptr<WorkerProcess> process_;
  std::uint64_t event_id_ = 0;
};

}  // namespace vigil::host
