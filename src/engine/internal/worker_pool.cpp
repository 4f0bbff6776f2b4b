#include "engine/internal/worker_pool.h"
#include "io/thread.h"

#include <algorithm>

namespace tidegate::engine {

WorkerPool::WorkerPool(int workers, bool inline_only) : workers_(std::max(workers, 1)) {
  if (inline_only) return;
  for (int worker = 1; worker < workers_; ++worker) {
    threads_.emplace_back([this, worker] {
      io::name_this_thread("tg-worker");
      loop(worker);
    });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(const std::function<void(int)>& work) {
  if (threads_.empty()) {
    for (int worker = 0; worker < workers_; ++worker) work(worker);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    running_ = static_cast<int>(threads_.size());
    ++round_;
  }
  start_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

void WorkerPool::loop(int worker) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    start_.wait(lock, [&] { return stopping_ || round_ != seen; });
    if (stopping_) return;
    seen = round_;
    const std::function<void(int)>& work = *work_;
    lock.unlock();
    work(worker);
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

}  // namespace tidegate::engine
