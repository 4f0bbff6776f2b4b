// Wake: what an engine thread sleeps on. Any thread may signal it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tidegate::engine {

class Wake {
 public:
  void signal() {
    {
      const std::lock_guard lock(mutex_);
      if (signalled_) return;
      signalled_ = true;
    }
    changed_.notify_one();
  }
  // Until signalled since the last wait, or `timeout_us` have passed.
  void wait_us(int64_t timeout_us) {
    // Longer waits overflow the deadlines of some standard libraries.
    constexpr int64_t kLongestUs = 3600 * int64_t{1'000'000};
    std::unique_lock lock(mutex_);
    const auto timeout = std::chrono::microseconds(std::clamp<int64_t>(timeout_us, 0, kLongestUs));
    changed_.wait_for(lock, timeout, [this] { return signalled_; });
    signalled_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool signalled_ = false;
};

}  // namespace tidegate::engine
