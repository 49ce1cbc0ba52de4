// Takes what the engine wants kept to the storage thread: batches of changed registrations, and lines of the
// event log. One transaction of each kind is under way at a time; what comes up meanwhile becomes the next
// one (group commit). Event-loop thread only; lives until the last of its transactions has ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "store/event_log.h"
#include "vigil/engine.h"

namespace vigil::store {
class RegistrationStore;
}  // namespace vigil::store

namespace vigil::host {
class StorageThread;

class SyncJournal : public std::enable_shared_from_this<SyncJournal> {
 public:
  struct Handlers {
    // These batches are durable, or could not be stored.
    std::function<void(const std::vector<BatchNumber>& numbers, const Result<>& written)> written;
    std::function<void(const store::EventLog::Appended& appended)> logged;
  };

  // All outlive the journal; the stores are used on the storage thread only.
  SyncJournal(boost::asio::io_context& loop, StorageThread& storage, store::RegistrationStore& registrations,
              store::EventLog& events, Handlers handlers);
  SyncJournal(const SyncJournal&) = delete;
  SyncJournal& operator=(const SyncJournal&) = delete;

  void Write(effect::Persist persist);
  void Log(effect::Record record);
  // Of registrations, that were begun.
  std::uint64_t transactions() const { return transactions_; }

 private:
  void WriteWaiting();
  void Written(const std::vector<BatchNumber>& numbers, const Result<>& written);
  void AppendWaiting();
  void Logged(const Result<store::EventLog::Appended>& appended);
  template <class Work, class Then>
  void OnStorage(Work work, Then then);

  boost::asio::io_context& loop_;
  StorageThread& storage_;
  store::RegistrationStore& registrations_;
  store::EventLog& events_;
  const Handlers handlers_;

  bool writing_ = false;
  std::uint64_t transactions_ = 0;
  std::vector<effect::Persist> waiting_;
  bool logging_ = false;
  std::vector<store::LoggedEvent> records_;
};

}  // namespace vigil::host
