#include "host/navigation_preload.h"

#include <utility>

#include "host/fetch_client.h"
#include "net/url.h"

namespace vigil::host {
namespace {

// What a script may see of it: nothing of where a redirect leads, and no cookies.
void Filter(ipc::HttpResponse& head) {
  if (head.type() == ipc::HttpResponse::OPAQUE_REDIRECT) {
    head.set_status(0);
    head.clear_status_text();
    head.clear_headers();
  }
  auto* headers = head.mutable_headers();
  for (int i = headers->size() - 1; i >= 0; --i) {
    const std::string& name = headers->Get(i).name();
    if (name == "set-cookie" || name == "set-cookie2") headers->DeleteSubrange(i, 1);
  }
}
}  // namespace

std::shared_ptr<NavigationPreload> NavigationPreload::Start(HostContext& context, ipc::HttpRequest request,
                                                            const std::string& header_value) {
  auto* header = request.add_headers();
  header->set_name("Service-Worker-Navigation-Preload");
  header->set_value(header_value);
  const net::FetchClient client = NavigationClient(request.url());
  std::shared_ptr<NavigationPreload> preload(new NavigationPreload(context));
  std::weak_ptr<NavigationPreload> weak = preload;
  auto on_head = [weak](ipc::HttpResponse head, const std::shared_ptr<FetchBody>& body) {
    if (auto self = weak.lock()) self->OnHead(std::move(head), body != nullptr);
  };
  preload->body_ = FetchBody::Fetch(context.deps.fetcher, client, std::move(request), std::move(on_head));
  return preload;
}

NavigationPreload::~NavigationPreload() {
  if (body_) body_->Cancel();
}

void NavigationPreload::DeliverTo(WorkerProcess& process, std::uint64_t event_id) {
  process_ = process.weak_from_this();
  event_id_ = event_id;
  MaybeDeliver();
}

void NavigationPreload::OnHead(ipc::HttpResponse head, bool has_body) {
  Filter(head);
  head_ = std::move(head);
  has_body_ = has_body;
  MaybeDeliver();
}

void NavigationPreload::MaybeDeliver() {
  auto process = process_.lock();
  if (!process || !head_) return;
  ipc::ToWorker message;
  auto* preload = message.mutable_preload_response();
  preload->set_event_id(event_id_);
  *preload->mutable_response() = *std::exchange(head_, std::nullopt);
  if (has_body_) {
    auto body = std::exchange(body_, nullptr);
    preload->mutable_response()->mutable_body()->set_stream(
        PumpTo(*process, std::move(body), context_.executor));
  }
  process->Send(std::move(message));
}

}  // namespace vigil::host
