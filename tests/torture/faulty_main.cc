// vigil-faulty: the product's `vigil` on a bad disk (store/testing/fault_vfs.h), for `make torture`. Killing
// it with SIGKILL is a power cut: what was written and not synced is gone, but for a random part.
//
//   VIGIL_FAULTY_SEED           of the lots drawn
//   VIGIL_FAULTY_WRITE_THROUGH  probability that a written sector reaches the disk without a sync
//   VIGIL_FAULTY_LIES           if set, syncs do nothing: the torture must notice
//
// Faults come as lines on standard input, each answered by one line on standard output that begins with
// "faulty:":
//   aim NAME | aim            only files whose name contains NAME fail | all
//   writes once|on            the next write fails | all do
//   syncs once|on
//   full BYTES once|on        the disk is full after so many more bytes
//   random RATE               each write and each sync fails with this probability
//   heal
#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include "cli/context.h"
#include "store/testing/fault_vfs.h"

namespace {

using vigil::store::testing::FaultVfs;

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

bool Obey(FaultVfs& vfs, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  std::string lasts;
  std::uint64_t bytes = 0;
  words >> verb;
  if (verb == "heal") {
    vfs.Heal();
    return true;
  }
  if (verb == "aim") {
    std::string name;
    words >> name;
    vfs.Aim(name);
    return true;
  }
  if (double rate = 0; verb == "random") {
    if (words >> rate) vfs.FailAtRandom(rate);
    return !words.fail();
  }
  if (verb == "full") words >> bytes;
  words >> lasts;
  if (words.fail() || (lasts != "once" && lasts != "on")) return false;
  const auto how = lasts == "once" ? FaultVfs::Lasts::kOnce : FaultVfs::Lasts::kUntilHealed;
  if (verb == "writes") vfs.FailWrites(how);
  if (verb == "syncs") vfs.FailSyncs(how);
  if (verb == "full") vfs.FillAfter(bytes, how);
  return verb == "writes" || verb == "syncs" || verb == "full";
}

void Listen(FaultVfs& vfs) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const bool understood = Obey(vfs, line);
    const FaultVfs::Counters counters = vfs.counters();
    fmt::print("faulty: {} writes={} syncs={} faults={}\n", understood ? "ok" : "what?", counters.writes,
               counters.syncs, counters.faults);
    std::fflush(stdout);
  }
}

// The daemon waits for signals on its own thread: this one takes none.
void ListenBeside(FaultVfs& vfs) {
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  std::thread([&vfs] { Listen(vfs); }).detach();
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  FaultVfs::Options options;
  options.name = "vigil-faulty";
  options.files = FaultVfs::Files::kOnDisk;
  options.seed = std::stoull(Environment("VIGIL_FAULTY_SEED", "1"));
  options.write_through = std::stod(Environment("VIGIL_FAULTY_WRITE_THROUGH", "0.25"));
  options.make_default = true;
  // Outlives the listening thread, that is, lives as long as the process.
  static FaultVfs& vfs = *new FaultVfs(options);
  if (std::getenv("VIGIL_FAULTY_LIES") != nullptr) vfs.Lie();
  ListenBeside(vfs);
  return vigil::cli::Main(argc, argv);
}
