// What developer tools can be attached to.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

namespace vigil::control::devtools {

struct Target {
  enum class Type {
    kBrowser,        // the daemon
    kApp,            // an origin that has apps or service workers, whether a page of it is open or not
    kPage,           // an open page
    kServiceWorker,  // a worker process
    kTab,            // what an app or a page is shown in: nothing of its own, but Puppeteer finds pages by it
  };
  Type type = Type::kBrowser;
  std::string id;  // 32 hexadecimal digits
  std::string title;
  std::string url;
  std::string origin;         // serialized; empty: the daemon's
  std::uint64_t process = 0;  // whose V8 it is; 0: none
  std::uint64_t registration_id = 0, version_id = 0;

  friend bool operator==(const Target&, const Target&) = default;
};

// The type's name in the protocol. An app is a "page": that is where front ends have the application's panes.
const char* TypeName(Target::Type type);
// The TargetInfo of the protocol.
boost::json::object TargetInfo(const Target& target, bool attached);

// The daemon's own browser context, of which there is one.
inline constexpr const char* kBrowserContextId = "564947494C0000000000000000000001";

}  // namespace vigil::control::devtools
