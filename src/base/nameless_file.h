// Files that have no name and go with their last descriptor. Blocks.
#pragma once

#include <filesystem>

namespace vigil {

// A descriptor to read and write, closed on exec, on the file system of that directory, which is made when it
// is not there; -1 with errno when that fails.
int OpenNamelessFile(const std::filesystem::path& directory);

}  // namespace vigil
