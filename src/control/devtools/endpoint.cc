#include "control/devtools/endpoint.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "control/devtools/connection.h"
#include "control/devtools/target_domain.h"
#include "host/host.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// What Chrome opens its own front end with.
constexpr const char* kFrontEnd = "devtools://devtools/bundled/devtools_app.html";

json::object DomainJson(std::string_view name, const std::vector<std::string_view>& commands) {
  json::array list;
  for (const std::string_view command : commands)
    list.emplace_back(json::object{{"name", json::string_view(command.data(), command.size())}});
  return json::object{{"domain", json::string_view(name.data(), name.size())}, {"commands", std::move(list)}};
}

// Those of an app, which has most.
json::array Domains(const SessionView& session) {
  json::array domains;
  for (const auto& [name, domain] : MakeDomains(session)) {
    domains.emplace_back(DomainJson(name, domain->Commands()));
  }
  std::vector<std::string_view> target_commands;
  for (const auto& [command, method] : TargetDomain::Table()) target_commands.push_back(command);
  domains.emplace_back(DomainJson("Target", target_commands));
  return domains;
}

RawBody Json(const json::value& value) {
  RawBody body;
  body.content_type = "application/json; charset=UTF-8";
  body.bytes = json::serialize(value);
  return body;
}

}  // namespace

std::string SocketAddress(const Target& target, const PanelAccess& access) {
  return fmt::format("{}/devtools/{}/{}{}{}", access.address,
                     target.type == Target::Type::kBrowser ? "browser" : "page", target.id,
                     access.token.empty() ? "" : "?token=", access.token);
}

// One tool's end, as the server holds it.
class Endpoint::Conversation final : public SocketHandler {
 public:
  explicit Conversation(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Conversation() override { connection_->Leave(); }
  void OnText(std::string text) override { connection_->OnText(text); }

 private:
  std::shared_ptr<Connection> connection_;
};

json::object Endpoint::Entry(const Target& target, const PanelAccess& access) const {
  const std::string address = SocketAddress(target, access);
  return json::object{{"description", ""},
                      {"devtoolsFrontendUrl", fmt::format("{}?ws={}", kFrontEnd, address)},
                      {"id", target.id},
                      {"title", target.title},
                      {"type", TypeName(target.type)},
                      {"url", target.url},
                      {"webSocketDebuggerUrl", "ws://" + address}};
}

json::object Endpoint::Version(const PanelAccess& access) const {
  return json::object{
      {"Browser", "Vigil/" + services_.version},
      {"Protocol-Version", "1.3"},
      {"User-Agent", fmt::format("Mozilla/5.0 (X11; Linux x86_64) Vigil/{}", services_.version)},
      {"webSocketDebuggerUrl", "ws://" + SocketAddress(targets_.browser(), access)}};
}

void Endpoint::AddRoutes(Router& router, SocketRoutes& sockets, std::function<PanelAccess()> access) {
  const auto list = [this, access](Request) -> asio::awaitable<Result<RawBody>> {
    json::array entries;
    for (const Target& target : targets_.List()) {
      if (target.type != Target::Type::kTab) entries.emplace_back(Entry(target, access()));
    }
    co_return Json(entries);
  };
  router.AddRaw("GET", "/json", list);
  router.AddRaw("GET", "/json/list", list);
  const auto version = [this, access](Request) -> asio::awaitable<Result<RawBody>> {
    co_return Json(Version(access()));
  };
  router.AddRaw("GET", "/json/version", version);
  router.AddRaw("GET", "/json/version/", version);  // Playwright's spelling
  router.AddRaw("GET", "/json/protocol", [this](Request) -> asio::awaitable<Result<RawBody>> {
    Target everything = Targets::App("");
    const SessionView session{services_, targets_, std::move(everything), nullptr,
                              [](std::string_view, json::object) {}};
    co_return Json(json::object{{"version", json::object{{"major", "1"}, {"minor", "3"}}},
                                {"domains", Domains(session)}});
  });
  using Handler = std::unique_ptr<SocketHandler>;
  const auto open = [this](const Request& request, std::shared_ptr<Socket> socket) -> Result<Handler> {
    const std::string& id = request.path_arguments.at("id");
    auto target = targets_.Find(id);
    if (!target) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("no target has the id {}; /json/list has those there are", id));
    }
    auto connection = std::make_shared<Connection>(services_, targets_, std::move(socket));
    VIGIL_TRY(connection->Open(std::move(*target)));
    return Handler(std::make_unique<Conversation>(std::move(connection)));
  };
  sockets.Add("/devtools/browser/{id}", open);
  sockets.Add("/devtools/page/{id}", open);
}

}  // namespace vigil::control::devtools
