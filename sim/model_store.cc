// What is on disk, what is on its way there, and who waits for it.
#include <algorithm>

#include "sim/model.h"

namespace vigil::sim {

void Model::Touch(Reg& reg) {
  if (!store_ok_) {
    dirty_.insert(reg.key());
    return;
  }
  reg.unstored = seen_->batch;
  said_.stored.push_back({RecordChange::Op::kPut, reg.record});
}

void Model::Answer(ReplyToken token, const char* error, std::vector<std::string> tags) {
  if (token != 0) said_.replies.push_back({token, error, std::move(tags)});
}

// A promise that the step itself decides: with its batch, or, when it changes nothing, with whatever is
// still on its way, since that may be what made it so.
void Model::PromiseWithStep(ReplyToken token, std::vector<effect::Record> lines) {
  if (!store_ok_) {
    for (effect::Record& line : lines) said_.lines.push_back(std::move(line));
    Answer(token, "UnknownError");
    return;
  }
  BatchNumber batch = said_.stored.empty() ? 0 : seen_->batch;
  if (batch == 0 && !in_flight_.empty()) batch = in_flight_.back().number;
  if (batch == 0) {
    for (effect::Record& line : lines) said_.lines.push_back(std::move(line));
    Answer(token);
    return;
  }
  promises_.push_back({token, batch, std::move(lines)});
}

void Model::PromiseWhenStored(ReplyToken token, const Reg& reg) {
  if (reg.unstored == 0) {
    Answer(token);
  } else {
    promises_.push_back({token, reg.unstored, {}});
  }
}

void Model::CloseStep() {
  said_.batch = probe_in_step_ || !said_.stored.empty();
  if (!said_.batch) return;
  Batch& batch = in_flight_.emplace_back(Batch{seen_->batch, probe_in_step_, {}});
  for (const RecordChange& change : said_.stored) batch.keys.push_back(change.record.key);
}

void Model::On(const input::Persisted& in) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                  [&](const Batch& batch) { return batch.number == in.batch; });
  if (found == in_flight_.end()) return;
  const bool probe = found->probe;
  in_flight_.erase(found);
  for (Reg& reg : regs_) {
    if (reg.created_in == in.batch) reg.created_in = 0;
    if (reg.unstored != in.batch) continue;
    reg.unstored = 0;
    if (!reg.acknowledged && parameters_.acknowledge_timeout > Duration::zero()) {
      reg.acknowledge_by = now_.mono + parameters_.acknowledge_timeout;
    }
  }
  if (probe) {
    probing_ = false;
    store_ok_ = true;
    store_retry_at_.reset();
    StoreDirty();  // what changed while the probe was on its way
  }
  for (Promise& promise : promises_) {
    if (promise.batch != in.batch) continue;
    for (effect::Record& line : promise.lines) said_.lines.push_back(std::move(line));
    Answer(promise.token);
  }
  std::erase_if(promises_, [&](const Promise& promise) { return promise.batch == in.batch; });
}

void Model::On(const input::StoreFailed& in) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                  [&](const Batch& batch) { return batch.number == in.batch; });
  if (found == in_flight_.end()) return;
  const Batch batch = std::move(*found);
  in_flight_.erase(found);
  store_ok_ = false;
  if (batch.probe) probing_ = false;
  if (!probing_) store_retry_at_ = now_.mono + parameters_.store_retry_delay;
  std::vector<RegistrationKey> unmade;
  for (Reg& reg : regs_) {
    const bool newer_on_its_way = reg.unstored > in.batch;
    if (reg.created_in == in.batch) {
      // Its caller is told that it failed, so it must not be there; but what is on its way may make it after
      // all, and has a caller of its own.
      if (newer_on_its_way) {
        reg.created_in = reg.unstored;
      } else {
        unmade.push_back(reg.key());
      }
    } else if (reg.unstored == in.batch) {
      reg.unstored = 0;
    }
  }
  for (const RegistrationKey& key : unmade) Forget(key);
  dirty_.insert(batch.keys.begin(), batch.keys.end());
  for (const Promise& promise : promises_) {
    if (promise.batch == in.batch) Answer(promise.token, "UnknownError");
  }
  std::erase_if(promises_, [&](const Promise& promise) { return promise.batch == in.batch; });
}

void Model::On(const input::StoreRecovered&) {
  if (!store_ok_) Probe();
}

// A write of everything that the disk has not heard of; its end tells whether the store works again.
void Model::Probe() {
  store_retry_at_.reset();
  if (store_ok_ || probing_) return;
  probing_ = true;
  probe_in_step_ = true;
  StoreDirty();
}

void Model::StoreDirty() {
  for (const RegistrationKey& key : dirty_) {
    if (Reg* reg = Get(key)) {
      reg->unstored = seen_->batch;
      said_.stored.push_back({RecordChange::Op::kPut, reg->record});
    } else {
      said_.stored.push_back({RecordChange::Op::kErase, {key}});
    }
  }
  dirty_.clear();
}

}  // namespace vigil::sim
