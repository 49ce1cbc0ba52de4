// Tells those who watch that something may look different from what they last saw. Event-loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

namespace vigil::control {

class Changes {
 public:
  using Listener = std::function<void()>;
  // Told at once, so let it only take note. A listener may leave while it is told.
  std::uint64_t Listen(Listener listener) {
    listeners_.emplace(next_, std::move(listener));
    return next_++;
  }
  void Unlisten(std::uint64_t id) { listeners_.erase(id); }

  void Note() {
    const auto listeners = listeners_;
    for (const auto& [id, listener] : listeners) listener();
  }

 private:
  std::map<std::uint64_t, Listener> listeners_;
  std::uint64_t next_ = 1;
};

}  // namespace vigil::control
