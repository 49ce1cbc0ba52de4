// The URL parser: ada, which the Node executable carries and exports with its C interface.
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <string_view>

#include "worker/native/natives.h"
#include "worker/native/values.h"

// Ada's own header is not among Node's; this is what is used of it.
extern "C" {
struct ada_string {
  const char* data;
  std::size_t length;
};
void* ada_parse(const char* input, std::size_t length);
void* ada_parse_with_base(const char* input, std::size_t length, const char* base, std::size_t base_length);
bool ada_is_valid(void* url);
void ada_free(void* url);
ada_string ada_get_href(void* url);
// Eight 32-bit offsets into the href, and the port: see `UrlParts` in runtime/url.ts.
const std::uint32_t* ada_get_components(void* url);
bool ada_set_href(void* url, const char* input, std::size_t length);
bool ada_set_protocol(void* url, const char* input, std::size_t length);
bool ada_set_username(void* url, const char* input, std::size_t length);
bool ada_set_password(void* url, const char* input, std::size_t length);
bool ada_set_host(void* url, const char* input, std::size_t length);
bool ada_set_hostname(void* url, const char* input, std::size_t length);
bool ada_set_port(void* url, const char* input, std::size_t length);
bool ada_set_pathname(void* url, const char* input, std::size_t length);
void ada_set_search(void* url, const char* input, std::size_t length);
void ada_set_hash(void* url, const char* input, std::size_t length);
}

namespace vigil::worker {
namespace {

constexpr std::size_t kParts = 8;

// A longer text is no URL: parsing it would take several times its memory, and a failed allocation is fatal
// in ada.
constexpr std::size_t kMaxLength = 32 * 1024 * 1024;

// UTF-8 of a string: short ones, nearly all, stay on the stack. A string that is too long has no data.
class Text {
 public:
  Text(v8::Isolate* isolate, v8::Local<v8::String> string) : size_(string->Utf8LengthV2(isolate)) {
    if (size_ > kMaxLength) return;
    if (size_ > near_.size()) far_ = std::make_unique_for_overwrite<char[]>(size_);
    data_ = far_ ? far_.get() : near_.data();
    string->WriteUtf8V2(isolate, data_, size_, v8::String::WriteFlags::kReplaceInvalidUtf8);
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  const char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  char* data_ = nullptr;
  std::array<char, 512> near_;
  std::unique_ptr<char[]> far_;
};

using Url = std::unique_ptr<void, decltype(&ada_free)>;

// Null: not a URL.
Url Parse(v8::Isolate* isolate, v8::Local<v8::String> input, v8::Local<v8::Value> base) {
  Url url(nullptr, &ada_free);
  const Text text(isolate, input);
  if (text.data() == nullptr) return url;
  if (base->IsString()) {
    const Text base_text(isolate, base.As<v8::String>());
    if (base_text.data() == nullptr) return url;
    url.reset(ada_parse_with_base(text.data(), text.size(), base_text.data(), base_text.size()));
  } else {
    url.reset(ada_parse(text.data(), text.size()));
  }
  if (!ada_is_valid(url.get())) url.reset();
  return url;
}

// The href; its parts go to the Uint32Array that the caller gave.
void Return(const Arguments& args, const Url& url, v8::Local<v8::Value> parts) {
  const auto target = BytesOf(parts);
  if (!target || target->size() != kParts * sizeof(std::uint32_t)) {
    return ThrowTypeError(args.GetIsolate(), "The parts of a URL go into a Uint32Array of 8 elements");
  }
  std::memcpy(const_cast<char*>(target->data()), ada_get_components(url.get()), target->size());
  const ada_string href = ada_get_href(url.get());
  v8::Local<v8::String> text;
  if (FromUtf8(args.GetIsolate(), {href.data, href.length}).ToLocal(&text)) args.GetReturnValue().Set(text);
}

// urlParse(input, base, parts): null: not a URL.
void UrlParse(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsString()) return ThrowTypeError(isolate, "urlParse expects a string");
  const Url url = Parse(isolate, args[0].As<v8::String>(), args[1]);
  if (url == nullptr) return args.GetReturnValue().SetNull();
  Return(args, url, args[2]);
}

using Setter = bool (*)(void* url, const char* input, std::size_t length);
constexpr Setter kSetters[] = {
    ada_set_href,
    ada_set_protocol,
    ada_set_username,
    ada_set_password,
    ada_set_host,
    ada_set_hostname,
    ada_set_port,
    ada_set_pathname,
    [](void* url, const char* input, std::size_t length) { return ada_set_search(url, input, length), true; },
    [](void* url, const char* input, std::size_t length) { return ada_set_hash(url, input, length), true; },
};

// urlSet(href, setter, value, parts): null: the value was not accepted, nothing changes.
void UrlSet(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsString() || !args[1]->IsUint32() || !args[2]->IsString()) {
    return ThrowTypeError(isolate, "urlSet expects an href, a setter's number and a string");
  }
  const std::uint32_t setter = args[1].As<v8::Uint32>()->Value();
  const Url url = Parse(isolate, args[0].As<v8::String>(), v8::Undefined(isolate));
  if (setter >= std::size(kSetters) || url == nullptr) {
    return ThrowTypeError(isolate, "urlSet expects a serialized URL and a setter's number");
  }
  const Text value(isolate, args[2].As<v8::String>());
  if (value.data() == nullptr || !kSetters[setter](url.get(), value.data(), value.size())) {
    return args.GetReturnValue().SetNull();
  }
  Return(args, url, args[3]);
}

}  // namespace

void InstallUrlNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "urlParse", UrlParse);
  SetFunction(context, native, "urlSet", UrlSet);
  // Children share those pages of the executable that the zygote has touched: each part of the parser once.
  constexpr std::string_view kBase = "https://u:p@m\xC3\xBCnchen.example:81/a?b#c";
  constexpr std::string_view kPath = "../\xC3\xBC%20/d?e=f#g";
  const Url url(ada_parse_with_base(kPath.data(), kPath.size(), kBase.data(), kBase.size()), &ada_free);
  for (const Setter set : kSetters) set(url.get(), kBase.data(), kBase.size());
}

}  // namespace vigil::worker
