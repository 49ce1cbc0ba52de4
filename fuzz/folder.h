// A directory that goes with the process, for targets whose input is a file.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace vigil::fuzz {

// In memory where the system offers that: thousands of small files are written.
inline const std::filesystem::path& Folder() {
  static const struct Held {
    Held() {
      std::error_code error;
      const bool shm = std::filesystem::is_directory("/dev/shm", error);
      std::string name = (shm ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
                         "vigil-fuzz-XXXXXX";
      if (::mkdtemp(name.data()) == nullptr) std::abort();
      path = name;
    }
    ~Held() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
  } held;
  return held.path;
}

inline void EmptyFolder() {
  for (const auto& entry : std::filesystem::directory_iterator(Folder()))
    std::filesystem::remove_all(entry.path());
}

}  // namespace vigil::fuzz
