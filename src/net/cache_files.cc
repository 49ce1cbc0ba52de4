#include "net/cache_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <vector>

#include "net/cache_head.h"

namespace vigil::net {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDraftPrefix = "draft-";
// Room for what a 304 adds to a head.
constexpr std::size_t kSpareHeadRoom = 512;
// Every entry takes at least a block.
constexpr std::uint64_t kBlock = 4096;

std::string Hash(std::string_view text, std::size_t digits) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (std::size_t i = 0; i < digits / 2; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}
std::string FolderOf(const std::string& partition) { return Hash(partition, 32); }
std::string NameOf(const HttpCacheKey& key) { return FolderOf(key.partition) + "/" + Hash(key.url, 40); }

std::uint32_t Checksum(std::uint32_t before, std::string_view data) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

bool WriteAt(int fd, std::string_view data, std::uint64_t offset) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

std::optional<std::string> ReadAt(int fd, std::size_t size, std::uint64_t offset) {
  std::string data(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, data.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n <= 0) return std::nullopt;
    done += static_cast<std::size_t>(n);
  }
  return data;
}

std::uint64_t RoomFor(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

}  // namespace

CacheFile::~CacheFile() { ::close(fd_); }

CacheFiles::CacheFiles(fs::path directory, std::uint64_t max_bytes)
    : directory_(std::move(directory)), max_bytes_(max_bytes) {}

// What is there from earlier, the longest unused first: a file's time is that of its last use.
void CacheFiles::Scan() {
  if (std::exchange(scanned_, true)) return;
  std::error_code error;
  fs::create_directories(directory_, error);
  fs::permissions(directory_, fs::perms::owner_all, error);
  std::vector<std::pair<fs::file_time_type, std::pair<std::string, std::uint64_t>>> found;
  for (fs::recursive_directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (!it->is_regular_file(gone)) continue;
    const std::string name = it->path().lexically_relative(directory_).string();
    if (name.starts_with(kDraftPrefix)) {
      fs::remove(it->path(), gone);
      continue;
    }
    const std::uint64_t size = it->file_size(gone);
    found.emplace_back(it->last_write_time(gone), std::pair(name, size));
  }
  std::sort(found.begin(), found.end());
  for (const auto& [time, file] : found) {
    Entry entry;
    entry.bytes = RoomFor(file.second);
    entry.used = entry.generation = ++last_use_;
    bytes_ += entry.bytes;
    used_.emplace(entry.used, file.first);
    entries_.emplace(file.first, entry);
  }
  MakeRoom();
}

void CacheFiles::Touch(const std::string& name, Entry& entry) {
  used_.erase({entry.used, name});
  entry.used = ++last_use_;
  used_.emplace(entry.used, name);
}

void CacheFiles::Forget(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  bytes_ -= found->second.bytes;
  used_.erase({found->second.used, name});
  entries_.erase(found);
  ::unlink((directory_ / name).c_str());
}

void CacheFiles::MakeRoom() {
  while (bytes_ > max_bytes_ && !used_.empty()) {
    const std::string oldest = used_.begin()->second;
    Forget(oldest);
  }
}

std::shared_ptr<CachedBody> CacheFiles::Open(const HttpCacheKey& key) {
  Scan();
  auto body = std::make_shared<CachedBody>();
  body->name = NameOf(key);
  const auto found = entries_.find(body->name);
  if (found == entries_.end()) return nullptr;
  const int fd = ::open((directory_ / body->name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  struct stat status {};
  if (fd >= 0) body->file = std::make_unique<CacheFile>(fd);
  std::optional<CacheHead> head;
  if (fd >= 0 && ::fstat(fd, &status) == 0) {
    const auto prefix = ReadAt(fd, kCachePrefixBytes, 0);
    if (prefix) head = ReadCachePrefix(*prefix, static_cast<std::uint64_t>(status.st_size));
  }
  std::optional<std::string> text;
  if (head) text = ReadAt(fd, head->size, kCachePrefixBytes);
  std::optional<StoredHead> stored;
  if (text && Checksum(0, *text) == head->sum) stored = DecodeCacheHead(*text, key);
  if (!stored) {
    Forget(body->name);
    return nullptr;
  }
  Touch(body->name, found->second);
  ::futimens(fd, nullptr);
  body->generation = found->second.generation;
  body->head = std::move(*stored);
  body->head_room = head->room;
  body->size = head->body_size;
  body->wanted_sum = head->body_sum;
  if (body->size > kPieceBytes) return body;
  Result<std::string> whole = Read(*body);
  if (!whole) return nullptr;
  body->whole = std::move(*whole);
  return body;
}

Result<std::string> CacheFiles::Read(CachedBody& body) {
  const auto left = body.size - body.offset;
  if (left == 0) return std::string();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes));
  auto piece = ReadAt(body.file->fd(), size, kCachePrefixBytes + body.head_room + body.offset);
  if (piece) {
    body.offset += size;
    body.sum = Checksum(body.sum, *piece);
  }
  // The last piece is only handed out with all before it in order.
  if (piece && (body.offset < body.size || body.sum == body.wanted_sum)) return std::move(*piece);
  const auto found = entries_.find(body.name);
  if (found != entries_.end() && found->second.generation == body.generation) Forget(body.name);
  return Fail(ErrorCode::kCorrupt, "the cached response is damaged; it was removed");
}

void CacheFiles::Update(CachedBody& body, const HttpCacheKey& key, const StoredHead& head) {
  const auto found = entries_.find(body.name);
  if (found == entries_.end() || found->second.generation != body.generation) return;
  const std::string text = EncodeCacheHead(head, key);
  if (text.size() > body.head_room) return Forget(body.name);
  CacheHead changed;
  changed.size = text.size();
  changed.room = body.head_room;
  changed.sum = Checksum(0, text);
  changed.body_size = body.size;
  changed.body_sum = body.wanted_sum;
  if (!WriteAt(body.file->fd(), WriteCachePrefix(changed) + text, 0)) Forget(body.name);
}

std::shared_ptr<CacheDraft> CacheFiles::Begin(const HttpCacheKey& key, const StoredHead& head) {
  Scan();
  auto draft = std::make_shared<CacheDraft>();
  draft->name = NameOf(key);
  draft->path = directory_ / fmt::format("{}{}", kDraftPrefix, ++last_draft_);
  const int fd = ::open(draft->path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    draft->failed = true;
    return draft;
  }
  draft->file = std::make_unique<CacheFile>(fd);
  const std::string text = EncodeCacheHead(head, key);
  draft->head_size = text.size();
  draft->head_room = text.size() + kSpareHeadRoom;
  draft->head_sum = Checksum(0, text);
  draft->failed = !WriteAt(fd, text, kCachePrefixBytes);
  return draft;
}

void CacheFiles::Append(CacheDraft& draft, std::string_view data) {
  if (draft.failed) return;
  draft.failed = draft.size + data.size() > max_entry_bytes() ||
                 !WriteAt(draft.file->fd(), data, kCachePrefixBytes + draft.head_room + draft.size);
  draft.size += data.size();
  draft.body_sum = Checksum(draft.body_sum, data);
  if (draft.failed) Discard(draft);
}

void CacheFiles::Commit(CacheDraft& draft) {
  if (draft.failed) return Discard(draft);
  CacheHead head;
  head.size = draft.head_size;
  head.room = draft.head_room;
  head.sum = draft.head_sum;
  head.body_size = draft.size;
  head.body_sum = draft.body_sum;
  const std::uint64_t bytes = kCachePrefixBytes + draft.head_room + draft.size;
  std::error_code error;
  fs::create_directories((directory_ / draft.name).parent_path(), error);
  Forget(draft.name);
  if (!WriteAt(draft.file->fd(), WriteCachePrefix(head), 0) ||
      ::ftruncate(draft.file->fd(), static_cast<off_t>(bytes)) != 0 ||
      ::rename(draft.path.c_str(), (directory_ / draft.name).c_str()) != 0) {
    return Discard(draft);
  }
  Entry entry;
  entry.bytes = RoomFor(bytes);
  entry.used = entry.generation = ++last_use_;
  bytes_ += entry.bytes;
  used_.emplace(entry.used, draft.name);
  entries_.emplace(draft.name, entry);
  MakeRoom();
}

void CacheFiles::Discard(CacheDraft& draft) {
  draft.failed = true;
  if (draft.file) ::unlink(draft.path.c_str());
  draft.file.reset();
}

void CacheFiles::Remove(const HttpCacheKey& key) {
  Scan();
  Forget(NameOf(key));
}

void CacheFiles::Clear(const std::string& partition) {
  Scan();
  const std::string folder = FolderOf(partition);
  for (auto it = entries_.lower_bound(folder + "/"); it != entries_.end() && it->first.starts_with(folder);) {
    const std::string name = (it++)->first;
    Forget(name);
  }
  std::error_code error;
  fs::remove_all(directory_ / folder, error);
}

}  // namespace vigil::net
