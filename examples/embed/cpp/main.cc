// A whole host of Vigil's engine: its own clock, network switch, permissions, a file that survives, and "run
// the event". It registers a sync offline, restarts, comes online, fails once, and succeeds at the retry.
// Time is virtual, so that it ends at once.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "vigil/driver.h"
#include "vigil/memory_ports.h"
#include "vigil/record_codec.h"

using namespace std::chrono_literals;

// One file with all records. A write makes a new file, syncs it, and puts it in the old one's place: all
// changes or none, whenever the power goes.
class FileStore : public vigil::StorePort {
 public:
  explicit FileStore(std::filesystem::path path) : path_(std::move(path)) {}

  vigil::LoadResult Load() override {
    vigil::LoadResult result;
    std::ifstream in(path_, std::ios::binary);
    for (std::uint32_t size = 0; in.read(reinterpret_cast<char*>(&size), sizeof size);) {
      std::string value(size, '\0');
      in.read(value.data(), size);
      vigil::DecodedRecord decoded = vigil::DecodeRecord(in ? value : "");
      if (!decoded.record) return {{}, decoded.error};
      values_[vigil::EncodeRecordKey(decoded.record->key)] = value;
      result.records.push_back(std::move(*decoded.record));
    }
    return result;
  }

  vigil::WriteResult Write(vigil::WriteToken, const std::vector<vigil::RecordChange>& changes) override {
    std::map<std::string, std::string> next = values_;
    for (const vigil::RecordChange& change : changes) {
      const std::string key = vigil::EncodeRecordKey(change.record.key);
      if (change.op == vigil::RecordChange::Op::kErase) next.erase(key);
      if (change.op == vigil::RecordChange::Op::kPut) next[key] = vigil::EncodeRecord(change.record);
    }
    std::string bytes;
    for (const auto& [key, value] : next) {
      const auto size = static_cast<std::uint32_t>(value.size());
      bytes.append(reinterpret_cast<const char*>(&size), sizeof size).append(value);
    }
    if (!Replace(bytes)) return vigil::WriteResult::Failed("cannot write " + path_.string());
    values_ = std::move(next);
    return vigil::WriteResult::Written();
  }

 private:
  bool Replace(const std::string& bytes) const {
    const std::string fresh = path_.string() + ".new";
    std::FILE* file = std::fopen(fresh.c_str(), "wb");
    if (file == nullptr) return false;
    const bool written =
        std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0;
    const bool synced = written && ::fsync(::fileno(file)) == 0;
    if (std::fclose(file) != 0 || !synced || std::rename(fresh.c_str(), path_.c_str()) != 0) return false;
    const int directory = ::open(path_.parent_path().c_str(), O_RDONLY);
    const bool kept = directory >= 0 && ::fsync(directory) == 0;  // the new name is on the disk too
    ::close(directory);
    return kept;
  }

  std::filesystem::path path_;
  std::map<std::string, std::string> values_;
};

// Everything but the store: permissions, network and clock are held in memory (vigil/memory_ports.h).
struct Host : vigil::DispatcherPort {
  explicit Host(const std::filesystem::path& file) : store(file), driver({}, Ports()) {
    clock.now = {vigil::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)),
                 vigil::MonoTime(1h)};
    clock.on_wake = [this] { driver.Tick(); };
  }
  vigil::DriverPorts Ports() { return {policy, network, random, store, *this, clock}; }

  // "Fire the event at the service worker": here the first post to the server fails.
  void Dispatch(const vigil::effect::Dispatch& event) override {
    const bool works = ++runs > failures;
    std::printf("%s event \"%s\" runs, lastChance=%s: %s\n", vigil::SyncKindName(event.key.kind),
                event.key.tag.c_str(), event.last_chance ? "true" : "false", works ? "succeeds" : "fails");
    driver.EventFinished(event.token,
                         works ? vigil::DispatchOutcome::kSucceeded : vigil::DispatchOutcome::kRejected);
  }
  void Show() const {
    if (driver.engine().size() == 0) std::puts("nothing is registered");
    for (const auto& view : driver.engine().List(driver.now())) {
      std::printf("\"%s\" is %s: %s\n", view.key.tag.c_str(), vigil::SyncStateName(view.explanation.state),
                  view.explanation.sentence.c_str());
    }
  }

  int runs = 0;
  int failures = 1;
  vigil::MemoryPolicy policy;
  vigil::MemoryNetwork network;
  vigil::SeededRandom random;
  vigil::ManualClock clock;
  FileStore store;
  vigil::Driver driver;
};

int main(int argc, char** argv) {
  const std::filesystem::path file = std::filesystem::absolute(argc > 1 ? argv[1] : "embed.registrations");
  std::filesystem::remove(file);
  {
    std::puts("-- offline");
    Host host(file);
    host.network.online = false;
    if (const auto error = host.driver.Start()) return std::puts(error->c_str()), 1;
    vigil::input::Register call{.key = {1, vigil::SyncKind::kOneShot, "send-post"},
                                .origin = "https://shop.example"};
    host.driver.Register(call, [&](const auto& error) {
      std::printf("register: %s\n", error ? error->message.c_str() : "on the disk");
      host.driver.Acknowledge(1, "send-post");
    });
    host.Show();
  }
  std::puts("-- restarted");
  Host host(file);
  host.network.online = false;
  if (const auto error = host.driver.Start()) return std::puts(error->c_str()), 1;
  host.Show();
  std::puts("-- online");
  host.network.online = true;
  host.driver.NetworkChanged();
  host.Show();
  std::puts("-- five minutes later");
  host.clock.Advance(5min);
  host.Show();
}
