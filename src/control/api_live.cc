// WebSocket /v1/live: all that a panel shows, for as long as its caller stays. Each message is a JSON object:
//
//   state      the sections that differ from what this caller last got: status, apps, workers, syncs, pages,
//              permissions, engagement, notifications, recording
//   event, console, report, run, recording     as they happen (log_feed.h)
//
// What the caller says is not listened to.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "base/utf8.h"
#include "control/api.h"
#include "control/changes.h"
#include "control/log_feed.h"

namespace vigil::control {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

using Clock = std::chrono::steady_clock;  // real time, whatever the daemon's clock

// What nobody tells of (a worker that went idle) is seen this late.
constexpr std::chrono::milliseconds kLongestLook(1000);
// A burst of changes is looked at once; and looking takes no more than a part of the daemon's time.
constexpr std::chrono::milliseconds kShortestLook(100);
constexpr int kShareOfTime = 20;

// The calls that are looked at answer at once and ask nothing of their caller.
struct Nobody final : Caller {
  void Send(json::object) override {}
  bool gone() const override { return false; }
  void OnGone(std::function<void()>) override {}
};

}  // namespace

// One caller, shared by its conversation and the coroutine that looks around for it.
struct Api::Watch {
  Watch(asio::io_context& loop, std::shared_ptr<Socket> peer) : bell(loop), socket(std::move(peer)) {}

  asio::steady_timer bell;
  std::shared_ptr<Socket> socket;
  bool changed = true;
  bool gone = false;
  std::map<std::string, std::string> seen;  // section → its text

  void Ring() {
    changed = true;
    bell.cancel();
  }
  // What a damaged file holds need not be UTF-8; JSON must be.
  void Send(const json::object& line) const { socket->Send(ToUtf8(json::serialize(line))); }
  // Keeps the section's value when it is not what was seen before.
  void Look(json::object& state, const char* section, Router::Reply now) {
    if (!now) return;
    std::string text = json::serialize(*now);
    std::string& before = seen[section];
    if (before == text) return;
    before = std::move(text);
    state[section] = std::move(*now);
  }
  // Until something may have changed, and no sooner than `least` from here.
  asio::awaitable<void> Rest(Clock::duration least) {
    boost::system::error_code error;
    bell.expires_after(std::max<Clock::duration>(least, kShortestLook));
    while (!gone && bell.expiry() > Clock::now())
      co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (changed || gone) co_return;
    bell.expires_after(kLongestLook);
    co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
};

class Api::LiveSocket final : public SocketHandler {
 public:
  LiveSocket(const Services& services, std::shared_ptr<Watch> watch)
      : services_(services), watch_(std::move(watch)) {
    changes_ = services_.changes.Listen([watch = watch_] { watch->Ring(); });
    lines_ = services_.feed.Listen([watch = watch_](const json::object& line) {
      watch->Send(line);
      watch->Ring();
    });
  }
  ~LiveSocket() override {
    services_.feed.Unlisten(lines_);
    services_.changes.Unlisten(changes_);
    watch_->gone = true;
    watch_->bell.cancel();
  }
  void OnText(std::string) override {}

 private:
  const Services& services_;
  std::shared_ptr<Watch> watch_;
  std::uint64_t changes_ = 0;
  std::uint64_t lines_ = 0;
};

void Api::AddLive() {
  using Handler = std::unique_ptr<SocketHandler>;
  sockets_.Add("/v1/live", [this](const Request&, std::shared_ptr<Socket> socket) -> Result<Handler> {
    const auto watch = std::make_shared<Watch>(services_.loop, std::move(socket));
    asio::co_spawn(
        services_.loop, [this, watch] { return Follow(watch); }, asio::detached);
    return Handler(std::make_unique<LiveSocket>(services_, watch));
  });
}

asio::awaitable<void> Api::LookAround(Watch& watch) {
  static constexpr std::pair<const char*, Method> kSections[] = {
      {"status", &Api::Status},
      {"apps", &Api::ListApps},
      {"workers", &Api::ListWorkers},
      {"syncs", &Api::ListSyncs},
      {"pages", &Api::ListPages},
      {"permissions", &Api::GetPermissions},
      {"engagement", &Api::GetEngagement},
      {"notifications", &Api::ListNotifications},
      {"recording", &Api::GetRecord},
  };
  watch.changed = false;
  Nobody nobody;
  json::object state;
  for (const auto& [name, method] : kSections) {
    Request everything;
    auto now = co_await (this->*method)(std::move(everything), nobody);
    watch.Look(state, name, std::move(now));
  }
  if (state.empty() || watch.gone) co_return;
  state["type"] = "state";
  watch.Send(state);
}

asio::awaitable<void> Api::Follow(std::shared_ptr<Watch> watch) {
  while (!watch->gone) {
    const auto begun = Clock::now();
    co_await LookAround(*watch);
    const auto least = (Clock::now() - begun) * kShareOfTime;
    co_await watch->Rest(least);
  }
}

}  // namespace vigil::control
