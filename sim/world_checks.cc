// After every input: what the engine did against what the model says, and the rules that need no model.
#include <fmt/format.h>

#include <algorithm>

#include "sim/describe.h"
#include "sim/world.h"

namespace vigil::sim {

void World::Wrong(const char* rule, std::string detail) {
  if (!violation_) violation_ = Violation{rule, std::move(detail)};
}

void World::Step(const Input& input) {
  if (violation_) return;
  const Effects effects = engine_->Step(input, now_);
  Sort(effects);
  if (violation_) return;
  seen_.batch = persist_ != nullptr ? persist_->batch : 0;
  seen_.changes = persist_ != nullptr ? &persist_->changes : nullptr;
  const Said& said = model_->Step(input, now_, seen_);
  ++figures_.inputs;
  if (trace_) Tell(input, effects);
  CompareStarts(said);
  CompareReplies(said);
  CompareBatch(said);
  CompareLines(said);
  if (violation_) return;
  Take(effects);
  CompareState();
  if (++steps_ % look_every_ == 0) LookAtAll();
}

// ----------------------------------------------------------------------------------------------------
// effects

void World::Sort(const Effects& effects) {
  replies_.clear();
  lines_.clear();
  seen_.dispatches.clear();
  persist_ = nullptr;
  for (const Effect& effect : effects) {
    if (const auto* reply = std::get_if<effect::Reply>(&effect)) replies_.push_back(reply);
    if (const auto* start = std::get_if<effect::Dispatch>(&effect)) seen_.dispatches.push_back(start);
    if (const auto* line = std::get_if<effect::Record>(&effect)) lines_.push_back(line);
    if (const auto* batch = std::get_if<effect::Persist>(&effect)) {
      if (persist_ != nullptr) Wrong("one step is one transaction", "two batches came out of one step");
      persist_ = batch;
    }
  }
}

void World::CompareStarts(const Said& said) {
  const std::vector<const effect::Dispatch*>& starts = seen_.dispatches;
  for (const effect::Dispatch* start : starts) {
    // These need no model.
    if (!around_.online) Wrong("nothing starts offline", Name(start->key));
    if (disk_.expected().count(start->key) == 0)
      Wrong("nothing starts that is not on disk", Name(start->key));
    const bool allowed = around_.Allowed(start->origin, start->key.kind) || parameters_.skip_permission_check;
    if (!allowed && parameters_.permission_checked_at_fire) {
      Wrong("nothing starts without permission", Name(start->key));
    }
    const bool expected = std::any_of(said.starts.begin(), said.starts.end(),
                                      [&](const Said::Start& other) { return other.key == start->key; });
    if (!expected) Wrong("starts only when its time and all conditions are there", Name(start->key));
    if (start->deadline != now_.mono + believed_.sync_event_limit) {
      Wrong("an event gets its time limit", Name(start->key));
    }
  }
  for (std::size_t i = 0; i < said.starts.size(); ++i) {
    const Said::Start& start = said.starts[i];
    const bool there = i < starts.size() && starts[i]->key == start.key;
    if (!there) {
      return Wrong("starts when its time and all conditions are there, in order", Name(start.key));
    }
    if (starts[i]->last_chance != start.last_chance) {
      Wrong("lastChance is true for the last attempt only", Name(start.key));
    }
  }
}

void World::CompareReplies(const Said& said) {
  for (const effect::Reply* reply : replies_) {
    const auto found = std::find_if(said.replies.begin(), said.replies.end(),
                                    [&](const Said::Reply& other) { return other.token == reply->token; });
    const std::string error = reply->error ? reply->error->name : "success";
    if (found == said.replies.end()) {
      return Wrong("replies come when what they promise is on disk", fmt::format("{} came too soon", error));
    }
    const std::string wanted = found->error != nullptr ? found->error : "success";
    if (error != wanted)
      return Wrong("replies say how it went", fmt::format("{} instead of {}", error, wanted));
    if (reply->tags != found->tags) Wrong("getTags lists all tags in order", Names(reply->tags));
  }
  if (replies_.size() < said.replies.size()) {
    Wrong("every caller gets its reply", fmt::format("{} of {} came", replies_.size(), said.replies.size()));
  }
}

void World::CompareBatch(const Said& said) {
  const effect::Persist* persist = persist_;
  if (persist == nullptr) {
    if (said.batch) {
      Wrong("every change is stored", said.stored.empty() ? "a probe" : Name(said.stored[0].record.key));
    }
    return;
  }
  if (!said.batch) return Wrong("nothing is stored without need", DescribeBatch(*persist));
  // Only the newest change of a key counts.
  const auto newest = [](const std::vector<RecordChange>& changes, const RegistrationKey& key) {
    const auto found = std::find_if(changes.rbegin(), changes.rend(),
                                    [&](const RecordChange& change) { return change.record.key == key; });
    return found == changes.rend() ? nullptr : &*found;
  };
  for (const RecordChange& wanted : said.stored) {
    const RegistrationKey& key = wanted.record.key;
    const RecordChange* expected = newest(said.stored, key);
    const RecordChange* change = newest(persist->changes, key);
    if (change == nullptr) return Wrong("every change is stored", Name(key));
    if (change->op != expected->op)
      return Wrong("what is gone leaves the disk, what is there stays", Name(key));
    if (change->op == RecordChange::Op::kPut && !(change->record == expected->record)) {
      Wrong("a record says how things are",
            Describe(change->record) + "\n     instead of: " + Describe(expected->record));
    }
  }
  for (const RecordChange& change : persist->changes) {
    const RegistrationKey& key = change.record.key;
    if (newest(said.stored, key) == nullptr) Wrong("nothing is stored without need", Name(key));
  }
}

void World::CompareLines(const Said& said) {
  std::vector<const effect::Record*>& left = lines_left_;
  left.clear();
  for (const effect::Record& line : said.lines) left.push_back(&line);
  for (const effect::Record* line : lines_) {
    const auto same = [&](const effect::Record* other) {
      return other->event_name == line->event_name && other->tag == line->tag &&
             other->worker_registration == line->worker_registration && other->service == line->service &&
             other->at == line->at && other->origin == line->origin && other->metadata == line->metadata;
    };
    const auto found = std::find_if(left.begin(), left.end(), same);
    if (found == left.end()) return Wrong("the log says what happened", "not so: " + Describe(*line));
    left.erase(found);
  }
  if (!left.empty()) Wrong("the log says what happened", "missing: " + Describe(*left.front()));
}

// ---------------------------------------------------------------------------------------------------- state

void World::CompareState() {
  if (engine_->size() != model_->regs().size()) {
    return Wrong("no registration is lost or made up",
                 fmt::format("{} instead of {}", engine_->size(), model_->regs().size()));
  }
  if (engine_->firing() != model_->runs()) {
    return Wrong("running events are counted",
                 fmt::format("{} instead of {}", engine_->firing(), model_->runs()));
  }
  const StoreStatus status = engine_->store_status();
  if (status.ok != model_->store_ok() || status.next_retry != model_->store_retry_at()) {
    return Wrong("the state of the store is known", status.message);
  }
  const auto wake = engine_->next_wake();
  if (wake && *wake <= now_.mono) return Wrong("asks to be woken in the future", "next_wake() has passed");
  const auto event = model_->NextEvent(now_);
  if (event && (!wake || *wake > *event)) {
    Wrong("asks to be woken for whatever comes next",
          fmt::format("something happens in {} µs, next_wake() is {}", (*event - now_.mono).count(),
                      wake ? std::to_string((*wake - now_.mono).count()) : "never"));
  }
  if (model_->all_stored() && waiting_.empty() && reports_.empty() &&
      disk_.expected().size() != engine_->size()) {
    Wrong("when all is written the disk holds what memory holds",
          fmt::format("{} and {}", disk_.expected().size(), engine_->size()));
  }
}

void World::LookAtAll() {
  const std::vector<RegistrationView> views = engine_->List(now_);
  if (views.size() != model_->regs().size())
    return Wrong("the list is complete", std::to_string(views.size()));
  for (const RegistrationView& view : views) {
    const Reg* reg = model_->Find(view.key);
    if (reg == nullptr) return Wrong("the list is true", Name(view.key));
    const WaitReason why = model_->Why(*reg, now_);
    const Explanation& explained = view.explanation;
    if (explained.reason != why) {
      Wrong("the reason is true", fmt::format("{}: {} instead of {}", Name(view.key),
                                              WaitReasonName(explained.reason), WaitReasonName(why)));
    }
    if (why == WaitReason::kReady) Wrong("what is ready runs", Name(view.key));
    if (explained.state != model_->StateOf(*reg, now_)) {
      Wrong("the state is true",
            fmt::format("{}: {} instead of {}", Name(view.key), SyncStateName(explained.state),
                        SyncStateName(model_->StateOf(*reg, now_))));
    }
    if (explained.next_time != model_->NextTime(*reg, now_)) Wrong("the next time is true", Name(view.key));
    if (explained.sentence.empty()) Wrong("every reason has a sentence", Name(view.key));
    const RegistrationRecord& record = reg->record;
    if (view.attempts != record.attempts || view.max_attempts != record.max_attempts) {
      Wrong("attempts are counted as they ended",
            fmt::format("{}: {} of {} instead of {} of {}", Name(view.key), view.attempts, view.max_attempts,
                        record.attempts, record.max_attempts));
    }
    if (view.min_interval_ms != record.min_interval_ms || view.origin != record.origin ||
        view.registered_at != record.registered_at) {
      Wrong("the list is true", Name(view.key));
    }
  }
}

// ---------------------------------------------------------------------------------------------------- what
// follows

void World::Take(const Effects& effects) {
  for (const Effect& effect : effects) {
    if (const auto* persist = std::get_if<effect::Persist>(&effect)) {
      waiting_.push_back(*persist);
      figures_.Mix(persist->batch);
      for (const RecordChange& change : persist->changes) {
        figures_.Mix(change.record.key.tag);
        figures_.Mix(static_cast<std::uint64_t>(change.record.attempts));
        if (change.record.due) {
          figures_.Mix(static_cast<std::uint64_t>(change.record.due->time_since_epoch().count()));
        }
      }
    } else if (const auto* dispatch = std::get_if<effect::Dispatch>(&effect)) {
      open_.push_back({dispatch->token, dispatch->key});
      ++figures_.events;
      figures_.Mix(dispatch->token);
      figures_.Mix(dispatch->key.tag);
    } else if (const auto* reply = std::get_if<effect::Reply>(&effect)) {
      figures_.Mix(reply->token);
      figures_.Mix(reply->error ? reply->error->name : "");
      const auto asked = asked_.find(reply->token);
      if (asked == asked_.end()) continue;
      if (!reply->error) {
        const RegistrationKey& key = asked->second;
        ++figures_.registrations;
        // It may have been removed since, and perhaps be made anew.
        const Reg* reg = model_->Find(key);
        if (reg != nullptr && reg->created_in == 0 && disk_.expected().count(key) == 0) {
          Wrong("what was acknowledged is on disk", Name(key));
        }
        if (key.kind == SyncKind::kOneShot) resolved_.emplace_back(key.worker_registration, key.tag);
      }
      asked_.erase(asked);
    } else if (const auto* line = std::get_if<effect::Record>(&effect)) {
      figures_.Mix(line->event_name);
    }
  }
  figures_.Mix(static_cast<std::uint64_t>(now_.mono.time_since_epoch().count()));
}

void World::Tell(const Input& input, const Effects& effects) {
  trace_(fmt::format("      {}  {}", Describe(now_), Describe(input)));
  for (const Effect& effect : effects) trace_("        → " + Describe(effect));
}

// ---------------------------------------------------------------------------------------------------- the
// end

bool World::Finale() {
  // Without any gap an interval of zero runs again and again.
  const bool restless = parameters_.min_periodic_gap == Duration::zero();
  if (violation_ || parameters_.disabled || restless) return !violation_;
  disk_.Heal();
  around_ = Surroundings();
  Step(input::NetworkChanged{});
  Step(input::PermissionChanged{});
  Step(input::StoreRecovered{});
  for (WorkerRegistrationId worker = 1; worker <= kWorkers; ++worker) {
    while (model_->emulated_offline(worker) && !violation_) Step(input::EmulateOffline{worker, false});
  }
  for (const std::string& origin : kOriginNames) Step(input::EngagementChanged{origin});
  for (int round = 0; round < 400 && !violation_; ++round) {
    if (!waiting_.empty()) Commit();
    Report();
    for (const auto& [worker, tag] : std::exchange(resolved_, {})) Step(input::Acknowledge{worker, tag});
    for (const Open& open : std::exchange(open_, {})) {
      Step(input::DispatchFinished{open.token, DispatchOutcome::kSucceeded, ""});
    }
    if (!waiting_.empty() || !open_.empty()) continue;
    const bool one_shot = std::any_of(model_->regs().begin(), model_->regs().end(), [](const Reg& reg) {
      return !reg.periodic() && (reg.acknowledged || reg.acknowledge_by);
    });
    const auto wake = engine_->next_wake();
    if (!one_shot || !wake) break;
    now_.wall += *wake - now_.mono;
    now_.mono = *wake;
    Step(input::Tick{});
  }
  if (!violation_) LookAtAll();
  for (const Reg& reg : model_->regs()) {
    const bool unheard = !reg.acknowledged && !reg.acknowledge_by;
    if (!reg.periodic() && !unheard) Wrong("nothing is stuck for ever", Name(reg.key()));
    if (reg.periodic() && !model_->NextTime(reg, now_)) {
      Wrong("nothing is stuck for ever", Name(reg.key()));
    }
  }
  return !violation_;
}

}  // namespace vigil::sim
