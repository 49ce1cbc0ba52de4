#include "net/spill_buffer.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/nameless_file.h"

namespace vigil::net {

bool SpillBuffer::Append(std::string_view data) {
  if (written_ == read_ && memory_.size() + data.size() <= max_memory_) {
    memory_ += data;
    return true;
  }
  if (fd_ < 0) fd_ = OpenNamelessFile(directory_);
  if (fd_ < 0) return false;
  const std::uint64_t before = written_;
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(written_));
    if (n <= 0) {
      written_ = before;
      return false;
    }
    written_ += static_cast<std::uint64_t>(n);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string SpillBuffer::Take() {
  if (!memory_.empty()) return std::exchange(memory_, std::string());
  std::string data(static_cast<std::size_t>(std::min<std::uint64_t>(max_memory_, written_ - read_)), '\0');
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = ::pread(fd_, data.data() + done, data.size() - done, static_cast<off_t>(read_ + done));
    if (n <= 0) {
      failed_ = true;
      return "";
    }
    done += static_cast<std::size_t>(n);
  }
  read_ += done;
  if (read_ == written_) CloseFile();
  return data;
}

void SpillBuffer::CloseFile() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  read_ = written_ = 0;
}

}  // namespace vigil::net
