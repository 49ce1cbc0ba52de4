// Subresource integrity (section 3.3 of its specification). Pure.
#pragma once

#include <string_view>

namespace vigil::net {

// Whether there is anything to check in the attribute's value.
bool HasIntegrityMetadata(std::string_view metadata);
// Does the body match one of the strongest digests given? True when there is nothing to check.
bool MatchesIntegrity(std::string_view body, std::string_view metadata);

}  // namespace vigil::net
