// libFuzzer target: any bytes that a developer tool sends are a command or get an answer that says what is
// wrong, and every answer and every parameter can be sent on as JSON.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/devtools/protocol.h"

namespace {

namespace devtools = vigil::control::devtools;
namespace json = boost::json;

// What is sent must be read again as an object.
json::object Sent(const json::object& message) {
  json::parse_options options;
  options.max_depth = 1000;
  boost::system::error_code error;
  const json::value value = json::parse(json::serialize(message), error, json::storage_ptr(), options);
  if (error || !value.is_object()) std::abort();
  return value.get_object();
}

template <class T>
void Check(const tl::expected<T, devtools::ProtocolError>& parameter) {
  if (parameter) return;
  const json::object answer = Sent(devtools::ErrorMessage(1, parameter.error()));
  if (answer.at("error").at("code") != static_cast<int>(devtools::ErrorNumber::kInvalidParams)) std::abort();
  if (answer.at("error").at("data").as_string().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto message = devtools::ParseMessage(text)) Sent(*message);
  const auto command = devtools::ParseCommand(text);
  if (!command) {
    if (Sent(command.error()).at("error").at("message").as_string().empty()) std::abort();
    return 0;
  }
  Sent(command->params);
  for (const auto& [key, value] : command->params) {
    const std::string_view name(key.data(), key.size());
    Check(devtools::StringParam(command->params, name));
    Check(devtools::OptionalStringParam(command->params, name));
    Check(devtools::BoolParam(command->params, name));
    Check(devtools::OptionalBoolParam(command->params, name));
    Check(devtools::IntegerParam(command->params, name));
  }
  Check(devtools::StringParam(command->params, "absent"));
  Sent(devtools::ErrorMessage(command->id, devtools::NoSuchMethod(command->method).value()));
  return 0;
}
