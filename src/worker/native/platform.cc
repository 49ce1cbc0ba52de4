#include "worker/native/platform.h"

#include <utility>

namespace vigil::worker {
namespace {

// A job runs on the only thread: when it is joined, or as a task when nobody joins it.
class Job : public std::enable_shared_from_this<Job> {
 public:
  Job(TaskQueue& tasks, std::unique_ptr<v8::JobTask> task, v8::TaskPriority)
      : tasks_(tasks), task_(std::move(task)) {}

  void Schedule();
  void RunToEnd();
  void Drop() { task_.reset(); }
  bool HasTask() const { return task_ != nullptr; }
  bool IsActive() const { return task_ != nullptr && (running_ || task_->GetMaxConcurrency(0) > 0); }

 private:
  TaskQueue& tasks_;
  std::unique_ptr<v8::JobTask> task_;
  bool scheduled_ = false;
  bool running_ = false;
};

class Delegate final : public v8::JobDelegate {
 public:
  bool ShouldYield() override { return false; }
  void NotifyConcurrencyIncrease() override {}
  std::uint8_t GetTaskId() override { return 0; }
  bool IsJoiningThread() const override { return true; }
};

class JobRun final : public v8::Task {
 public:
  explicit JobRun(std::shared_ptr<Job> job) : job_(std::move(job)) {}
  void Run() override { job_->RunToEnd(); }

 private:
  std::shared_ptr<Job> job_;
};

void Job::Schedule() {
  if (scheduled_ || task_ == nullptr) return;
  scheduled_ = true;
  tasks_.PostTask(std::make_unique<JobRun>(shared_from_this()));
}

void Job::RunToEnd() {
  scheduled_ = false;
  if (running_) return;
  running_ = true;
  Delegate delegate;
  while (task_ != nullptr && task_->GetMaxConcurrency(0) > 0) task_->Run(&delegate);
  running_ = false;
}

class Handle final : public v8::JobHandle {
 public:
  explicit Handle(std::shared_ptr<Job> job) : job_(std::move(job)) {}
  void NotifyConcurrencyIncrease() override { job_->Schedule(); }
  void Join() override {
    job_->RunToEnd();
    job_->Drop();
  }
  void Cancel() override { job_->Drop(); }
  void CancelAndDetach() override { job_->Drop(); }
  bool IsActive() override { return job_->IsActive(); }
  bool IsValid() override { return job_->HasTask(); }

 private:
  std::shared_ptr<Job> job_;
};

}  // namespace

bool TaskQueue::RunOne() {
  if (ready_.empty() && !delayed_.empty() && delayed_.begin()->first <= RealMonoUs()) {
    ready_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
  if (ready_.empty()) return false;
  const std::unique_ptr<v8::Task> task = std::move(ready_.front());
  ready_.pop_front();
  task->Run();
  return true;
}

std::optional<std::int64_t> TaskQueue::NextDelayed() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.begin()->first;
}

void TaskQueue::Clear() {
  ready_.clear();
  delayed_.clear();
}

void TaskQueue::PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  ready_.push_back(std::move(task));
}
void TaskQueue::PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  ready_.push_back(std::move(task));
}
void TaskQueue::PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                    const v8::SourceLocation&) {
  delayed_.emplace(RealMonoUs() + static_cast<std::int64_t>(delay_in_seconds * 1e6), std::move(task));
}
void TaskQueue::PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                               const v8::SourceLocation&) {
  delayed_.emplace(RealMonoUs() + static_cast<std::int64_t>(delay_in_seconds * 1e6), std::move(task));
}

double WorkerPlatform::MonotonicallyIncreasingTime() { return static_cast<double>(RealMonoUs()) / 1e6; }
double WorkerPlatform::CurrentClockTimeMillis() { return static_cast<double>(clock_.WallUs()) / 1e3; }

std::unique_ptr<v8::JobHandle> WorkerPlatform::CreateJobImpl(v8::TaskPriority priority,
                                                             std::unique_ptr<v8::JobTask> job_task,
                                                             const v8::SourceLocation&) {
  return std::make_unique<Handle>(std::make_shared<Job>(*tasks_, std::move(job_task), priority));
}

void WorkerPlatform::PostTaskOnWorkerThreadImpl(v8::TaskPriority, std::unique_ptr<v8::Task> task,
                                                const v8::SourceLocation&) {
  tasks_->PostTask(std::move(task));
}

void WorkerPlatform::PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority, std::unique_ptr<v8::Task> task,
                                                       double delay_in_seconds, const v8::SourceLocation&) {
  tasks_->PostDelayedTask(std::move(task), delay_in_seconds);
}

}  // namespace vigil::worker
