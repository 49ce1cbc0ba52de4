// The files of the panel, embedded at build time: what `vigil panel` opens. Immutable, valid for the whole
// life of the process, usable from any thread.
#pragma once

#include <cstddef>

struct vigil_ui_file {
  const char* path;  // "/", "/assets/index-….js"
  const char* content_type;
  const char* data;
  std::size_t size;
};

extern "C" {
extern const vigil_ui_file vigil_ui_files[];
extern const std::size_t vigil_ui_file_count;
}
