// Addresses that the operator gives to names, in place of what the system's resolver says
// (`vigil serve --resolve`).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigil::net {

class HostMap {
 public:
  // "HOST:PORT:ADDRESS". HOST is a name, "*.NAME" for every name below NAME, or "*"; PORT a number or "*";
  // ADDRESS an IPv4 or IPv6 address, which may stand in brackets.
  Result<> Add(std::string_view entry);
  // The address for a host (lower case) and a port: that of the first entry that fits; empty: none does.
  std::string Lookup(std::string_view host, std::uint16_t port) const;

 private:
  struct Entry {
    std::string name;  // without "*."
    bool exact = true;
    std::uint16_t port = 0;  // 0: every port
    std::string address;
  };
  std::vector<Entry> entries_;
};

}  // namespace vigil::net
