#include "host/failure_notes.h"

#include "base/utf8.h"

namespace vigil::host {

void FailureNotes::Note(const RegistrationKey& key, const std::string& text) {
  notes_[key] = CutUtf8(text.substr(0, text.find('\n')), kMaxText);
  order_.push_back(key);
  while (order_.size() > kMost) {
    notes_.erase(order_.front());
    order_.pop_front();
  }
}

std::string FailureNotes::Find(const RegistrationKey& key) const {
  const auto found = notes_.find(key);
  return found == notes_.end() ? std::string() : found->second;
}

}  // namespace vigil::host
