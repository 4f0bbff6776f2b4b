// Scheduler: one engine thread that gives its tasks their turns and sleeps when none has anything to do.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <thread>

#include "base/guarded.h"
#include "engine/internal/wake.h"
#include "engine/internal/window_math.h"
#include "io/clock.h"

namespace tidegate::engine {

// What the thread does; both on that thread.
struct Turns {
  std::function<bool()> step;             // true: did something, call again
  std::function<int64_t()> next_step_us;  // monotonic; kNever: only when woken
};

// Any thread may call() and wake().
class Scheduler {
 public:
  // `manual`: no thread; call() runs on the caller's. `gives_way`: a thread that all others go before.
  Scheduler(const io::Clock& clock, bool manual, Turns turns, bool gives_way = false);
  ~Scheduler() { stop(); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void wake() { wake_.signal(); }
  // Runs `work` between two steps and waits for it. Not from the thread itself.
  void call(std::function<void()> work);
  // Ends the thread; afterwards call() runs on the caller's.
  void stop();

 private:
  void loop();
  void run_calls();

  const io::Clock& clock_;
  Turns turns_;
  Wake wake_;
  Guarded<std::deque<std::packaged_task<void()>>> calls_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tidegate::engine
