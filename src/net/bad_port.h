// Ports that belong to other protocols (Fetch, section 2.9): a script must not speak to them.
#pragma once

#include <cstdint>

namespace vigil::net {

bool IsBadPort(std::uint16_t port);

}  // namespace vigil::net
