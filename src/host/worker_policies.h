// The content security policies of a service worker: kept with the version, handed to whoever asks the
// network for it, and told to its process as far as that enforces them itself. Event-loop thread only.
#pragma once

#include <memory>
#include <string>

#include "host/model.h"
#include "ipc/vigil.pb.h"
#include "net/fetcher.h"

namespace vigil::host {

// As the headers of the script's response have them, each combined with commas.
void SetPolicies(Version& version, std::string enforced, std::string report_only);
// What is fetched on behalf of this client is held against them; violations are told to the version's
// process.
void ApplyPolicies(const std::shared_ptr<Version>& version, net::FetchClient& client);
// Code of strings and of WebAssembly.
void FillCodeGeneration(const Version& version, ipc::ServiceWorkerStart& start);

}  // namespace vigil::host
