// V8's view of the machine in a process with one thread: no worker threads, one queue of tasks that the event
// loop runs, and a wall clock that can be the daemon's virtual one (so Date follows it).
#pragma once

#include <v8-platform.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "worker/clock.h"

namespace vigil::worker {

// Tasks that V8 posted: what is due, in order of posting. Delays count on the real monotonic clock: they
// serve V8's own housekeeping, not scripts.
class TaskQueue final : public v8::TaskRunner {
 public:
  bool IdleTasksEnabled() override { return false; }
  bool NonNestableTasksEnabled() const override { return true; }
  bool NonNestableDelayedTasksEnabled() const override { return true; }

  // Runs one task that is due. False: there was none.
  bool RunOne();
  // Real monotonic time of the next delayed task, in microseconds.
  std::optional<std::int64_t> NextDelayed() const;
  void Clear();

 protected:
  void PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation& location) override;
  void PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation& location) override;
  void PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                           const v8::SourceLocation& location) override;
  void PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                      const v8::SourceLocation& location) override;

 private:
  std::deque<std::unique_ptr<v8::Task>> ready_;
  std::multimap<std::int64_t, std::unique_ptr<v8::Task>> delayed_;
};

class WorkerPlatform final : public v8::Platform {
 public:
  // The clock outlives the platform.
  explicit WorkerPlatform(const WorkerClock& clock) : clock_(clock) {}

  TaskQueue& tasks() { return *tasks_; }

  v8::PageAllocator* GetPageAllocator() override { return nullptr; }
  int NumberOfWorkerThreads() override { return 0; }
  std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate*, v8::TaskPriority) override {
    return tasks_;
  }
  bool IdleTasksEnabled(v8::Isolate*) override { return false; }
  // Real time: V8 measures its garbage collections with it.
  double MonotonicallyIncreasingTime() override;
  double CurrentClockTimeMillis() override;
  v8::TracingController* GetTracingController() override { return &tracing_; }

 protected:
  std::unique_ptr<v8::JobHandle> CreateJobImpl(v8::TaskPriority priority,
                                               std::unique_ptr<v8::JobTask> job_task,
                                               const v8::SourceLocation& location) override;
  void PostTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                  const v8::SourceLocation& location) override;
  void PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                         double delay_in_seconds,
                                         const v8::SourceLocation& location) override;

 private:
  const WorkerClock& clock_;
  std::shared_ptr<TaskQueue> tasks_ = std::make_shared<TaskQueue>();
  v8::TracingController tracing_;
};

}  // namespace vigil::worker
