// Apps, pages and notifications: what their users see of them.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "control/api.h"
#include "control/json_view.h"
#include "control/log_feed.h"
#include "host/host.h"

namespace vigil::control {
namespace json = boost::json;
namespace {

template <class List>
json::array ToArray(const List& list) {
  json::array out;
  for (const auto& item : list) out.push_back(ToJson(item));
  return out;
}

json::object ToJson(const host::EvaluateOutcome& outcome) {
  json::object out;
  out["ok"] = outcome.ok;
  out["text"] = outcome.text;
  boost::system::error_code error;
  json::value value = outcome.json.empty() ? json::value() : json::parse(outcome.json, error);
  out["value"] = error ? json::value() : std::move(value);
  return out;
}

// The caller's lines stop when it hangs up; the page may live on.
host::ConsoleSink SinkFor(Caller& caller, std::shared_ptr<bool> open) {
  return [&caller, open = std::move(open)](const host::ConsoleLine& line) {
    if (*open) caller.Send(control::ToJson(line));
  };
}

}  // namespace

Api::Task Api::ListApps(Request, Caller&) { co_return json::value(ToArray(services_.host.Apps())); }

Api::Task Api::Install(Request request, Caller& caller) {
  auto url = RequiredString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  const auto open = std::make_shared<bool>(true);
  auto sink = SinkFor(caller, open);
  auto app = co_await services_.host.Install(*url, std::move(sink));
  *open = false;
  if (!app) co_return Fail(std::move(app).error());
  co_return json::value(control::ToJson(*app));
}

Api::Task Api::Remove(Request request, Caller&) {
  auto app = co_await services_.host.Remove(QueryValue(request, "url"));
  if (!app) co_return Fail(std::move(app).error());
  co_return json::value(control::ToJson(*app));
}

Api::Task Api::ListPages(Request, Caller&) { co_return json::value(ToArray(services_.host.Pages())); }

Api::Task Api::OpenPage(Request request, Caller& caller) {
  auto url = RequiredString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  auto script = OptionalString(request.body, "script");
  if (!script) co_return Fail(std::move(script).error());
  auto name = OptionalString(request.body, "script_name");
  if (!name) co_return Fail(std::move(name).error());
  const auto keep = OptionalBool(request.body, "keep");
  if (!keep) co_return Fail(keep.error());
  const auto launched = OptionalBool(request.body, "launched");
  if (!launched) co_return Fail(launched.error());
  const auto link = OptionalBool(request.body, "link");
  if (!link) co_return Fail(link.error());
  host::PageOptions options;
  options.keep = *keep;
  options.script = std::move(*script);
  options.script_name = std::move(*name);
  options.launched = *launched;
  options.link = *link;
  // A page that is not kept lives no longer than its caller: Ctrl-C closes it.
  const auto id = std::make_shared<std::string>();
  const auto close = [this, id] {
    if (id->empty()) return;
    boost::asio::co_spawn(
        services_.loop, [this, id] { return services_.host.ClosePage(*id); }, boost::asio::detached);
  };
  if (!options.keep) {
    options.opened = [id, close, &caller](const std::string& opened) {
      *id = opened;
      if (caller.gone()) close();
    };
    caller.OnGone(close);
  }
  const auto open = std::make_shared<bool>(true);
  auto sink = SinkFor(caller, open);
  auto page = co_await services_.host.OpenPage(*url, std::move(options), std::move(sink));
  *open = false;
  if (!page) co_return Fail(std::move(page).error());
  json::object out;
  out["page"] = control::ToJson(page->page);
  out["script"] = page->script ? json::value(ToJson(*page->script)) : json::value();
  co_return json::value(std::move(out));
}

Api::Task Api::Evaluate(Request request, Caller&) {
  auto code = RequiredString(request.body, "code");
  if (!code) co_return Fail(std::move(code).error());
  auto name = OptionalString(request.body, "name");
  if (!name) co_return Fail(std::move(name).error());
  auto outcome = co_await services_.host.EvaluateInPage(request.path_arguments["id"], *code, *name);
  if (!outcome) co_return Fail(std::move(outcome).error());
  co_return json::value(ToJson(*outcome));
}

Api::Task Api::Input(Request request, Caller&) {
  auto kind = RequiredString(request.body, "kind");
  if (!kind) co_return Fail(std::move(kind).error());
  auto done = co_await services_.host.InputToPage(request.path_arguments["id"], *kind);
  if (!done) co_return Fail(std::move(done).error());
  json::object out;
  out["earned"] = *done;
  co_return json::value(std::move(out));
}

Api::Task Api::ClosePage(Request request, Caller&) {
  auto closed = co_await services_.host.ClosePage(request.path_arguments["id"]);
  if (!closed) co_return Fail(std::move(closed).error());
  json::object out;
  out["id"] = request.path_arguments["id"];
  co_return json::value(std::move(out));
}

Api::Task Api::ListNotifications(Request request, Caller&) {
  auto notifications = services_.host.Notifications(QueryValue(request, "url"));
  if (!notifications) co_return Fail(std::move(notifications).error());
  co_return json::value(ToArray(*notifications));
}

Api::Task Api::ClickNotification(Request request, Caller&) {
  auto action = OptionalString(request.body, "action");
  if (!action) co_return Fail(std::move(action).error());
  auto outcome = co_await services_.host.ClickNotification(request.path_arguments["id"], *action);
  if (!outcome) co_return Fail(std::move(outcome).error());
  co_return json::value(control::ToJson(*outcome));
}

Api::Task Api::CloseNotification(Request request, Caller&) {
  auto outcome = co_await services_.host.CloseNotification(request.path_arguments["id"]);
  if (!outcome) co_return Fail(std::move(outcome).error());
  co_return json::value(control::ToJson(*outcome));
}

}  // namespace vigil::control
