// For tests of the façades without the rest of the house: serves one client's IndexedDB and Cache requests on
// a pair of pipes. usage: storage_server DIRECTORY. In: frames (32-bit little-endian length) of ipc::Request;
// out: of ipc::ToWorker.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "ipc/vigil.pb.h"
#include "storage/cache_service.h"
#include "storage/idb_service.h"

namespace {

using namespace vigil;

class Server : public storage::IdbSink {
 public:
  explicit Server(const char* directory)
      : directories_(directory, 1ull << 30), idb_(directories_, *this), cache_(directories_) {
    idb_.AddClient(1, "https://shop.example");
    cache_.AddClient(1, "https://shop.example");
  }
  void OnReply(storage::ClientId, std::uint64_t request, ipc::IdbReply reply) override {
    ipc::ToWorker message;
    message.mutable_reply()->set_id(request);
    *message.mutable_reply()->mutable_idb() = std::move(reply);
    Write(message);
  }
  void OnNotice(storage::ClientId, ipc::IdbNotice notice) override {
    ipc::ToWorker message;
    *message.mutable_idb() = std::move(notice);
    Write(message);
  }
  void Handle(ipc::Request& request) {
    if (request.has_idb()) {
      idb_.Handle(1, request.id(), std::move(*request.mutable_idb()));
    } else {
      ipc::ToWorker message;
      message.mutable_reply()->set_id(request.id());
      *message.mutable_reply()->mutable_cache() = cache_.Handle(1, request.cache());
      Write(message);
    }
  }

 private:
  void Write(ipc::ToWorker& message) {
    message.set_seq(++seq_);
    std::string frame = message.SerializeAsString();
    const auto size = static_cast<std::uint32_t>(frame.size());
    std::string head;
    for (int shift = 0; shift < 32; shift += 8) head.push_back(static_cast<char>(size >> shift & 0xff));
    frame.insert(0, head);
    for (std::size_t done = 0; done < frame.size();) {
      const ssize_t written = ::write(STDOUT_FILENO, frame.data() + done, frame.size() - done);
      if (written <= 0) _exit(1);
      done += static_cast<std::size_t>(written);
    }
  }

  std::uint64_t seq_ = 0;
  storage::OriginDirectories directories_;
  storage::IdbService idb_;
  storage::CacheService cache_;
};

bool ReadFully(char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(STDIN_FILENO, to, size);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: storage_server DIRECTORY\n", stderr);
    return 2;
  }
  Server server(argv[1]);
  std::array<unsigned char, 4> head;
  while (ReadFully(reinterpret_cast<char*>(head.data()), head.size())) {
    std::string frame(head[0] | head[1] << 8 | head[2] << 16 | static_cast<std::uint32_t>(head[3]) << 24,
                      '\0');
    ipc::Request request;
    if (!ReadFully(frame.data(), frame.size()) || !request.ParseFromString(frame)) return 1;
    server.Handle(request);
  }
  return 0;
}
