// Certificates that the operator trusts beside the system's (`vigil serve --ca-file`).
#pragma once

#include <filesystem>

#include "base/result.h"

namespace vigil::net {

// Fails when the file cannot be read or holds no certificate in PEM form.
Result<> CheckTrustRoots(const std::filesystem::path& file);

}  // namespace vigil::net
