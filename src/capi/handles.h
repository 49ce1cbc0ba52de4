// What the opaque handles of the C API point to. A magic number catches handles of the wrong kind, and most
// that were destroyed.
#pragma once

#include <cstdint>

#include "capi/host_ports.h"
#include "vigil/driver.h"
#include "vigil/parameters.h"
#include "vigil/vigil.h"

struct vigil_parameters {
  static constexpr std::uint32_t kMagic = 0x56475041;
  std::uint32_t magic = kMagic;
  vigil::Parameters value;
};

struct vigil_engine {
  static constexpr std::uint32_t kMagic = 0x5647454E;

  vigil_engine(const vigil::Parameters& parameters, const vigil_host& host)
      : ports(host), driver(parameters, ports.ports()) {}

  std::uint32_t magic = kMagic;
  vigil::capi::HostPorts ports;
  vigil::Driver driver;
  bool started = false;
  bool broken = false;
  bool stepping = false;  // a call of the driver is under way
  int depth = 0;          // calls from which callbacks may be made
};

namespace vigil::capi {

template <class Handle>
bool IsHandle(const Handle* handle) {
  return handle != nullptr && handle->magic == Handle::kMagic;
}

}  // namespace vigil::capi
