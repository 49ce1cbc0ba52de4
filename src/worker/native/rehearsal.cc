#include "worker/native/rehearsal.h"

#include <string>
#include <string_view>

#include "ipc/vigil.pb.h"
#include "worker/wire.h"

namespace vigil::worker {
namespace {

// Only the field numbers of the generated classes are used, as in messages.cc.
using ipc::Event;
using ipc::NetworkState;
using ipc::RegistrationInfo;
using ipc::Script;
using ipc::ServiceWorkerStart;
using ipc::Start;
using ipc::ToWorker;
using ipc::WorkerInfo;

constexpr std::string_view kScope = "vigil:///rehearsal/";
constexpr std::string_view kUrl = "vigil:///rehearsal/worker.js";
constexpr std::string_view kImportedUrl = "vigil:///rehearsal/imported.js";
// Its listener goes with its event.
constexpr std::string_view kScript = R"js('use strict';
(() => {
  importScripts('imported.js');
  const heard = event => {
    self.removeEventListener('sync', heard);
    event.waitUntil((async () => { await event.tag; })());
  };
  self.addEventListener('sync', heard);
})();
)js";
constexpr std::string_view kImported = R"js('use strict';
(async () => {
  const listeners = new Map([['sync', event => event.tag]]);
  const text = JSON.stringify({ tags: [...listeners.keys()], at: Date.now() });
  await Promise.all([text].map(async value => JSON.parse(value)));
})();
)js";

std::string ScriptMessage(std::string_view url, std::string_view source) {
  return FieldWriter()
      .Bytes(Script::kUrlFieldNumber, url)
      .Bytes(Script::kResponseUrlFieldNumber, url)
      .Bytes(Script::kSourceFieldNumber, source)
      .Take();
}

std::string RegistrationMessage() {
  const std::string worker = FieldWriter()
                                 .Number(WorkerInfo::kVersionIdFieldNumber, 1)
                                 .Bytes(WorkerInfo::kScriptUrlFieldNumber, kUrl)
                                 .Bytes(WorkerInfo::kStateFieldNumber, "activated")
                                 .Take();
  return FieldWriter()
      .Number(RegistrationInfo::kIdFieldNumber, 1)
      .Bytes(RegistrationInfo::kScopeFieldNumber, kScope)
      .Bytes(RegistrationInfo::kUpdateViaCacheFieldNumber, "imports")
      .Bytes(RegistrationInfo::kActiveFieldNumber, worker)
      .Take();
}

std::string StartMessage() {
  const std::string network = FieldWriter()
                                  .Number(NetworkState::kOnlineFieldNumber, 1)
                                  .Bytes(NetworkState::kTypeFieldNumber, "wifi")
                                  .Bytes(NetworkState::kEffectiveTypeFieldNumber, "4g")
                                  .Take();
  const std::string worker =
      FieldWriter()
          .Bytes(ServiceWorkerStart::kRegistrationFieldNumber, RegistrationMessage())
          .Number(ServiceWorkerStart::kVersionIdFieldNumber, 1)
          .Bytes(ServiceWorkerStart::kVersionStateFieldNumber, "activated")
          .Bytes(ServiceWorkerStart::kScriptsFieldNumber, ScriptMessage(kUrl, kScript))
          .Bytes(ServiceWorkerStart::kScriptsFieldNumber, ScriptMessage(kImportedUrl, kImported))
          .Bytes(ServiceWorkerStart::kEvalFieldNumber, "")
          .Bytes(ServiceWorkerStart::kWasmFieldNumber, "")
          .Take();
  return FieldWriter()
      .Bytes(Start::kOriginFieldNumber, "vigil:")
      .Bytes(Start::kUrlFieldNumber, kUrl)
      .Bytes(Start::kNetworkFieldNumber, network)
      .Bytes(Start::kUserAgentFieldNumber, "Vigil")
      .Bytes(Start::kLanguagesFieldNumber, "en-US")
      .Bytes(Start::kServiceWorkerFieldNumber, worker)
      .Take();
}

std::string EventMessage() {
  const std::string sync = FieldWriter().Bytes(Event::Sync::kTagFieldNumber, "tag").Take();
  const std::string event =
      FieldWriter().Number(Event::kIdFieldNumber, 1).Bytes(Event::kSyncFieldNumber, sync).Take();
  return FieldWriter().Bytes(ToWorker::kEventFieldNumber, event).Take();
}

void RunTimers(Worker& worker) {
  while (worker.FireTimer()) {
  }
}

}  // namespace

void Rehearse(Worker& worker) {
  worker.rehearsing = true;
  worker.realm = &worker.service_worker;
  {
    const v8::HandleScope scope(worker.isolate);
    const v8::Context::Scope entered(worker.realm->context.Get(worker.isolate));
    v8::Local<v8::Value> start = worker.ReadStart(StartMessage());
    worker.CallHost("start", 1, &start);
    RunTimers(worker);
    worker.HandMessage(EventMessage());
    RunTimers(worker);
    worker.CallHost("rehearsed", 0, nullptr);
    RunTimers(worker);
  }
  worker.rehearsing = false;
}

}  // namespace vigil::worker
