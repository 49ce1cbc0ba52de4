#include "host/sync_journal.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/log.h"
#include "host/storage_thread.h"
#include "store/registration_store.h"

namespace vigil::host {
namespace asio = boost::asio;

namespace {

store::LoggedEvent ToLoggedEvent(effect::Record record) {
  store::LoggedEvent event;
  event.at = record.at;
  event.service = static_cast<store::Service>(record.service);
  event.origin = std::move(record.origin);
  event.registration_id = record.worker_registration;
  event.name = std::move(record.event_name);
  event.instance = std::move(record.tag);
  event.metadata = std::move(record.metadata);
  return event;
}

}  // namespace

SyncJournal::SyncJournal(asio::io_context& loop, StorageThread& storage,
                         store::RegistrationStore& registrations, store::EventLog& events, Handlers handlers)
    : loop_(loop),
      storage_(storage),
      registrations_(registrations),
      events_(events),
      handlers_(std::move(handlers)) {}

void SyncJournal::Write(effect::Persist persist) {
  waiting_.push_back(std::move(persist));
  if (writing_) return;
  writing_ = true;
  WriteWaiting();
}

void SyncJournal::WriteWaiting() {
  std::vector<BatchNumber> numbers;
  std::vector<store::RegistrationStore::Batch> batches;
  for (effect::Persist& persist : waiting_) {
    numbers.push_back(persist.batch);
    batches.push_back(std::move(persist.changes));
  }
  waiting_.clear();
  ++transactions_;
  OnStorage([registrations = &registrations_,
             batches = std::move(batches)] { return registrations->Apply(batches); },
            [self = shared_from_this(), numbers = std::move(numbers)](const Result<>& written) {
              self->Written(numbers, written);
            });
}

void SyncJournal::Written(const std::vector<BatchNumber>& numbers, const Result<>& written) {
  if (!written) log::Error("sync registrations cannot be stored: {}", written.error().message);
  handlers_.written(numbers, written);
  if (waiting_.empty()) {
    writing_ = false;
  } else {
    WriteWaiting();
  }
}

void SyncJournal::Log(effect::Record record) {
  records_.push_back(ToLoggedEvent(std::move(record)));
  if (logging_) return;
  logging_ = true;
  AppendWaiting();
}

void SyncJournal::AppendWaiting() {
  OnStorage([events = &events_, records = std::exchange(records_, {})] { return events->Append(records); },
            [self = shared_from_this()](const Result<store::EventLog::Appended>& appended) {
              self->Logged(appended);
            });
}

void SyncJournal::Logged(const Result<store::EventLog::Appended>& appended) {
  if (!appended) {
    log::Warning("the event log cannot be written: {}", appended.error().message);
  } else {
    handlers_.logged(*appended);
  }
  if (records_.empty()) {
    logging_ = false;
  } else {
    AppendWaiting();
  }
}

// Runs `work` on the storage thread and then hands its result to `then` on the event loop.
template <class Work, class Then>
void SyncJournal::OnStorage(Work work, Then then) {
  auto guard = asio::make_work_guard(loop_);
  storage_.Post([guard, work = std::move(work), then = std::move(then)] {
    auto result = work();
    // Posted before the storage thread counts as idle, so that a virtual clock does not overtake it.
    asio::post(guard.get_executor(), [guard, then, result = std::move(result)] { then(result); });
  });
}

}  // namespace vigil::host
