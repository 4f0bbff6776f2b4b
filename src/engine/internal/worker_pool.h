// The engine's workers: runs one piece of work per worker and waits for all of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tidegate::engine {

// run() from one thread at a time. Worker 0 is the caller; the others are threads, or, if `inline_only`, the caller
// too.
class WorkerPool {
 public:
  WorkerPool(int workers, bool inline_only);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] int size() const { return workers_; }
  // Calls work(0) ... work(size() - 1), at the same time if there are threads.
  void run(const std::function<void(int)>& work);

 private:
  void loop(int worker);

  const int workers_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const std::function<void(int)>* work_ = nullptr;  // guarded by mutex_, as is all below
  uint64_t round_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tidegate::engine
