#include "control/devtools/page_domain.h"

#include <boost/json/array.hpp>
#include <utility>

#include "control/devtools/targets.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;

const PageDomain::Methods& PageDomain::Table() {
  static const Methods table = {
      {"addScriptToEvaluateOnNewDocument", &PageDomain::AddScript},
      {"bringToFront", &PageDomain::Nothing},
      {"close", &PageDomain::Close},
      {"disable", &PageDomain::Nothing},
      {"enable", &PageDomain::Nothing},
      {"getAppId", &PageDomain::GetAppId},
      {"getAppManifest", &PageDomain::GetAppManifest},
      {"getFrameTree", &PageDomain::GetFrameTree},
      {"getInstallabilityErrors", &PageDomain::GetInstallabilityErrors},
      {"getNavigationHistory", &PageDomain::GetNavigationHistory},
      {"getResourceTree", &PageDomain::GetResourceTree},
      {"removeScriptToEvaluateOnNewDocument", &PageDomain::Nothing},
      {"setAdBlockingEnabled", &PageDomain::Nothing},
      {"setBypassCSP", &PageDomain::Nothing},
      {"setFontFamilies", &PageDomain::Nothing},
      {"setInterceptFileChooserDialog", &PageDomain::Nothing},
      {"setLifecycleEventsEnabled", &PageDomain::Nothing},
      {"setPrerenderingAllowed", &PageDomain::Nothing},
  };
  return table;
}

void PageDomain::Nothing(const Params&, const Answer& answer) { answer(json::object()); }

// Documents are loaded by Vigil, not by tools: nothing of it is run.
void PageDomain::AddScript(const Params&, const Answer& answer) { answer(json::object{{"identifier", "1"}}); }

std::optional<host::PageView> PageDomain::Page() const {
  if (session_.target.type != Target::Type::kPage) return std::nullopt;
  for (auto& page : session_.services.host.Pages()) {
    if (Targets::PageId(page.id) == session_.target.id) return std::move(page);
  }
  return std::nullopt;
}

std::optional<host::AppView> PageDomain::App() const {
  for (auto& app : session_.services.host.Apps()) {
    if (app.origin == session_.target.origin) return std::move(app);
  }
  return std::nullopt;
}

std::string PageDomain::Url() const {
  const auto page = Page();
  return page ? page->url : session_.target.url;
}

json::object PageDomain::Frame() const {
  return json::object{{"id", session_.target.id},
                      {"loaderId", session_.target.id},
                      {"url", Url()},
                      {"domainAndRegistry", ""},
                      {"securityOrigin", session_.target.origin},
                      {"mimeType", "text/html"},
                      {"adFrameStatus", json::object{{"adFrameType", "none"}}},
                      {"secureContextType", "Secure"},
                      {"crossOriginIsolatedContextType", "NotIsolated"},
                      {"gatedAPIFeatures", json::array()}};
}

void PageDomain::GetFrameTree(const Params&, const Answer& answer) {
  answer(json::object{{"frameTree", json::object{{"frame", Frame()}}}});
}

void PageDomain::GetResourceTree(const Params&, const Answer& answer) {
  answer(json::object{{"frameTree", json::object{{"frame", Frame()}, {"resources", json::array()}}}});
}

void PageDomain::GetNavigationHistory(const Params&, const Answer& answer) {
  const auto page = Page();
  json::object entry{{"id", 1},
                     {"url", Url()},
                     {"userTypedURL", Url()},
                     {"title", page ? page->title : session_.target.title},
                     {"transitionType", "typed"}};
  answer(json::object{{"currentIndex", 0}, {"entries", json::array{std::move(entry)}}});
}

void PageDomain::GetAppManifest(const Params&, const Answer& answer) {
  const auto app = App();
  json::object reply{{"url", app ? app->manifest_url : ""}, {"errors", json::array()}};
  if (app) reply["data"] = app->manifest_json;
  answer(std::move(reply));
}

void PageDomain::GetAppId(const Params&, const Answer& answer) {
  json::object reply;
  if (const auto app = App()) {
    reply["appId"] = app->id;
    reply["recommendedId"] = app->id;
  }
  answer(std::move(reply));
}

void PageDomain::GetInstallabilityErrors(const Params&, const Answer& answer) {
  answer(json::object{{"installabilityErrors", json::array()}});
}

void PageDomain::Close(const Params&, const Answer& answer) {
  const auto page = Page();
  if (!page) return answer(Refuse("No page is open here"));
  const auto close = [](host::Host& host, std::string id) -> asio::awaitable<Reply> {
    const auto closed = co_await host.ClosePage(std::move(id));
    if (!closed) co_return Refuse(closed.error().message);
    co_return json::object();
  };
  Spawn(close(session_.services.host, page->id), answer);
}

}  // namespace vigil::control::devtools
