// The clock, behind a face so that tests and simulations set the time instead of waiting for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/ids.h"

namespace tidegate::io {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time, microseconds since 1970-01-01T00:00:00Z. May jump back when someone sets the machine's clock.
  [[nodiscard]] virtual int64_t now_us() const = 0;
  // Microseconds since some start; never goes back.
  [[nodiscard]] virtual int64_t monotonic_us() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_us() const override;
  [[nodiscard]] int64_t monotonic_us() const override;
};

// Stands still until told to move. Any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_us) : now_us_(now_us) {}
  [[nodiscard]] int64_t now_us() const override { return now_us_.load(); }
  [[nodiscard]] int64_t monotonic_us() const override { return elapsed_us_.load(); }
  void advance_us(int64_t by_us) {
    now_us_ += by_us;
    elapsed_us_ += by_us;
  }
  // Sets the wall clock alone, backwards too.
  void set_wall_us(int64_t now_us) { now_us_ = now_us; }

 private:
  std::atomic<int64_t> now_us_;
  std::atomic<int64_t> elapsed_us_{0};
};

}  // namespace tidegate::io
