#include "store/testing/unsynced.h"

#include <algorithm>
#include <cstring>

namespace vigil::store::testing {

std::uint64_t Lots::Next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

bool Lots::Draw(double probability) {
  if (probability <= 0) return false;
  return static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability;
}

int MemoryMedium::Read(std::span<char> to, std::int64_t at) {
  const auto begin = std::min(static_cast<std::size_t>(at), content_.size());
  const std::size_t count = std::min(to.size(), content_.size() - begin);
  if (count > 0) std::memcpy(to.data(), content_.data() + begin, count);
  if (count < to.size()) std::memset(to.data() + count, 0, to.size() - count);
  return SQLITE_OK;
}

int MemoryMedium::Write(std::string_view bytes, std::int64_t at) {
  const auto begin = static_cast<std::size_t>(at);
  if (content_.size() < begin + bytes.size()) content_.resize(begin + bytes.size());
  std::memcpy(content_.data() + begin, bytes.data(), bytes.size());
  return SQLITE_OK;
}

int MemoryMedium::Truncate(std::int64_t size) {
  if (static_cast<std::size_t>(size) < content_.size()) content_.resize(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int MemoryMedium::Size(std::int64_t* size) {
  *size = static_cast<std::int64_t>(content_.size());
  return SQLITE_OK;
}

int DiskMedium::Read(std::span<char> to, std::int64_t at) {
  const int code = file_->pMethods->xRead(file_, to.data(), static_cast<int>(to.size()), at);
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

int DiskMedium::Write(std::string_view bytes, std::int64_t at) {
  return file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), at);
}

int DiskMedium::Truncate(std::int64_t size) { return file_->pMethods->xTruncate(file_, size); }

int DiskMedium::Size(std::int64_t* size) {
  sqlite3_int64 found = 0;
  const int code = file_->pMethods->xFileSize(file_, &found);
  *size = found;
  return code;
}

int DiskMedium::Sync(int flags) { return file_->pMethods->xSync(file_, flags); }

int Unsynced::ViewSize(Medium& medium, std::int64_t* size) {
  if (!size_) {
    std::int64_t found = 0;
    if (const int code = medium.Size(&found); code != SQLITE_OK) return code;
    size_ = found;
  }
  *size = *size_;
  return SQLITE_OK;
}

int Unsynced::Size(Medium& medium, std::int64_t* size) { return ViewSize(medium, size); }

// What the medium holds as far as it has not been cut off.
int Unsynced::ReadMedium(Medium& medium, std::span<char> to, std::int64_t at) {
  if (const int code = medium.Read(to, at); code != SQLITE_OK) return code;
  if (cut_ && *cut_ < at + static_cast<std::int64_t>(to.size())) {
    const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(0, *cut_ - at));
    std::memset(to.data() + keep, 0, to.size() - keep);
  }
  return SQLITE_OK;
}

int Unsynced::Read(Medium& medium, std::span<char> to, std::int64_t at) {
  std::int64_t size = 0;
  if (const int code = ViewSize(medium, &size); code != SQLITE_OK) return code;
  if (const int code = ReadMedium(medium, to, at); code != SQLITE_OK) return code;
  const std::int64_t end = at + static_cast<std::int64_t>(to.size());
  for (auto it = sectors_.lower_bound(at / kSectorSize); it != sectors_.end(); ++it) {
    const std::int64_t start = it->first * kSectorSize;
    if (start >= end) break;
    const std::int64_t from = std::max(start, at);
    const std::int64_t until = std::min(start + kSectorSize, end);
    std::memcpy(to.data() + (from - at), it->second.bytes.data() + (from - start),
                static_cast<std::size_t>(until - from));
  }
  return end <= size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Unsynced::Write(Medium& medium, std::string_view bytes, std::int64_t at, double through, Lots& lots) {
  std::int64_t size = 0;
  if (const int code = ViewSize(medium, &size); code != SQLITE_OK) return code;
  const std::int64_t end = at + static_cast<std::int64_t>(bytes.size());
  size_ = std::max(size, end);
  for (std::int64_t number = at / kSectorSize; number * kSectorSize < end; ++number) {
    const std::int64_t start = number * kSectorSize;
    const std::int64_t from = std::max(start, at);
    const std::int64_t until = std::min(start + kSectorSize, end);
    const auto [it, is_new] = sectors_.try_emplace(number);
    Sector& sector = it->second;
    if (is_new && until - from < kSectorSize) {
      if (const int code = ReadMedium(medium, sector.bytes, start); code != SQLITE_OK) return code;
    }
    std::memcpy(sector.bytes.data() + (from - start), bytes.data() + (from - at),
                static_cast<std::size_t>(until - from));
    sector.doomed = false;
    if (!lots.Draw(through)) continue;
    if (const int code = Flush(medium, number, sector); code != SQLITE_OK) return code;
    sectors_.erase(it);
  }
  return SQLITE_OK;
}

int Unsynced::Truncate(Medium& medium, std::int64_t size, double through, Lots& lots) {
  std::int64_t former = 0;
  if (const int code = ViewSize(medium, &former); code != SQLITE_OK) return code;
  size_ = size;
  if (size >= former) return SQLITE_OK;
  sectors_.erase(sectors_.lower_bound((size + kSectorSize - 1) / kSectorSize), sectors_.end());
  if (const auto last = sectors_.find(size / kSectorSize); last != sectors_.end()) {
    std::fill(last->second.bytes.begin() + size % kSectorSize, last->second.bytes.end(), '\0');
  }
  cut_ = std::min(cut_.value_or(size), size);
  return lots.Draw(through) ? FlushCut(medium) : SQLITE_OK;
}

int Unsynced::FlushCut(Medium& medium) {
  if (!cut_) return SQLITE_OK;
  std::int64_t size = 0;
  if (const int code = medium.Size(&size); code != SQLITE_OK) return code;
  if (*cut_ < size) {
    if (const int code = medium.Truncate(*cut_); code != SQLITE_OK) return code;
  }
  cut_.reset();
  return SQLITE_OK;
}

int Unsynced::Flush(Medium& medium, std::int64_t number, const Sector& sector) {
  if (const int code = FlushCut(medium); code != SQLITE_OK) return code;
  const std::int64_t start = number * kSectorSize;
  const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(*size_ - start, 0, kSectorSize));
  return count == 0 ? SQLITE_OK : medium.Write(std::string_view(sector.bytes.data(), count), start);
}

int Unsynced::Sync(Medium& medium, int flags) {
  if (const int code = FlushCut(medium); code != SQLITE_OK) return code;
  for (auto it = sectors_.begin(); it != sectors_.end();) {
    if (it->second.doomed) {
      ++it;
      continue;
    }
    if (const int code = Flush(medium, it->first, it->second); code != SQLITE_OK) return code;
    it = sectors_.erase(it);
  }
  return medium.Sync(flags);
}

int Unsynced::FailSync(Medium& medium, Lots& lots) {
  for (auto it = sectors_.begin(); it != sectors_.end();) {
    if (it->second.doomed || !lots.Draw(0.5)) {
      it->second.doomed = true;
      ++it;
      continue;
    }
    if (const int code = Flush(medium, it->first, it->second); code != SQLITE_OK) return code;
    it = sectors_.erase(it);
  }
  return SQLITE_OK;
}

std::uint64_t Unsynced::Cut(Medium& medium, double through, Lots& lots) {
  std::uint64_t lost = 0;
  if (lots.Draw(through)) FlushCut(medium);
  for (const auto& [number, sector] : sectors_) {
    if (!sector.doomed && lots.Draw(through)) {
      Flush(medium, number, sector);
    } else {
      ++lost;
    }
  }
  sectors_.clear();
  size_.reset();
  cut_.reset();
  return lost;
}

}  // namespace vigil::store::testing
