// Versions, names, parameters.
#include <cstdint>
#include <new>
#include <string>

#include "capi/border.h"
#include "capi/handles.h"
#include "vigil/parameter_names.h"

namespace vigil::capi {

void WriteMessage(char* message, std::size_t capacity, std::string_view text) noexcept {
  if (message == nullptr || capacity == 0) return;
  std::size_t size = std::min(text.size(), capacity - 1);
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  }
  std::copy_n(text.data(), size, message);
  message[size] = '\0';
}

}  // namespace vigil::capi

using vigil::capi::Bytes;
using vigil::capi::IsValid;
using vigil::capi::View;

uint32_t vigil_abi_version(void) { return VIGIL_ABI_VERSION; }
const char* vigil_version(void) { return VIGIL_VERSION; }

const char* vigil_status_name(vigil_status status) {
  switch (status) {
    case VIGIL_OK:
      return "ok";
    case VIGIL_LATER:
      return "later";
    case VIGIL_ERROR_INVALID_HANDLE:
      return "invalid-handle";
    case VIGIL_ERROR_INVALID_ARGUMENT:
      return "invalid-argument";
    case VIGIL_ERROR_NOT_FOUND:
      return "not-found";
    case VIGIL_ERROR_OUT_OF_MEMORY:
      return "out-of-memory";
    case VIGIL_ERROR_STORE:
      return "store-failed";
    case VIGIL_ERROR_CORRUPT:
      return "corrupt";
    case VIGIL_ERROR_BUSY:
      return "busy";
    case VIGIL_ERROR_NOT_STARTED:
      return "not-started";
    case VIGIL_ERROR_BROKEN:
      return "broken";
    default:
      return "unknown";
  }
}

vigil_bytes vigil_text(const char* text) {
  return text == nullptr ? vigil_bytes{nullptr, 0} : vigil_bytes{text, std::strlen(text)};
}

vigil_parameters* vigil_parameters_create(void) { return new (std::nothrow) vigil_parameters; }

void vigil_parameters_destroy(vigil_parameters* parameters) {
  if (!vigil::capi::IsHandle(parameters)) return;
  parameters->magic = 0;
  delete parameters;
}

vigil_status vigil_parameters_set(vigil_parameters* parameters, vigil_bytes name, vigil_bytes value,
                                  char* message, size_t capacity) {
  vigil::capi::WriteMessage(message, capacity, {});
  if (!vigil::capi::IsHandle(parameters)) return VIGIL_ERROR_INVALID_HANDLE;
  if (!IsValid(name) || !IsValid(value)) {
    vigil::capi::WriteMessage(message, capacity, "a name or value is missing or too long");
    return VIGIL_ERROR_INVALID_ARGUMENT;
  }
  return vigil::capi::Guarded([&]() -> vigil_status {
    const auto error = vigil::TrySetParameter(parameters->value, View(name), View(value));
    if (!error) return VIGIL_OK;
    vigil::capi::WriteMessage(message, capacity, *error);
    for (const auto& known : vigil::ListParameters(parameters->value)) {
      if (known.name == View(name)) return VIGIL_ERROR_INVALID_ARGUMENT;
    }
    return VIGIL_ERROR_NOT_FOUND;
  });
}

vigil_status vigil_parameters_list(const vigil_parameters* parameters,
                                   void (*visit)(void* context, vigil_bytes name, vigil_bytes value),
                                   void* context) {
  if (!vigil::capi::IsHandle(parameters)) return VIGIL_ERROR_INVALID_HANDLE;
  if (visit == nullptr) return VIGIL_ERROR_INVALID_ARGUMENT;
  return vigil::capi::Guarded([&]() -> vigil_status {
    for (const auto& parameter : vigil::ListParameters(parameters->value)) {
      visit(context, Bytes(parameter.name), Bytes(parameter.value));
    }
    return VIGIL_OK;
  });
}
