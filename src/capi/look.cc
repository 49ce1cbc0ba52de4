// Registrations and their reasons, and how the store does.
#include "capi/border.h"
#include "capi/calls.h"
#include "capi/handles.h"

using vigil::capi::Bytes;
using vigil::capi::Guarded;
using vigil::capi::Inside;
using vigil::capi::IsKind;
using vigil::capi::IsValid;
using vigil::capi::KindOf;
using vigil::capi::Text;
using vigil::capi::Usable;
using vigil::capi::WriteMessage;

namespace {

void Visit(const vigil::RegistrationView& view, void (*visit)(void*, const vigil_view*), void* context) {
  const auto& why = view.explanation;
  vigil_view out{};
  out.struct_size = sizeof(vigil_view);
  out.kind = static_cast<vigil_kind>(view.key.kind);
  out.worker = view.key.worker_registration;
  out.tag = Bytes(view.key.tag);
  out.origin = Bytes(view.origin);
  out.min_interval_ms = view.min_interval_ms;
  out.attempts = view.attempts;
  out.max_attempts = view.max_attempts;
  out.registered_at_us = view.registered_at.time_since_epoch().count();
  out.state = Bytes(vigil::SyncStateName(why.state));
  out.reason = Bytes(vigil::WaitReasonName(why.reason));
  out.sentence = Bytes(why.sentence);
  out.next_time_us = why.next_time ? why.next_time->time_since_epoch().count() : VIGIL_NEVER;
  visit(context, &out);
}

}  // namespace

vigil_status vigil_explain(vigil_engine* engine, uint64_t worker, vigil_kind kind, vigil_bytes tag,
                           void (*visit)(void* context, const vigil_view* view), void* context) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (!IsKind(kind) || !IsValid(tag) || visit == nullptr) return VIGIL_ERROR_INVALID_ARGUMENT;
  const Inside inside(*engine);
  return Guarded([&]() -> vigil_status {
    const auto view = engine->driver.engine().Find({worker, KindOf(kind), Text(tag)}, engine->driver.now());
    if (!view) return VIGIL_ERROR_NOT_FOUND;
    Visit(*view, visit, context);
    return VIGIL_OK;
  });
}

vigil_status vigil_list(vigil_engine* engine, void (*visit)(void* context, const vigil_view* view),
                        void* context) {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  if (visit == nullptr) return VIGIL_ERROR_INVALID_ARGUMENT;
  const Inside inside(*engine);
  return Guarded([&]() -> vigil_status {
    for (const auto& view : engine->driver.engine().List(engine->driver.now())) Visit(view, visit, context);
    return VIGIL_OK;
  });
}

vigil_status vigil_store_status(vigil_engine* engine, char* message, size_t capacity) {
  WriteMessage(message, capacity, {});
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  return Guarded([&]() -> vigil_status {
    const vigil::StoreStatus store = engine->driver.engine().store_status();
    WriteMessage(message, capacity, store.message);
    return store.ok ? VIGIL_OK : VIGIL_ERROR_STORE;
  });
}
