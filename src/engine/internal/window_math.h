// Arithmetic of windows and their slices. A slice is gcd(size, slide) long, so every window is a whole number of
// slices and a row is added to one slice only, however much the windows overlap.
#pragma once

#include <cstdint>
#include <numeric>

#include "base/ids.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Event times outside +-kFarTime (73,000 years around 1970) are as good as none: sums with window sizes and delays
// could overflow.
inline constexpr int64_t kFarTime = int64_t{1} << 61;
inline constexpr int64_t kNever = int64_t{1} << 62;  // later than any time

[[nodiscard]] inline bool usable_time(int64_t time_us) { return time_us > -kFarTime && time_us < kFarTime; }

class WindowMath {
 public:
  explicit WindowMath(const sql::WindowSpec& spec)
      : size_(spec.size_us),
        slide_(spec.slide_us),
        offset_(spec.offset_us),
        slice_(std::gcd(spec.size_us, spec.slide_us)) {}

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] int64_t slide() const { return slide_; }
  [[nodiscard]] int64_t slice() const { return slice_; }

  // Start of the slice that `time` is in.
  [[nodiscard]] int64_t slice_start(int64_t time) const { return floor_to(time, slice_); }
  // End of the first and of the last window that the slice is part of.
  [[nodiscard]] int64_t first_end(int64_t slice_start) const {
    return last_end(slice_start + slice_ - size_ - 1 + slide_);
  }
  [[nodiscard]] int64_t last_end(int64_t slice_start) const { return floor_to(slice_start, slide_) + size_; }
  // Whether a window that the slice is part of ends at `end`.
  [[nodiscard]] bool is_end_of(int64_t slice_start, int64_t end) const {
    const int64_t first = first_end(slice_start);
    return end >= first && end <= last_end(slice_start) && (end - first) % slide_ == 0;
  }
  // The window [end - size, end) expects no more rows. Event times are whole milliseconds.
  [[nodiscard]] static bool closed(int64_t end, int64_t watermark) { return end - kMicrosPerMilli <= watermark; }
  // `end`, or the first end after it whose window is not closed.
  [[nodiscard]] int64_t open_end(int64_t end, int64_t watermark) const {
    if (!closed(end, watermark)) return end;
    const int64_t behind = watermark - (end - kMicrosPerMilli);
    return end + (behind / slide_ + 1) * slide_;
  }

 private:
  [[nodiscard]] int64_t floor_to(int64_t time, int64_t step) const {
    const int64_t rest = (time - offset_) % step;
    return time - rest - (rest < 0 ? step : 0);
  }

  int64_t size_;
  int64_t slide_;
  int64_t offset_;
  int64_t slice_;
};

}  // namespace tidegate::engine
