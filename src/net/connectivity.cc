#include "net/connectivity.h"

#include <utility>
#include <vector>

namespace vigil::net {

struct ConnectivityObserver::Handlers {
  std::map<std::uint64_t, Handler> by_id;
  std::uint64_t next_id = 1;
};

ConnectivityObserver::ConnectivityObserver() : handlers_(std::make_shared<Handlers>()) {}
ConnectivityObserver::~ConnectivityObserver() = default;

ConnectivityObserver::Subscription ConnectivityObserver::OnChange(Handler handler) {
  struct Token {
    std::weak_ptr<Handlers> handlers;
    std::uint64_t id;
    ~Token() {
      if (const auto alive = handlers.lock()) alive->by_id.erase(id);
    }
  };
  auto token = std::make_shared<Token>();
  token->id = handlers_->next_id++;
  token->handlers = handlers_;
  handlers_->by_id.emplace(token->id, std::move(handler));
  return Subscription(std::move(token));
}

void ConnectivityObserver::Update(NetworkState state) {
  if (state == state_) return;
  state_ = std::move(state);
  // A handler may add or drop handlers, change the state again, or destroy this observer.
  const std::shared_ptr<Handlers> handlers = handlers_;
  const NetworkState told = state_;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, handler] : handlers->by_id) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto found = handlers->by_id.find(id);
    if (found == handlers->by_id.end()) continue;
    const Handler handler = found->second;
    handler(told);
  }
}

void ManualConnectivity::Set(bool online, std::string network_id) {
  NetworkState state;
  state.online = online;
  state.type = online ? "unknown" : "none";
  if (online) state.network_id = std::move(network_id);
  Update(std::move(state));
}

SwitchableConnectivity::SwitchableConnectivity(std::unique_ptr<ConnectivityObserver> source)
    : source_(std::move(source)) {
  subscription_ = source_->OnChange([this](const NetworkState&) { Refresh(); });
  Refresh();
}

void SwitchableConnectivity::SetMode(Mode mode) {
  mode_ = mode;
  Refresh();
}

void SwitchableConnectivity::Refresh() {
  NetworkState state = source_->current();
  if (mode_ == Mode::kOffline) {
    state = NetworkState{};
    state.type = "none";
  } else if (mode_ == Mode::kOnline && !state.online) {
    state = NetworkState{};
    state.online = true;
    state.network_id = "manual";
  }
  Update(std::move(state));
}

}  // namespace vigil::net
