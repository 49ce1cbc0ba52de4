#include "control/devtools/target_domain.h"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <utility>

#include "control/devtools/connection.h"
#include "host/host.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

tl::expected<TargetFilter, ProtocolError> FilterParam(const json::object& params) {
  const json::value* given = params.if_contains("filter");
  if (given == nullptr) return TargetFilter::Default();
  if (!given->is_array()) return RefuseParams("params.filter: array expected");
  TargetFilter filter;
  for (const json::value& value : given->get_array()) {
    if (!value.is_object()) return RefuseParams("params.filter: objects expected");
    auto type = OptionalStringParam(value.get_object(), "type");
    const auto exclude = OptionalBoolParam(value.get_object(), "exclude");
    if (!type) return tl::make_unexpected(type.error());
    if (!exclude) return tl::make_unexpected(exclude.error());
    filter.entries.push_back({std::move(*type), *exclude});
  }
  return filter;
}

tl::unexpected<ProtocolError> NoSuchTarget() { return Refuse("No target with given id found"); }

// Its page, or its worker.
asio::awaitable<Reply> Close(host::Host& host, Target target) {
  Result<> closed;
  if (target.type == Target::Type::kPage) {
    for (const auto& page : host.Pages()) {
      if (Targets::PageId(page.id) != target.id) continue;
      closed = co_await host.ClosePage(page.id);
      break;
    }
  } else if (target.type == Target::Type::kServiceWorker) {
    for (const auto& registration : host.Registrations()) {
      if (registration.id != target.registration_id) continue;
      const auto stopped = co_await host.StopWorker(registration.scope);
      if (!stopped) closed = Fail(stopped.error());
    }
  }
  if (!closed) co_return Refuse(closed.error().message);
  co_return json::object{{"success", true}};
}

asio::awaitable<Reply> Open(host::Host& host, std::string url) {
  host::PageOptions options;
  options.keep = true;
  const host::ConsoleSink silent = [](const host::ConsoleLine&) {};
  const auto opened = co_await host.OpenPage(std::move(url), std::move(options), silent);
  if (!opened) co_return Refuse(opened.error().message);
  co_return json::object{{"targetId", Targets::PageId(opened->page.id)}};
}

}  // namespace

bool TargetFilter::Admits(const Target& target) const {
  for (const Entry& entry : entries) {
    if (entry.type.empty() || entry.type == TypeName(target.type)) return !entry.exclude;
  }
  return false;
}

TargetDomain::TargetDomain(SessionView session, Connection& connection, std::string id)
    : DomainOf(std::move(session)), connection_(connection), id_(std::move(id)) {}

TargetDomain::~TargetDomain() {
  if (watcher_ != 0) session_.targets.Unwatch(watcher_);
}

const TargetDomain::Methods& TargetDomain::Table() {
  static const Methods table = {
      {"activateTarget", &TargetDomain::ActivateTarget},
      {"attachToBrowserTarget", &TargetDomain::AttachToBrowserTarget},
      {"attachToTarget", &TargetDomain::AttachToTarget},
      {"closeTarget", &TargetDomain::CloseTarget},
      {"createTarget", &TargetDomain::CreateTarget},
      {"detachFromTarget", &TargetDomain::DetachFromTarget},
      {"getBrowserContexts", &TargetDomain::GetBrowserContexts},
      {"getTargetInfo", &TargetDomain::GetTargetInfo},
      {"getTargets", &TargetDomain::GetTargets},
      {"setAutoAttach", &TargetDomain::SetAutoAttach},
      {"setDiscoverTargets", &TargetDomain::SetDiscoverTargets},
      {"setRemoteLocations", &TargetDomain::SetRemoteLocations},
  };
  return table;
}

json::object TargetDomain::Info(const Target& target) const {
  return TargetInfo(target, session_.targets.attached(target.id));
}

void TargetDomain::Emit(const char* event, const Target& target) const {
  session_.emit(event, json::object{{"targetInfo", Info(target)}});
}

void TargetDomain::Watch() {
  if (watcher_ != 0) return;
  Targets::Watcher watcher;
  watcher.created = [this](const Target& target) { OnCreated(target); };
  watcher.changed = [this](const Target& target) {
    if (discover_ && discover_->Admits(target)) Emit("Target.targetInfoChanged", target);
  };
  watcher.destroyed = [this](const Target& target) {
    if (discover_ && discover_->Admits(target))
      session_.emit("Target.targetDestroyed", json::object{{"targetId", target.id}});
  };
  watcher_ = session_.targets.Watch(std::move(watcher));
}

bool TargetDomain::IsRelated(const Target& target) const {
  if (!auto_attach_ || !auto_attach_->Admits(target)) return false;
  if (connection_.HasSessionAt(target.id, id_)) return false;
  switch (session_.target.type) {
    case Target::Type::kBrowser:
      return true;
    case Target::Type::kApp:
    case Target::Type::kPage:
      return target.type == Target::Type::kServiceWorker && target.origin == session_.target.origin;
    case Target::Type::kTab:
      return (target.type == Target::Type::kApp || target.type == Target::Type::kPage) &&
             Targets::Tab(target).id == session_.target.id;
    case Target::Type::kServiceWorker:
      return false;
  }
  return false;
}

void TargetDomain::OnCreated(const Target& target) {
  if (discover_ && discover_->Admits(target)) Emit("Target.targetCreated", target);
  if (IsRelated(target)) connection_.Attach(target, id_, wait_for_debugger_ && target.process != 0);
}

void TargetDomain::ActivateTarget(const json::object&, const Answer& answer) { answer(json::object()); }

void TargetDomain::AttachToBrowserTarget(const json::object&, const Answer& answer) {
  auto attached = connection_.Attach(session_.targets.browser(), id_, false);
  if (!attached) return answer(Refuse(attached.error().message));
  answer(json::object{{"sessionId", *attached}});
}

void TargetDomain::AttachToTarget(const json::object& params, const Answer& answer) {
  const auto id = StringParam(params, "targetId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  const auto flatten = OptionalBoolParam(params, "flatten");
  if (!flatten) return answer(tl::make_unexpected(flatten.error()));
  if (!*flatten) return answer(Refuse("Only flat sessions are supported: pass flatten: true"));
  const auto target = session_.targets.Find(*id);
  if (!target) return answer(NoSuchTarget());
  auto attached = connection_.Attach(*target, id_, false);
  if (!attached) return answer(Refuse(attached.error().message));
  answer(json::object{{"sessionId", *attached}});
}

void TargetDomain::DetachFromTarget(const json::object& params, const Answer& answer) {
  const auto id = StringParam(params, "sessionId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  // The session may be the one this is called in.
  boost::asio::post(session_.services.loop, [connection = connection_.weak_from_this(), id = *id, answer] {
    const auto self = connection.lock();
    if (!self) return;
    if (!self->Detach(id)) return answer(Refuse("No session with given id"));
    answer(json::object());
  });
}

void TargetDomain::CloseTarget(const json::object& params, const Answer& answer) {
  const auto id = StringParam(params, "targetId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  const auto target = session_.targets.Find(*id);
  if (!target) return answer(NoSuchTarget());
  if (target->process == 0)
    return answer(
        Refuse("An app is no open page; `vigil remove` removes it, `vigil serve` ends with SIGTERM"));
  Spawn(Close(session_.services.host, *target), answer);
}

void TargetDomain::CreateTarget(const json::object& params, const Answer& answer) {
  auto url = StringParam(params, "url");
  if (!url) return answer(tl::make_unexpected(url.error()));
  Spawn(Open(session_.services.host, std::move(*url)), answer);
}

void TargetDomain::GetBrowserContexts(const json::object&, const Answer& answer) {
  answer(json::object{{"browserContextIds", json::array()}, {"defaultBrowserContextId", kBrowserContextId}});
}

void TargetDomain::GetTargetInfo(const json::object& params, const Answer& answer) {
  const auto id = OptionalStringParam(params, "targetId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  const auto target = id->empty() ? std::optional<Target>(session_.target) : session_.targets.Find(*id);
  if (!target) return answer(NoSuchTarget());
  answer(json::object{{"targetInfo", Info(*target)}});
}

void TargetDomain::GetTargets(const json::object& params, const Answer& answer) {
  const auto filter = FilterParam(params);
  if (!filter) return answer(tl::make_unexpected(filter.error()));
  json::array infos;
  for (const Target& target : session_.targets.List()) {
    if (filter->Admits(target)) infos.push_back(Info(target));
  }
  answer(json::object{{"targetInfos", std::move(infos)}});
}

void TargetDomain::SetAutoAttach(const json::object& params, const Answer& answer) {
  const auto on = BoolParam(params, "autoAttach");
  const auto wait = BoolParam(params, "waitForDebuggerOnStart");
  const auto flatten = OptionalBoolParam(params, "flatten");
  auto filter = FilterParam(params);
  if (!on) return answer(tl::make_unexpected(on.error()));
  if (!wait) return answer(tl::make_unexpected(wait.error()));
  if (!flatten) return answer(tl::make_unexpected(flatten.error()));
  if (!filter) return answer(tl::make_unexpected(filter.error()));
  if (*on && !*flatten) return answer(Refuse("Only flat sessions are supported: pass flatten: true"));
  auto_attach_.reset();
  if (*on) auto_attach_ = std::move(*filter);
  wait_for_debugger_ = *wait;
  if (*on) {
    for (const Target& target : session_.targets.List()) {
      if (IsRelated(target)) connection_.Attach(target, id_, false);
    }
    Watch();
  }
  answer(json::object());
}

void TargetDomain::SetDiscoverTargets(const json::object& params, const Answer& answer) {
  const auto on = BoolParam(params, "discover");
  auto filter = FilterParam(params);
  if (!on) return answer(tl::make_unexpected(on.error()));
  if (!filter) return answer(tl::make_unexpected(filter.error()));
  const bool before = discover_.has_value();
  discover_.reset();
  if (*on) {
    discover_ = std::move(*filter);
    if (!before) {
      if (discover_->Admits(session_.targets.browser()))
        Emit("Target.targetCreated", session_.targets.browser());
      for (const Target& target : session_.targets.List()) {
        if (discover_->Admits(target)) Emit("Target.targetCreated", target);
      }
    }
    Watch();
  }
  answer(json::object());
}

// Where else targets may be looked for is a matter of the tool.
void TargetDomain::SetRemoteLocations(const json::object&, const Answer& answer) { answer(json::object()); }

}  // namespace vigil::control::devtools
