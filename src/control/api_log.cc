// The log: what was recorded, what is happening, and what is being recorded.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <utility>

#include "control/api.h"
#include "control/json_view.h"
#include "control/log_feed.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/waiter.h"
#include "store/stores.h"

namespace vigil::control {
namespace json = boost::json;
namespace {

constexpr std::size_t kDefaultLines = 1000;
constexpr std::size_t kMostLines = 100'000;
// Of recorded events in one answer; JSON may make six bytes of one. What is followed is queued whole.
constexpr std::size_t kAnswerBytes = std::size_t{8} << 20;
constexpr std::size_t kFollowBytes = std::size_t{1} << 20;

// What a caller of GET /v1/log wants to see.
struct LogWish {
  std::string origin;  // empty: all
  std::optional<store::Service> service;
  bool console = false;
  bool runs = false;
  bool follow = false;
  std::size_t lines = kDefaultLines;

  bool Wants(const json::object& line) const {
    const auto& type = line.at("type").as_string();
    if ((type == "run" && !runs) || (type == "console" && !console)) return false;
    if (type == "recording")
      return !service || line.at("service").as_string() == store::ServiceName(*service);
    if (service && (type != "event" || line.at("service").as_string() != store::ServiceName(*service)))
      return false;
    return origin.empty() || line.at("origin").as_string() == json::string_view(origin);
  }
};

Result<std::optional<store::Service>> ServiceArgument(const std::string& name) {
  if (name.empty()) return std::optional<store::Service>();
  if (const auto service = store::ServiceFromName(name)) return std::optional<store::Service>(service);
  std::string names;
  for (const auto known : store::kServices)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", store::ServiceName(known));
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no service \"{}\" to record: choose {}", name, names));
}

Result<std::size_t> LinesArgument(const std::string& text) {
  if (text.empty()) return kDefaultLines;
  std::size_t lines = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), lines);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || lines == 0 || lines > kMostLines)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("\"lines\" must be a number from 1 to {}", kMostLines));
  return lines;
}

std::vector<store::Service> Chosen(std::optional<store::Service> service) {
  if (service) return std::vector<store::Service>(1, *service);
  return std::vector<store::Service>(store::kServices.begin(), store::kServices.end());
}

// The youngest of both, by time.
std::vector<json::object> Merge(std::vector<json::object> lines,
                                const std::vector<store::LoggedEvent>& events, std::size_t most) {
  for (const auto& event : events) lines.push_back(LogFeed::EventLine(event));
  std::stable_sort(lines.begin(), lines.end(), [](const json::object& a, const json::object& b) {
    return a.at("at_us").as_int64() < b.at("at_us").as_int64();
  });
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

Result<LogWish> WishOf(const Request& request, const host::Host& host) {
  LogWish wish;
  if (const std::string url = QueryValue(request, "url"); !url.empty()) {
    VIGIL_ASSIGN(wish.origin, host.FindOrigin(url));
  }
  VIGIL_ASSIGN(wish.service, ServiceArgument(QueryValue(request, "service")));
  VIGIL_ASSIGN(wish.lines, LinesArgument(QueryValue(request, "lines")));
  wish.follow = QueryValue(request, "follow") == "1";
  wish.console = QueryValue(request, "console") == "1";
  wish.runs = QueryValue(request, "runs") == "1";
  return wish;
}

store::EventFilter FilterOf(const LogWish& wish) {
  store::EventFilter filter;
  filter.origin = wish.origin;
  filter.service = wish.service;
  filter.limit = wish.lines;
  filter.max_bytes = wish.follow ? kFollowBytes : kAnswerBytes;
  return filter;
}

}  // namespace

Api::Task Api::Log(Request request, Caller& caller) {
  auto asked = WishOf(request, services_.host);
  if (!asked) co_return Fail(std::move(asked).error());
  const LogWish wish = *asked;

  // What comes while the stored events are read waits behind them.
  std::vector<json::object> meanwhile;
  bool live = false;
  const std::uint64_t listener = !wish.follow ? 0 : services_.feed.Listen([&](const json::object& line) {
    if (!wish.Wants(line)) return;
    if (live) {
      caller.Send(line);
    } else {
      meanwhile.push_back(line);
    }
  });
  std::vector<json::object> lines;
  for (const auto& line : services_.feed.kept()) {
    if (wish.Wants(line)) lines.push_back(line);
  }
  const auto query = [&stores = services_.stores, filter = FilterOf(wish)] {
    return stores.events.Query(filter);
  };
  auto events = co_await services_.storage.Run(query);
  if (!events) {
    services_.feed.Unlisten(listener);
    co_return Fail(std::move(events).error());
  }
  const std::uint64_t last_id = events->empty() ? 0 : events->back().id;
  lines = Merge(std::move(lines), *events, wish.lines);
  if (!wish.follow) {
    json::array out;
    for (auto& line : lines) out.push_back(std::move(line));
    co_return json::value(std::move(out));
  }
  for (auto& line : lines) caller.Send(std::move(line));
  for (auto& line : meanwhile) {
    if (line.at("type") == "event" && line.at("id").to_number<std::uint64_t>() <= last_id) continue;
    caller.Send(std::move(line));
  }
  live = true;
  json::object ready;
  ready["type"] = "following";
  caller.Send(std::move(ready));
  host::Waiter<bool> left(services_.loop.get_executor());
  caller.OnGone([left] { left.Set(true); });
  co_await left.Get();
  services_.feed.Unlisten(listener);
  co_return json::value(json::object());
}

Api::Task Api::ClearLog(Request request, Caller&) {
  const auto service = ServiceArgument(QueryValue(request, "service"));
  if (!service) co_return Fail(service.error());
  const auto clear = [&stores = services_.stores, chosen = Chosen(*service)]() -> Result<> {
    for (const auto one : chosen) VIGIL_TRY(stores.events.Clear(one));
    return {};
  };
  auto cleared = co_await services_.storage.Run(clear);
  if (!cleared) co_return Fail(std::move(cleared).error());
  co_return json::value(json::object());
}

Api::Task Api::Recordings() {
  const auto read = [&stores = services_.stores, now = services_.clock.now().wall] {
    return stores.events.Recordings(now);
  };
  auto recordings = co_await services_.storage.Run(read);
  if (!recordings) co_return Fail(std::move(recordings).error());
  json::object out;
  bool any = false;
  json::object services;
  for (const auto& recording : *recordings) {
    json::object service;
    service["on"] = recording.until.has_value();
    SetTime(service, "until", recording.until);
    any = any || recording.until.has_value();
    services[store::ServiceName(recording.service)] = std::move(service);
  }
  out["on"] = any;
  out["services"] = std::move(services);
  co_return json::value(std::move(out));
}

Api::Task Api::GetRecord(Request, Caller&) { return Recordings(); }

Api::Task Api::SetRecord(Request request, Caller&) {
  const auto on = OptionalBool(request.body, "on");
  if (!on) co_return Fail(on.error());
  auto name = OptionalString(request.body, "service");
  if (!name) co_return Fail(std::move(name).error());
  const auto service = ServiceArgument(*name);
  if (!service) co_return Fail(service.error());
  using Set = Result<std::vector<store::Recording>>;
  const auto write = [&stores = services_.stores, on = *on, now = services_.clock.now().wall,
                      chosen = Chosen(*service)]() -> Set {
    std::vector<store::Recording> recordings;
    for (const auto one : chosen) {
      VIGIL_ASSIGN(const auto recording, stores.events.SetRecording(one, on, now));
      recordings.push_back(recording);
    }
    return recordings;
  };
  auto written = co_await services_.storage.Run(write);
  if (!written) co_return Fail(std::move(written).error());
  for (const auto& recording : *written) services_.feed.Recording(recording);
  co_return co_await Recordings();
}

}  // namespace vigil::control
