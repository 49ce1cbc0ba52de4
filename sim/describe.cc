#include "sim/describe.h"

#include <fmt/format.h>

#include "engine/parameter_names.h"

namespace vigil::sim {
namespace {

template <class... Fns>
struct Overloaded : Fns... {
  using Fns::operator()...;
};
template <class... Fns>
Overloaded(Fns...) -> Overloaded<Fns...>;  // clang 14 needs to be told

std::string Quoted(const std::string& tag) {
  std::string text = "\"";
  for (const char c : tag) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text + "\"";
}

std::string Us(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

}  // namespace

std::string Name(const RegistrationKey& key) {
  return fmt::format("{} {} of worker {}", SyncKindName(key.kind), Quoted(key.tag), key.worker_registration);
}

std::string Names(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "" : " ") + Quoted(tag);
  return text;
}

std::string Describe(const RegistrationRecord& record) {
  return fmt::format(
      "{} origin={} interval={} attempts={}/{} due={} delay={} anchor={} at={} fired={} lost={}",
      Name(record.key), record.origin, record.min_interval_ms, record.attempts, record.max_attempts,
      record.due ? Us(*record.due) : "suspended", record.delay.count(), Us(record.anchor),
      Us(record.registered_at), record.last_fired ? Us(*record.last_fired) : "never", record.lost_network);
}

std::string Describe(const effect::Record& line) {
  std::string text =
      fmt::format("log: {} {} of worker {}", line.event_name, Quoted(line.tag), line.worker_registration);
  for (const auto& [key, value] : line.metadata) text += fmt::format(" [{}={}]", key, value);
  return text;
}

std::string DescribeBatch(const effect::Persist& persist) {
  std::string text = fmt::format("store batch {}", persist.batch);
  for (const RecordChange& change : persist.changes) {
    const bool put = change.op == RecordChange::Op::kPut;
    text += "\n            " + (put ? "put " + Describe(change.record) : "erase " + Name(change.record.key));
  }
  return text;
}

std::string Describe(const Effect& effect) {
  return std::visit(
      Overloaded{[](const effect::Persist& persist) { return DescribeBatch(persist); },
                 [](const effect::Reply& reply) {
                   return fmt::format("reply {}: {} {}", reply.token,
                                      reply.error ? reply.error->name : "success", Names(reply.tags));
                 },
                 [](const effect::Dispatch& dispatch) {
                   return fmt::format("start {} as run {}{}", Name(dispatch.key), dispatch.token,
                                      dispatch.last_chance ? ", last chance" : "");
                 },
                 [](const effect::Record& line) { return Describe(line); }},
      effect);
}

std::string Describe(const Input& input) {
  return std::visit(
      Overloaded{[](const input::Restore& in) {
                   std::string text = fmt::format("restore {} records", in.records.size());
                   for (const auto& record : in.records) text += "\n            " + Describe(record);
                   return text;
                 },
                 [](const input::Register& in) {
                   return fmt::format("register {} for {} interval={}{}{} (call {})", Name(in.key), in.origin,
                                      in.min_interval_ms,
                                      in.has_active_worker ? "" : " without active worker",
                                      in.has_window_client ? "" : " without window", in.token);
                 },
                 [](const input::Acknowledge& in) {
                   return fmt::format("acknowledge {} of worker {}", Quoted(in.tag), in.worker_registration);
                 },
                 [](const input::Unregister& in) {
                   return fmt::format("unregister {} of worker {} (call {})", Quoted(in.tag),
                                      in.worker_registration, in.token);
                 },
                 [](const input::GetTags& in) {
                   return fmt::format("get tags of worker {}, {} (call {})", in.worker_registration,
                                      SyncKindName(in.kind), in.token);
                 },
                 [](const input::NetworkChanged&) { return std::string("network changed"); },
                 [](const input::PermissionChanged& in) {
                   return fmt::format("permission changed: {}", in.origin.empty() ? "any origin" : in.origin);
                 },
                 [](const input::AppInstalled& in) { return "installed: " + in.origin; },
                 [](const input::AppUninstalled& in) { return "uninstalled: " + in.origin; },
                 [](const input::EngagementChanged& in) { return "engagement: " + in.origin; },
                 [](const input::WorkerRegistrationDeleted& in) {
                   return fmt::format("delete worker {} (call {})", in.worker_registration, in.token);
                 },
                 [](const input::OriginCleared& in) {
                   return fmt::format("clear {} (call {})", in.origin, in.token);
                 },
                 [](const input::EmulateOffline& in) {
                   return fmt::format("emulate {} for worker {}", in.offline ? "offline" : "online",
                                      in.worker_registration);
                 },
                 [](const input::Tick&) { return std::string("tick"); },
                 [](const input::DispatchFinished& in) {
                   return fmt::format("run {} ended: {}", in.token, DispatchOutcomeName(in.outcome));
                 },
                 [](const input::Persisted& in) { return fmt::format("batch {} is on disk", in.batch); },
                 [](const input::StoreFailed& in) { return fmt::format("batch {} failed", in.batch); },
                 [](const input::StoreRecovered&) { return std::string("store recovered"); }},
      input);
}

std::string Describe(Now now) {
  return fmt::format("[calendar {} monotonic {}]", now.wall.time_since_epoch().count(),
                     now.mono.time_since_epoch().count());
}

std::string Describe(const Decision& decision) {
  return fmt::format("{} {:x} {:x} {:x}", VerbName(decision.verb), decision.a, decision.b, decision.c);
}

std::string Describe(const Parameters& parameters) {
  std::string text;
  const std::vector<NamedParameter> usual = ListParameters(Parameters());
  const std::vector<NamedParameter> here = ListParameters(parameters);
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (here[i].value != usual[i].value) text += fmt::format("    {}={}\n", here[i].name, here[i].value);
  }
  return text;
}

}  // namespace vigil::sim
