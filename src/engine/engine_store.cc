// Persist before reply: batches under way, what waits for them, and life with a store that fails.
#include "engine/engine_impl.h"

namespace vigil {

RegistrationRecord Engine::Impl::RecordOf(const Entry& entry) const {
  RegistrationRecord record;
  record.key = {entry.worker->id, entry.kind(), entry.key->tag};
  record.origin = entry.worker->origin->name;
  record.min_interval_ms = entry.min_interval_ms;
  record.attempts = entry.attempts;
  record.max_attempts = entry.max_attempts;
  if (!entry.suspended) record.due = entry.due_wall;
  record.delay = entry.delay;
  record.anchor = entry.anchor;
  record.registered_at = entry.registered_at;
  record.last_fired = entry.last_fired;
  record.lost_network = entry.lost_network;
  return record;
}

void Engine::Impl::Touch(Entry& entry) {
  if (!store_ok_) {
    dirty_.insert({entry.worker->id, entry.kind(), entry.key->tag});
    return;
  }
  entry.unstored = next_batch_;
  changes_.push_back({RecordChange::Op::kPut, RecordOf(entry)});
}

void Engine::Impl::Flush() {
  if (changes_.empty()) {
    // Nothing to store: what is held is true already, unless an older removal is still on its way. While the
    // store is down nothing can be promised, whatever is on its way.
    for (Held& held : held_) {
      if (in_flight_.empty() || !store_ok_) {
        for (effect::Record& record : held.records) effects_.emplace_back(std::move(record));
        Reply(held.token, store_ok_ ? std::nullopt : std::optional(UnusableError(held.kind)));
      } else {
        in_flight_.rbegin()->second.held.push_back(std::move(held));
      }
    }
    held_.clear();
    return;
  }
  Batch batch;
  batch.held = std::move(held_);
  held_.clear();
  batch.keys.reserve(changes_.size());
  for (const RecordChange& change : changes_) batch.keys.push_back(change.record.key);
  effects_.emplace_back(effect::Persist{next_batch_, std::move(changes_)});
  changes_.clear();
  in_flight_.emplace(next_batch_++, std::move(batch));
}

void Engine::Impl::ReplyWithBatch(Held held) { held_.push_back(std::move(held)); }

void Engine::Impl::Reply(ReplyToken token, std::optional<DomError> error, std::vector<std::string> tags) {
  if (token == 0) return;
  effects_.emplace_back(effect::Reply{token, std::move(error), std::move(tags)});
}

void Engine::Impl::On(const input::Persisted& in) {
  const auto found = in_flight_.find(in.batch);
  if (found == in_flight_.end()) return;
  Batch batch = std::move(found->second);
  in_flight_.erase(found);
  if (batch.recovery) {
    probing_ = false;
    store_ok_ = true;
    store_message_.clear();
    store_retry_at_.reset();
    UnblockAll();
    // What changed while the probe was being written.
    for (const RegistrationKey& key : std::exchange(dirty_, {})) {
      if (Entry* entry = registry_.Find(key.worker_registration, key.kind, key.tag)) {
        Touch(*entry);
      } else {
        changes_.push_back({RecordChange::Op::kErase, {key}});
      }
    }
  }
  for (const RegistrationKey& key : batch.keys) {
    Entry* entry = registry_.Find(key.worker_registration, key.kind, key.tag);
    if (entry == nullptr) continue;
    if (entry->created_in == in.batch) entry->created_in = 0;
    if (entry->unstored != in.batch) continue;
    entry->unstored = 0;
    if (!entry->acknowledged && parameters_.acknowledge_timeout > Duration::zero()) {
      entry->acknowledge_by = now_.mono + parameters_.acknowledge_timeout;
    }
    if (entry->phase == Phase::kIdle) Settle(*entry);
  }
  for (Held& held : batch.held) {
    for (effect::Record& record : held.records) effects_.emplace_back(std::move(record));
    Reply(held.token);
  }
}

// The store cannot be written. Memory is ahead of the disk by the keys of the batch; nothing registers or
// fires until a later write has brought the disk up to it. What was running keeps its result in memory.
void Engine::Impl::On(const input::StoreFailed& in) {
  const auto found = in_flight_.find(in.batch);
  if (found == in_flight_.end()) return;
  Batch batch = std::move(found->second);
  in_flight_.erase(found);
  store_ok_ = false;
  store_message_ = in.message;
  if (batch.recovery) probing_ = false;
  if (!probing_) store_retry_at_ = now_.mono + parameters_.store_retry_delay;
  for (RegistrationKey& key : batch.keys) {
    Entry* entry = registry_.Find(key.worker_registration, key.kind, key.tag);
    if (entry != nullptr && entry->created_in == in.batch && entry->unstored > in.batch) {
      entry->created_in = entry->unstored;  // a later batch writes it too and will tell
    } else if (entry != nullptr && entry->created_in == in.batch) {
      Drop(*entry);  // its caller is told that it failed: then it must not exist
    } else if (entry != nullptr && entry->unstored == in.batch) {
      entry->unstored = 0;
    }
    dirty_.insert(std::move(key));
  }
  for (const Held& held : batch.held) Reply(held.token, UnusableError(held.kind));
}

void Engine::Impl::On(const input::StoreRecovered&) {
  if (!store_ok_) ProbeStore();
}

void Engine::Impl::ProbeStore() {
  store_retry_at_.reset();
  if (store_ok_ || probing_) return;
  probing_ = true;
  Batch batch;
  batch.recovery = true;
  effect::Persist persist{next_batch_, {}};
  for (const RegistrationKey& key : std::exchange(dirty_, {})) {
    Entry* entry = registry_.Find(key.worker_registration, key.kind, key.tag);
    if (entry != nullptr) {
      entry->unstored = next_batch_;
      persist.changes.push_back({RecordChange::Op::kPut, RecordOf(*entry)});
    } else {
      persist.changes.push_back({RecordChange::Op::kErase, {key}});
    }
    batch.keys.push_back(key);
  }
  effects_.emplace_back(std::move(persist));
  in_flight_.emplace(next_batch_++, std::move(batch));
}

StoreStatus Engine::Impl::store_status() const { return {store_ok_, store_message_, store_retry_at_}; }

}  // namespace vigil
