#include "worker/native/start_object.h"

#include <v8-container.h>
#include <v8-primitive.h>
#include <v8-typed-array.h>

#include <cstring>
#include <vector>

#include "ipc/vigil.pb.h"
#include "worker/native/values.h"
#include "worker/wire.h"

namespace vigil::worker {
namespace {

enum class Kind { kText, kBytes, kSource, kNumber, kDouble, kFlag, kMessage };

struct Shape;
struct FieldShape {
  int number;
  const char* name;
  Kind kind;
  const Shape* message = nullptr;
  bool repeated = false;
};
struct Shape {
  const FieldShape* fields;
  std::size_t count;
};
template <std::size_t size>
constexpr Shape ShapeOf(const FieldShape (&fields)[size]) {
  return Shape{fields, size};
}

// What start() reads of each message. Only the field numbers of the generated classes are used, as in
// messages.cc.
using ipc::CodeGeneration;
using ipc::CspViolation;
using ipc::NetworkState;
using ipc::PageStart;
using ipc::RegistrationInfo;
using ipc::Script;
using ipc::ServiceWorkerStart;
using ipc::Start;
using ipc::WorkerInfo;

constexpr FieldShape kWorkerFields[] = {
    {WorkerInfo::kVersionIdFieldNumber, "versionId", Kind::kNumber},
    {WorkerInfo::kScriptUrlFieldNumber, "scriptUrl", Kind::kText},
    {WorkerInfo::kStateFieldNumber, "state", Kind::kText},
};
constexpr Shape kWorker = ShapeOf(kWorkerFields);
constexpr FieldShape kRegistrationFields[] = {
    {RegistrationInfo::kIdFieldNumber, "id", Kind::kNumber},
    {RegistrationInfo::kScopeFieldNumber, "scope", Kind::kText},
    {RegistrationInfo::kUpdateViaCacheFieldNumber, "updateViaCache", Kind::kText},
    {RegistrationInfo::kInstallingFieldNumber, "installing", Kind::kMessage, &kWorker},
    {RegistrationInfo::kWaitingFieldNumber, "waiting", Kind::kMessage, &kWorker},
    {RegistrationInfo::kActiveFieldNumber, "active", Kind::kMessage, &kWorker},
    {RegistrationInfo::kUnregisteredFieldNumber, "unregistered", Kind::kFlag},
};
constexpr Shape kRegistration = ShapeOf(kRegistrationFields);
constexpr FieldShape kScriptFields[] = {
    {Script::kUrlFieldNumber, "url", Kind::kText},
    {Script::kResponseUrlFieldNumber, "responseUrl", Kind::kText},
    {Script::kSourceFieldNumber, "source", Kind::kSource},
};
constexpr Shape kScript = ShapeOf(kScriptFields);
constexpr FieldShape kViolationFields[] = {
    {CspViolation::kBlockedUriFieldNumber, "blockedUri", Kind::kText},
    {CspViolation::kEffectiveDirectiveFieldNumber, "effectiveDirective", Kind::kText},
    {CspViolation::kOriginalPolicyFieldNumber, "originalPolicy", Kind::kText},
    {CspViolation::kReportOnlyFieldNumber, "reportOnly", Kind::kFlag},
    {CspViolation::kConsoleTextFieldNumber, "consoleText", Kind::kText},
};
constexpr Shape kViolation = ShapeOf(kViolationFields);
constexpr FieldShape kCodeFields[] = {
    {CodeGeneration::kRefusalFieldNumber, "refusal", Kind::kText},
    {CodeGeneration::kViolationsFieldNumber, "violations", Kind::kMessage, &kViolation, true},
};
constexpr Shape kCode = ShapeOf(kCodeFields);
constexpr FieldShape kServiceWorkerFields[] = {
    {ServiceWorkerStart::kRegistrationFieldNumber, "registration", Kind::kMessage, &kRegistration},
    {ServiceWorkerStart::kVersionIdFieldNumber, "versionId", Kind::kNumber},
    {ServiceWorkerStart::kVersionStateFieldNumber, "versionState", Kind::kText},
    {ServiceWorkerStart::kScriptsFieldNumber, "scripts", Kind::kMessage, &kScript, true},
    {ServiceWorkerStart::kModuleFieldNumber, "module", Kind::kFlag},
    {ServiceWorkerStart::kEvalFieldNumber, "eval", Kind::kMessage, &kCode},
    {ServiceWorkerStart::kWasmFieldNumber, "wasm", Kind::kMessage, &kCode},
};
constexpr Shape kServiceWorker = ShapeOf(kServiceWorkerFields);
constexpr FieldShape kPageFields[] = {
    {PageStart::kClientIdFieldNumber, "clientId", Kind::kText},
    {PageStart::kHtmlFieldNumber, "html", Kind::kBytes},
    {PageStart::kRegistrationFieldNumber, "registration", Kind::kMessage, &kRegistration},
    {PageStart::kControllerVersionIdFieldNumber, "controllerVersionId", Kind::kNumber},
    {PageStart::kReferrerFieldNumber, "referrer", Kind::kText},
};
constexpr Shape kPage = ShapeOf(kPageFields);
constexpr FieldShape kNetworkFields[] = {
    {NetworkState::kOnlineFieldNumber, "online", Kind::kFlag},
    {NetworkState::kTypeFieldNumber, "type", Kind::kText},
    {NetworkState::kEffectiveTypeFieldNumber, "effectiveType", Kind::kText},
    {NetworkState::kMeteredFieldNumber, "metered", Kind::kFlag},
    {NetworkState::kDownlinkMbpsFieldNumber, "downlinkMbps", Kind::kDouble},
    {NetworkState::kRttMsFieldNumber, "rttMs", Kind::kNumber},
};
constexpr Shape kNetwork = ShapeOf(kNetworkFields);
constexpr FieldShape kStartFields[] = {
    {Start::kOriginFieldNumber, "origin", Kind::kText},
    {Start::kUrlFieldNumber, "url", Kind::kText},
    {Start::kNetworkFieldNumber, "network", Kind::kMessage, &kNetwork},
    {Start::kUserAgentFieldNumber, "userAgent", Kind::kText},
    {Start::kLanguagesFieldNumber, "languages", Kind::kText, nullptr, true},
    {Start::kServiceWorkerFieldNumber, "serviceWorker", Kind::kMessage, &kServiceWorker},
    {Start::kPageFieldNumber, "page", Kind::kMessage, &kPage},
};
constexpr Shape kStart = ShapeOf(kStartFields);

class Maker {
 public:
  explicit Maker(v8::Local<v8::Context> context) : context_(context), isolate_(v8::Isolate::GetCurrent()) {}

  v8::MaybeLocal<v8::Object> Object(const Shape& shape, std::string_view bytes) {
    std::vector<v8::Local<v8::Value>> values(shape.count);
    for (std::size_t i = 0; i < shape.count; ++i) values[i] = Default(shape.fields[i]);
    FieldReader reader(bytes);
    while (const auto field = reader.Next()) {
      for (std::size_t i = 0; i < shape.count; ++i) {
        if (shape.fields[i].number != static_cast<int>(field->number)) continue;
        if (!Take(shape.fields[i], *field, values[i])) return {};
      }
    }
    if (reader.broken()) return {};
    const v8::Local<v8::Object> object = v8::Object::New(isolate_);
    for (std::size_t i = 0; i < shape.count; ++i) {
      const v8::Local<v8::String> name = Symbol(isolate_, shape.fields[i].name);
      if (!object->CreateDataProperty(context_, name, values[i]).FromMaybe(false)) return {};
    }
    return object;
  }

 private:
  bool Take(const FieldShape& shape, const Field& field, v8::Local<v8::Value>& target) {
    v8::Local<v8::Value> value;
    if (!Value(shape, field).ToLocal(&value)) return false;
    if (!shape.repeated) {
      target = value;
      return true;
    }
    const auto list = target.As<v8::Array>();
    return list->CreateDataProperty(context_, list->Length(), value).FromMaybe(false);
  }

  v8::Local<v8::Value> Default(const FieldShape& field) {
    if (field.repeated) return v8::Array::New(isolate_);
    switch (field.kind) {
      case Kind::kText:
      case Kind::kSource:
        return v8::String::Empty(isolate_);
      case Kind::kNumber:
      case Kind::kDouble:
        return v8::Integer::New(isolate_, 0);
      case Kind::kFlag:
        return v8::False(isolate_);
      case Kind::kBytes:
        return v8::Uint8Array::New(v8::ArrayBuffer::New(isolate_, 0), 0, 0);
      case Kind::kMessage:
        break;
    }
    return v8::Undefined(isolate_);
  }

  v8::MaybeLocal<v8::Value> Value(const FieldShape& shape, const Field& field) {
    switch (shape.kind) {
      case Kind::kText:
        return Widen(FromUtf8(isolate_, field.bytes));
      case Kind::kSource:
        return Widen(SourceText(isolate_, field.bytes));
      case Kind::kBytes:
        return Widen(NewBytes(isolate_, field.bytes));
      case Kind::kNumber:
        return v8::Number::New(isolate_, static_cast<double>(field.value));
      case Kind::kDouble: {
        double number = 0;
        std::memcpy(&number, &field.value, sizeof number);
        return v8::Number::New(isolate_, number);
      }
      case Kind::kFlag:
        return v8::Boolean::New(isolate_, field.value != 0);
      case Kind::kMessage:
        break;
    }
    return Widen(Object(*shape.message, field.bytes));
  }

  template <typename T>
  static v8::MaybeLocal<v8::Value> Widen(v8::MaybeLocal<T> value) {
    v8::Local<T> local;
    if (!value.ToLocal(&local)) return {};
    return local.template As<v8::Value>();
  }

  v8::Local<v8::Context> context_;
  v8::Isolate* isolate_;
};

}  // namespace

v8::MaybeLocal<v8::Object> StartObject(v8::Local<v8::Context> context, std::string_view start) {
  return Maker(context).Object(kStart, start);
}

}  // namespace vigil::worker
