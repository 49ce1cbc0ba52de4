// Bytes that wait for their reader: the first ones in memory, more in a file without a name. Event-loop
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace vigil::net {

class SpillBuffer {
 public:
  // What may be in memory, and where files go.
  SpillBuffer(std::size_t max_memory, std::filesystem::path directory)
      : max_memory_(max_memory), directory_(std::move(directory)) {}
  ~SpillBuffer() { CloseFile(); }
  SpillBuffer(const SpillBuffer&) = delete;
  SpillBuffer& operator=(const SpillBuffer&) = delete;

  // False: the disk takes no more; nothing was kept of it.
  bool Append(std::string_view data);
  // The next at most max_memory bytes; empty: there are none, or they cannot be read any more (failed()).
  std::string Take();
  std::uint64_t size() const { return memory_.size() + written_ - read_; }
  bool failed() const { return failed_; }

 private:
  void CloseFile();

  const std::size_t max_memory_;
  const std::filesystem::path directory_;
  std::string memory_;  // comes before what is in the file
  int fd_ = -1;
  std::uint64_t written_ = 0, read_ = 0;  // of the file
  bool failed_ = false;
};

}  // namespace vigil::net
