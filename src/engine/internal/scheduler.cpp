#include "engine/internal/scheduler.h"
#include "io/thread.h"

#include <utility>

namespace tidegate::engine {

Scheduler::Scheduler(const io::Clock& clock, bool manual, Turns turns, bool gives_way)
    : clock_(clock), turns_(std::move(turns)) {
  if (!manual) {
    thread_ = std::thread([this, gives_way] {
      io::name_this_thread(gives_way ? "tg-query" : "tg-engine");
      if (gives_way) io::lower_this_thread_priority();
      loop();
    });
  }
}

void Scheduler::call(std::function<void()> work) {
  if (!thread_.joinable()) return work();
  std::packaged_task<void()> task(std::move(work));
  std::future<void> done = task.get_future();
  calls_.lock()->push_back(std::move(task));
  wake_.signal();
  done.wait();
}

void Scheduler::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake_.signal();
  thread_.join();
  run_calls();
}

void Scheduler::loop() {
  while (!stopping_) {
    run_calls();
    if (turns_.step()) continue;
    const int64_t next_us = turns_.next_step_us();
    wake_.wait_us(next_us >= kNever ? kNever : next_us - clock_.monotonic_us());
  }
}

void Scheduler::run_calls() {
  std::deque<std::packaged_task<void()>> calls;
  calls_.lock()->swap(calls);
  for (auto& call : calls) call();
}

}  // namespace tidegate::engine
