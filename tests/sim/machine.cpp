#include "machine.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include "disk_file_system.h"
#include "single_thread.h"

namespace tidegate::simulation {

namespace {

class Clock final : public rocksdb::SystemClock {
 public:
  Clock(io::ManualClock& clock, Jobs& jobs) : clock_(clock), jobs_(jobs) {}
  const char* Name() const override { return "tidegate-simulation"; }
  uint64_t NowMicros() override { return static_cast<uint64_t>(clock_.now_us()); }
  void SleepForMicroseconds(int micros) override {
    clock_.advance_us(micros);
    jobs_.run_one();
  }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override {
    *seconds = clock_.now_us() / kMicrosPerSecond;
    return rocksdb::Status::OK();
  }
  std::string TimeToString(uint64_t time) override { return std::to_string(time); }

 private:
  io::ManualClock& clock_;
  Jobs& jobs_;
};

class Environment final : public rocksdb::EnvWrapper {
 public:
  // Shared as RocksDB's faces ask for it.
  Environment(rocksdb::Env* base, std::shared_ptr<rocksdb::FileSystem> files,
              std::shared_ptr<rocksdb::SystemClock> clock, Jobs& jobs)
      : EnvWrapper(base), jobs_(jobs) {
    file_system_ = std::move(files);
    system_clock_ = std::move(clock);
  }
  const char* Name() const override { return "tidegate-simulation"; }
  void Schedule(void (*run)(void*), void* argument, Priority, void* tag, void (*forget)(void*)) override {
    jobs_.add({run, argument, tag, forget});
  }
  int UnSchedule(void* tag, Priority) override { return jobs_.remove(tag); }
  void StartThread(void (*)(void*), void*) override { std::abort(); }  // there is only one
  uint64_t NowMicros() override { return system_clock_->NowMicros(); }
  void SleepForMicroseconds(int micros) override { system_clock_->SleepForMicroseconds(micros); }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override { return system_clock_->GetCurrentTime(seconds); }
  void SetBackgroundThreads(int, Priority) override {}
  int GetBackgroundThreads(Priority) override { return 1; }
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}

 private:
  Jobs& jobs_;
};

}  // namespace

int Jobs::remove(void* tag) {
  int removed = 0;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->tag != tag) {
      ++at;
      continue;
    }
    const Job job = *at;
    at = waiting_.erase(at);
    if (job.forget != nullptr) job.forget(job.argument);
    ++removed;
  }
  return removed;
}

bool Jobs::run_one() {
  if (waiting_.empty()) return false;
  const auto chosen = waiting_.begin() + static_cast<ptrdiff_t>(random_.below(waiting_.size()));
  const Job job = *chosen;
  waiting_.erase(chosen);
  job.run(job.argument);
  return true;
}

void Jobs::run_some() {
  for (size_t left = waiting_.size(); left > 0 && random_.below(4) != 0; --left) run_one();
}

Machine::Machine(uint64_t seed) : disk(seed), jobs(seed + 1) {
  auto files = std::make_shared<DiskFileSystem>(disk, clock);
  base_ = rocksdb::NewCompositeEnv(files);
  env_ = std::make_unique<Environment>(base_.get(), files, std::make_shared<Clock>(clock, jobs), jobs);
  take_over_this_thread(jobs);
}

Machine::~Machine() { give_back_this_thread(); }

}  // namespace tidegate::simulation
