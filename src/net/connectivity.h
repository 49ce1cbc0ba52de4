// Is the machine on a network, and on which one? The only source of that answer for the engine, for fetches
// and for navigator.onLine. Event-loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace vigil::net {

struct NetworkState {
  bool online = false;
  // Which network it is: the hardware address of the default gateway ("gw:00:11:22:33:44:55"), or the name a
  // manual source gives. Empty: online, but which one cannot be told (yet); it may become known in a later
  // change.
  std::string network_id;
  std::string interface_name;    // "wlan0"; empty when offline or manual
  std::string type = "unknown";  // NetworkInformation.type: ethernet wifi cellular other none unknown
  bool metered = false;
  friend bool operator==(const NetworkState&, const NetworkState&) = default;
};

// Delivers the state and its changes. A handler is called once per change of any field, after current() shows
// it, never from inside OnChange, and may add or drop subscriptions.
class ConnectivityObserver {
 public:
  using Handler = std::function<void(const NetworkState&)>;
  // Ends the subscription when it goes. May outlive the observer.
  class Subscription {
   public:
    Subscription() = default;
    explicit Subscription(std::shared_ptr<void> token) : token_(std::move(token)) {}

   private:
    std::shared_ptr<void> token_;
  };

  ConnectivityObserver();
  virtual ~ConnectivityObserver();
  ConnectivityObserver(const ConnectivityObserver&) = delete;
  ConnectivityObserver& operator=(const ConnectivityObserver&) = delete;

  const NetworkState& current() const { return state_; }
  [[nodiscard]] Subscription OnChange(Handler handler);

 protected:
  // Tells the handlers if anything differs.
  void Update(NetworkState state);

 private:
  struct Handlers;
  NetworkState state_;
  std::shared_ptr<Handlers> handlers_;
};

// Set by hand: tests, `vigil serve --network manual`, `vigil network online|offline`.
class ManualConnectivity : public ConnectivityObserver {
 public:
  explicit ManualConnectivity(bool online = true) { Set(online); }
  void Set(bool online, std::string network_id = "manual");
  void SetState(NetworkState state) { Update(std::move(state)); }
};

// Follows another observer until somebody says otherwise: `vigil network online|offline|auto`.
class SwitchableConnectivity : public ConnectivityObserver {
 public:
  enum class Mode { kAuto, kOnline, kOffline };
  // `source` is what kAuto follows.
  explicit SwitchableConnectivity(std::unique_ptr<ConnectivityObserver> source);
  // kOnline keeps the source's network identity when it has one ("manual" otherwise).
  void SetMode(Mode mode);
  Mode mode() const { return mode_; }
  ConnectivityObserver& source() { return *source_; }

 private:
  void Refresh();

  std::unique_ptr<ConnectivityObserver> source_;
  Mode mode_ = Mode::kAuto;
  Subscription subscription_;
};

}  // namespace vigil::net
