// The engine's calls. Each checks its arguments, copies them into an input, and hands that to the driver.
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capi/border.h"
#include "capi/calls.h"
#include "capi/handles.h"

using vigil::capi::Drive;
using vigil::capi::Guarded;
using vigil::capi::IsHandle;
using vigil::capi::IsKind;
using vigil::capi::IsValid;
using vigil::capi::KindOf;
using vigil::capi::Tell;
using vigil::capi::Text;
using vigil::capi::Usable;
using vigil::capi::WriteMessage;

namespace {

// The size of a struct as its first version had it: up to and with its last field.
constexpr std::size_t kFirstHost = offsetof(vigil_host, log) + sizeof(vigil_host::log);
constexpr std::size_t kFirstRegistration =
    offsetof(vigil_registration, min_interval_ms) + sizeof(vigil_registration::min_interval_ms);

vigil::Driver::Done ReplyTo(vigil_engine* engine, uint64_t token) {
  vigil::capi::HostPorts& ports = engine->ports;
  if (token == 0 || ports.host().reply == nullptr) return {};
  return [&ports, token](const std::optional<vigil::DomError>& error) { ports.Reply(token, error, {}); };
}

vigil::Driver::TagsDone TagsReplyTo(vigil_engine* engine, uint64_t token) {
  vigil::capi::HostPorts& ports = engine->ports;
  if (token == 0 || ports.host().reply == nullptr) return {};
  return [&ports, token](const std::optional<vigil::DomError>& error, const std::vector<std::string>& tags) {
    ports.Reply(token, error, tags);
  };
}

struct Nothing {};
Nothing MakeNothing() { return {}; }

}  // namespace

// ------------------------------------------------------------------------------------------------ life

vigil_status vigil_engine_create(const vigil_parameters* parameters, const vigil_host* host,
                                 vigil_engine** engine) {
  if (engine == nullptr) return VIGIL_ERROR_INVALID_ARGUMENT;
  *engine = nullptr;
  if (parameters != nullptr && !IsHandle(parameters)) return VIGIL_ERROR_INVALID_HANDLE;
  vigil_host table{};
  if (!vigil::capi::ReadStruct(host, kFirstHost, table) || !vigil::capi::HostPorts::Complete(table)) {
    return VIGIL_ERROR_INVALID_ARGUMENT;
  }
  return Guarded([&]() -> vigil_status {
    const vigil::Parameters values = parameters == nullptr ? vigil::Parameters() : parameters->value;
    auto made = std::make_unique<vigil_engine>(values, table);
    if (table.log != nullptr) {
      made->driver.SetLog([&ports = made->ports](const vigil::effect::Record& record) { ports.Log(record); });
    }
    *engine = made.release();
    return VIGIL_OK;
  });
}

vigil_status vigil_engine_destroy(vigil_engine* engine) {
  if (engine == nullptr) return VIGIL_OK;
  if (!IsHandle(engine)) return VIGIL_ERROR_INVALID_HANDLE;
  if (engine->depth > 0) return VIGIL_ERROR_BUSY;
  engine->magic = 0;
  delete engine;
  return VIGIL_OK;
}

vigil_status vigil_engine_start(vigil_engine* engine, char* message, size_t capacity) {
  WriteMessage(message, capacity, {});
  if (!IsHandle(engine)) return VIGIL_ERROR_INVALID_HANDLE;
  if (engine->broken) return VIGIL_ERROR_BROKEN;
  if (engine->depth > 0) return VIGIL_ERROR_BUSY;
  if (engine->started) return VIGIL_OK;
  return Drive(*engine, [&](vigil::Driver& driver) -> vigil_status {
    engine->started = true;  // callbacks may call already, and wait for it
    std::optional<std::string> error;
    try {
      error = driver.Start();
    } catch (...) {
      engine->started = false;
      throw;
    }
    if (!error) return VIGIL_OK;
    engine->started = false;
    WriteMessage(message, capacity, *error);
    const vigil_status status = engine->ports.load_status();
    return status == VIGIL_OK ? VIGIL_ERROR_CORRUPT : status;  // a registration that is there twice
  });
}

// ------------------------------------------------------------------------------------------------ scripts

vigil_status vigil_register(vigil_engine* engine, const vigil_registration* registration) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  vigil_registration call{};
  if (!vigil::capi::ReadStruct(registration, kFirstRegistration, call) || !IsKind(call.kind) ||
      !IsValid(call.tag) || !IsValid(call.origin) || call.origin.size == 0) {
    return VIGIL_ERROR_INVALID_ARGUMENT;
  }
  const auto make = [&] {
    vigil::input::Register in;
    in.key = {call.worker, KindOf(call.kind), Text(call.tag)};
    in.origin = Text(call.origin);
    in.min_interval_ms = call.kind == VIGIL_PERIODIC ? call.min_interval_ms : -1;
    in.has_active_worker = call.no_active_worker == 0;
    in.has_window_client = call.no_window_client == 0;
    return std::pair(std::move(in), ReplyTo(engine, call.reply_token));
  };
  return Tell(engine, make, [](vigil::Driver& driver, auto copy) {
    driver.Register(std::move(copy.first), std::move(copy.second));
  });
}

vigil_status vigil_acknowledge(vigil_engine* engine, uint64_t worker, vigil_bytes tag) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsValid(tag)) return VIGIL_ERROR_INVALID_ARGUMENT;
  return Tell(
      engine, [&] { return Text(tag); },
      [&](vigil::Driver& driver, std::string copy) { driver.Acknowledge(worker, std::move(copy)); });
}

vigil_status vigil_unregister(vigil_engine* engine, uint64_t reply_token, uint64_t worker, vigil_bytes tag) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsValid(tag)) return VIGIL_ERROR_INVALID_ARGUMENT;
  const auto make = [&] {
    return std::pair(vigil::input::Unregister{0, worker, Text(tag)}, ReplyTo(engine, reply_token));
  };
  return Tell(engine, make, [](vigil::Driver& driver, auto copy) {
    driver.Unregister(std::move(copy.first), std::move(copy.second));
  });
}

vigil_status vigil_get_tags(vigil_engine* engine, uint64_t reply_token, uint64_t worker, vigil_kind kind) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsKind(kind)) return VIGIL_ERROR_INVALID_ARGUMENT;
  return Tell(
      engine, [&] { return TagsReplyTo(engine, reply_token); },
      [&](vigil::Driver& driver, vigil::Driver::TagsDone done) {
        driver.GetTags({0, worker, KindOf(kind)}, std::move(done));
      });
}

// ------------------------------------------------------------------------------------------------ reports

vigil_status vigil_tick(vigil_engine* engine) {
  return Tell(engine, MakeNothing, [](vigil::Driver& driver, Nothing) { driver.Tick(); });
}

vigil_status vigil_event_finished(vigil_engine* engine, uint64_t token, vigil_outcome outcome,
                                  vigil_bytes text) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (outcome < VIGIL_SUCCEEDED || outcome > VIGIL_NOT_STARTED || !IsValid(text)) {
    return VIGIL_ERROR_INVALID_ARGUMENT;
  }
  bool known = false;
  const vigil_status status = Tell(
      engine, [&] { return Text(text); },
      [&](vigil::Driver& driver, std::string copy) {
        known = driver.EventFinished(token, static_cast<vigil::DispatchOutcome>(outcome), std::move(copy));
      });
  return status != VIGIL_OK || known ? status : VIGIL_ERROR_NOT_FOUND;
}

vigil_status vigil_write_finished(vigil_engine* engine, uint64_t token, vigil_status status,
                                  vigil_bytes message) {
  if (const vigil_status usable = Usable(engine); usable != VIGIL_OK) return usable;
  if (!IsValid(message) || status == VIGIL_LATER) return VIGIL_ERROR_INVALID_ARGUMENT;
  bool known = false;
  const auto make = [&]() -> std::optional<std::string> {
    if (status == VIGIL_OK) return std::nullopt;
    if (message.size > 0) return Text(message);
    return std::string("the host's store failed (") + vigil_status_name(status) + ")";
  };
  const vigil_status told = Tell(engine, make, [&](vigil::Driver& driver, std::optional<std::string> error) {
    known = driver.WriteFinished(token, std::move(error));
  });
  return told != VIGIL_OK || known ? told : VIGIL_ERROR_NOT_FOUND;
}

vigil_status vigil_network_changed(vigil_engine* engine) {
  return Tell(engine, MakeNothing, [](vigil::Driver& driver, Nothing) { driver.NetworkChanged(); });
}

vigil_status vigil_permission_changed(vigil_engine* engine, vigil_bytes origin) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsValid(origin)) return VIGIL_ERROR_INVALID_ARGUMENT;
  return Tell(
      engine, [&] { return Text(origin); },
      [](vigil::Driver& driver, std::string copy) { driver.PermissionChanged(std::move(copy)); });
}

vigil_status vigil_engagement_changed(vigil_engine* engine, vigil_bytes origin) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsValid(origin)) return VIGIL_ERROR_INVALID_ARGUMENT;
  return Tell(
      engine, [&] { return Text(origin); },
      [](vigil::Driver& driver, std::string copy) { driver.EngagementChanged(std::move(copy)); });
}

vigil_status vigil_store_recovered(vigil_engine* engine) {
  return Tell(engine, MakeNothing, [](vigil::Driver& driver, Nothing) { driver.StoreRecovered(); });
}

vigil_status vigil_worker_deleted(vigil_engine* engine, uint64_t reply_token, uint64_t worker) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  return Tell(
      engine, [&] { return ReplyTo(engine, reply_token); },
      [&](vigil::Driver& driver, vigil::Driver::Done done) {
        driver.WorkerRegistrationDeleted(worker, std::move(done));
      });
}

vigil_status vigil_origin_cleared(vigil_engine* engine, uint64_t reply_token, vigil_bytes origin) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsValid(origin) || origin.size == 0) return VIGIL_ERROR_INVALID_ARGUMENT;
  const auto make = [&] { return std::pair(Text(origin), ReplyTo(engine, reply_token)); };
  return Tell(engine, make, [](vigil::Driver& driver, auto copy) {
    driver.OriginCleared(std::move(copy.first), std::move(copy.second));
  });
}
