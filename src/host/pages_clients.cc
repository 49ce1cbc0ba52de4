// Pages as clients: how they are found, what is shown of them, who controls them.
#include <algorithm>
#include <utility>

#include "host/lifecycle.h"
#include "host/pages.h"
#include "host/registry.h"

namespace vigil::host {

std::shared_ptr<Page> Pages::ById(const std::string& client_id) const {
  auto found = pages_.find(client_id);
  return found == pages_.end() ? nullptr : found->second;
}

std::shared_ptr<Page> Pages::InWindow(const std::string& id) const {
  if (auto page = ById(id)) return page;
  for (const auto& [client_id, page] : pages_) {
    if (page->window == id) return page;
  }
  return nullptr;
}

std::vector<std::shared_ptr<Page>> Pages::OfOrigin(const std::string& origin) const {
  std::vector<std::shared_ptr<Page>> pages;
  for (const auto& [id, page] : pages_) {
    if (origin.empty() || page->origin == origin) pages.push_back(page);
  }
  std::sort(pages.begin(), pages.end(), [](const auto& a, const auto& b) { return a->opened < b->opened; });
  return pages;
}

PageView Pages::View(const Page& page) const {
  PageView view;
  view.id = page.id;
  view.url = page.url;
  view.title = page.title;
  view.origin = page.origin;
  view.manifest_url = page.manifest_url;
  view.controller_version_id = page.controller ? page.controller->id : 0;
  view.pid = page.process ? page.process->pid() : 0;
  view.kept = page.kept;
  return view;
}

ipc::ClientInfo Pages::ClientInfo(const Page& page) const {
  ipc::ClientInfo info;
  info.set_id(page.id);
  info.set_url(page.url);
  info.set_type("window");
  info.set_frame_type("top-level");
  info.set_focused(false);
  info.set_visible(page.visible);
  return info;
}

// ----------------------------------------------------------------------------------------------------
// control
int Pages::CountControlledBy(const Version& version) const {
  int count = 0;
  for (const auto& [id, page] : pages_) count += page->controller.get() == &version ? 1 : 0;
  return count;
}

void Pages::SetController(const std::shared_ptr<Page>& page, const std::shared_ptr<Version>& version,
                          const Registration& registration) {
  auto previous = std::exchange(page->controller, version);
  if (!page->process) return;
  ipc::ToWorker message;
  auto* change = message.mutable_controller();
  *change->mutable_registration() = Registry::Info(registration);
  change->set_controller_version_id(version ? version->id : 0);
  page->process->Send(std::move(message));
  if (previous && previous != version) context_.lifecycle->ClientGone(previous);
}

void Pages::ReplaceController(const std::shared_ptr<Version>& previous, const std::shared_ptr<Version>& next,
                              const Registration& registration) {
  for (const auto& page : OfOrigin(previous->origin)) {
    if (page->controller == previous) SetController(page, next, registration);
  }
}

void Pages::Claim(const std::shared_ptr<Version>& version, const Registration& registration) {
  for (const auto& page : OfOrigin(version->origin)) {
    auto match = context_.registry->Match(page->url);
    if (match && match->id == registration.id && page->controller != version) {
      SetController(page, version, registration);
    }
  }
}

}  // namespace vigil::host
