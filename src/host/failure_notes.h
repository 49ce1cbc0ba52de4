// Why the last run of a registration failed, in words, for as long as that is of interest: until it runs
// well, and for the newest of them. Not stored: the event log is for that.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "vigil/registration.h"

namespace vigil::host {

class FailureNotes {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kMaxText = 500;

  void Note(const RegistrationKey& key, const std::string& text);
  void Forget(const RegistrationKey& key) { notes_.erase(key); }
  // Empty: nothing is known.
  std::string Find(const RegistrationKey& key) const;

 private:
  std::map<RegistrationKey, std::string> notes_;
  std::deque<RegistrationKey> order_;
};

}  // namespace vigil::host
