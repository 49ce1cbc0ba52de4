// register(), unregister(), getTags().
#include <algorithm>

#include "sim/arithmetic.h"
#include "sim/model.h"

namespace vigil::sim {

namespace {

// Enough for the tags of this world: the only one that is no text has a lead byte without its follower.
bool IsText(const std::string& tag) { return tag.find("\xC3(") == std::string::npos; }

}  // namespace

const char* Model::Refusal(const input::Register& in) const {
  const SyncKind kind = in.key.kind;
  if (!in.has_active_worker) return "InvalidStateError";
  if (!usable()) return "UnknownError";
  for (const Reg& reg : regs_) {
    const bool same_worker = reg.key().worker_registration == in.key.worker_registration;
    if (same_worker && reg.record.origin != in.origin) return "UnknownError";
  }
  if (!IsText(in.key.tag)) return "InvalidAccessError";
  const bool denied = !Permitted(in.origin, kind) || !Installed(in.origin, kind);
  const bool no_window = parameters_.window_client_required && !in.has_window_client;
  const bool long_tag = static_cast<std::int64_t>(in.key.tag.size()) > parameters_.max_tag_bytes;
  const bool wrong_call = no_window || long_tag || (kind == SyncKind::kPeriodic && in.min_interval_ms < 0);
  if (denied && wrong_call) {
    return parameters_.client_checked_before_permission ? "InvalidAccessError" : "NotAllowedError";
  }
  if (wrong_call) return "InvalidAccessError";
  return denied ? "NotAllowedError" : nullptr;
}

void Model::On(const input::Register& in) {
  if (const char* refusal = Refusal(in)) {
    Answer(in.token, refusal);
  } else if (Reg* reg = Get(in.key); reg == nullptr) {
    Make(in);
  } else if (reg->periodic()) {
    AgainPeriodic(in, *reg);
  } else {
    AgainOneShot(in, *reg);
  }
}

void Model::Make(const input::Register& in) {
  Reg& reg = Add(in.key);
  RegistrationRecord& record = reg.record;
  record.origin = in.origin;
  record.max_attempts = world_.NotificationsAllowed(in.origin) ? parameters_.max_attempts_with_notifications
                                                               : parameters_.max_attempts;
  record.registered_at = now_.wall;
  record.anchor = now_.wall;
  reg.created_in = seen_->batch;
  std::vector<effect::Record> lines;
  if (reg.periodic()) {
    record.min_interval_ms = in.min_interval_ms;
    const auto wait = Period(reg);
    Wait(reg, wait);
    lines.push_back(Line(reg, "Got next event delay", {{"Next Attempt Delay (ms)", Milliseconds(wait)}}));
    lines.push_back(
        Line(reg, "Registered periodicsync", {{"minInterval", std::to_string(in.min_interval_ms)}}));
  } else {
    reg.acknowledged = false;
    Wait(reg, Duration::zero());
    lines.push_back(Line(reg, "Registered sync"));
  }
  Touch(reg);
  PromiseWithStep(in.token, std::move(lines));
}

void Model::AgainOneShot(const input::Register& in, Reg& reg) {
  const bool patient = parameters_.acknowledge_timeout > Duration::zero();
  const auto wait_for_page = [&] {
    reg.acknowledged = false;
    reg.acknowledge_by.reset();
    if (patient) reg.acknowledge_by = now_.mono + parameters_.acknowledge_timeout;
  };
  if (!reg.idle()) {
    reg.again = true;
    wait_for_page();
    PromiseWhenStored(in.token, reg);
    return;
  }
  const bool waits = *reg.due > now_.mono || reg.record.attempts > 0;
  if (!waits || !parameters_.reregister_waiting_fires_now) {
    if (!reg.acknowledged && reg.unstored == 0) wait_for_page();
    PromiseWhenStored(in.token, reg);
    return;
  }
  if (parameters_.reregister_waiting_resets_attempts) reg.record.attempts = 0;
  reg.record.lost_network = false;
  reg.own_faults = 0;
  // The page's time begins with the reply.
  reg.acknowledged = false;
  reg.acknowledge_by.reset();
  Wait(reg, Duration::zero());
  Touch(reg);
  PromiseWithStep(in.token, {Line(reg, "Sync event reregistered")});
}

void Model::AgainPeriodic(const input::Register& in, Reg& reg) {
  if (in.min_interval_ms != reg.record.min_interval_ms) {
    OtherInterval(in, reg);
    return;
  }
  if (!reg.idle()) reg.again = true;
  PromiseWhenStored(in.token, reg);
}

void Model::OtherInterval(const input::Register& in, Reg& reg) {
  std::vector<effect::Record> lines;
  reg.record.min_interval_ms = in.min_interval_ms;
  if (!reg.idle()) {
    reg.again = true;  // counts from the end of the run
  } else {
    reg.record.attempts = 0;
    reg.own_faults = 0;
    reg.record.lost_network = false;
    if (!parameters_.interval_change_keeps_anchor) reg.record.anchor = now_.wall;
    const auto wait = Period(reg, now_.wall - reg.record.anchor);
    Wait(reg, wait);
    lines.push_back(Line(reg, "Got next event delay", {{"Next Attempt Delay (ms)", Milliseconds(wait)}}));
  }
  lines.push_back(
      Line(reg, "Registered periodicsync", {{"minInterval", std::to_string(in.min_interval_ms)}}));
  Touch(reg);
  PromiseWithStep(in.token, std::move(lines));
}

void Model::On(const input::Unregister& in) {
  if (!usable()) {
    Answer(in.token, "UnknownError");
    return;
  }
  const RegistrationKey key{in.worker_registration, SyncKind::kPeriodic, in.tag};
  if (const Reg* reg = Find(key)) {
    std::vector<effect::Record> lines{Line(*reg, "Unregistered periodicsync")};
    Remove(key);
    PromiseWithStep(in.token, std::move(lines));
  } else if (in_flight_.empty()) {
    Answer(in.token);
  } else {
    // It may have been removed by what is still on its way.
    promises_.push_back({in.token, in_flight_.back().number, {}});
  }
}

void Model::On(const input::GetTags& in) {
  if (parameters_.disabled) {
    Answer(in.token, "UnknownError");
    return;
  }
  std::vector<std::string> tags;
  for (const Reg& reg : regs_) {
    const bool asked = reg.key().worker_registration == in.worker_registration && reg.key().kind == in.kind;
    if (asked) tags.push_back(reg.key().tag);
  }
  Answer(in.token, nullptr, std::move(tags));
}

}  // namespace vigil::sim
