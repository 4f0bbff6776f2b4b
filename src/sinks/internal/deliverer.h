// Deliverer: a thread that delivers until nothing is due, and sleeps until it is woken or the next attempt is due.
#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/guarded.h"

namespace tidegate::sinks {

class Deliverer {
 public:
  // `round` says whether anything went out; `due_in_us` when the next attempt is due, nothing while none is planned.
  // Both run on the thread. `thread_name` has at most 15 characters.
  Deliverer(std::string thread_name, std::function<bool()> round, std::function<std::optional<int64_t>()> due_in_us);
  // Ends after the round under way.
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  void wake();  // any thread
  [[nodiscard]] bool stopping() { return wake_.lock()->stop; }

 private:
  struct Wake {
    bool due = false;
    bool stop = false;
  };
  void run();
  void wait_until_due();

  std::function<bool()> round_;
  std::function<std::optional<int64_t>()> due_in_us_;
  Guarded<Wake> wake_;
  std::condition_variable woken_;
  std::thread thread_;
};

}  // namespace tidegate::sinks
