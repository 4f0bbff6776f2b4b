// Arithmetic of windows and their slices. Windows that overlap are whole numbers of slices (gcd of size and slide; the
// step of CUMULATE), so that a row is added to one slice only, however much they overlap. Sessions are no slices: of
// them only `closed` holds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

#include "base/ids.h"
#include "engine/internal/calendar.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Event times outside +-kFarTime (73,000 years around 1970) are as good as none: sums with window sizes and delays
// could overflow.
inline constexpr int64_t kFarTime = int64_t{1} << 61;
inline constexpr int64_t kNever = int64_t{1} << 62;  // later than any time
// Later than the end of any window that has rows: the watermark when nothing more comes.
inline constexpr int64_t kEndOfTime = kFarTime + kFarTime / 2;

[[nodiscard]] inline bool usable_time(int64_t time_us) { return time_us > -kFarTime && time_us < kFarTime; }

// One thread at a time (a calendar remembers); copies are independent.
class WindowMath {
 public:
  explicit WindowMath(const sql::WindowSpec& spec)
      : kind_(spec.kind), size_(spec.size_us), slide_(spec.slide_us), offset_(spec.offset_us) {
    if (kind_ == sql::WindowKind::kCalendar) {
      calendar_.emplace(spec);
    } else {
      slice_ = std::gcd(spec.size_us, spec.slide_us);
    }
  }

  // Times from a slice's start on that are in the slice whatever the calendar does; 0 if that must be asked each time.
  [[nodiscard]] int64_t slice() const { return slice_; }
  // Whether the time is in any window.
  [[nodiscard]] bool usable(int64_t time) const { return calendar_ ? Calendar::covers(time) : usable_time(time); }
  // Windows grow with their rows: none of the arithmetic below holds, but for closed().
  [[nodiscard]] bool sessions() const { return kind_ == sql::WindowKind::kSession; }
  [[nodiscard]] int64_t session_gap() const { return size_; }
  // All rows are in the one window there is, whatever their time.
  [[nodiscard]] bool whole() const { return kind_ == sql::WindowKind::kAll; }
  // Windows start together and grow: slices of emitted ones need not be told apart any more.
  [[nodiscard]] bool growing() const { return kind_ == sql::WindowKind::kCumulate; }

  // A row may be in many windows.
  [[nodiscard]] bool overlaps() const { return !calendar_ && !sessions() && slide_ < size_; }
  // Of windows that overlap: from the end of one to that of the next.
  [[nodiscard]] int64_t slide() const { return slide_; }

  // Start of the slice that `time` is in.
  [[nodiscard]] int64_t slice_start(int64_t time) const {
    return calendar_ ? calendar_->period_of(time).start : floor_to(time, slice_);
  }
  // Whether a slice may start there. Rules of time zones change; what was a day's start may be none any more.
  [[nodiscard]] bool is_slice_start(int64_t time) const {
    return calendar_ ? Calendar::covers(time) : slice_start(time) == time;
  }
  // End of the first and of the last window that the slice is part of.
  [[nodiscard]] int64_t first_end(int64_t slice_start) const {
    if (calendar_) return calendar_->period_of(slice_start).end;
    if (growing()) return slice_start + slice_;
    return last_end(slice_start + slice_ - size_ - 1 + slide_);
  }
  [[nodiscard]] int64_t last_end(int64_t slice_start) const {
    if (calendar_) return calendar_->period_of(slice_start).end;
    return floor_to(slice_start, growing() ? size_ : slide_) + size_;
  }
  // Whether a window that the slice is part of ends at `end`.
  [[nodiscard]] bool is_end_of(int64_t slice_start, int64_t end) const {
    if (calendar_) return end > slice_start && Calendar::covers(end);
    const int64_t first = first_end(slice_start);
    return end >= first && end <= last_end(slice_start) && (end - first) % slide_ == 0;
  }
  // Start of the window that ends at `end`.
  [[nodiscard]] int64_t start_of(int64_t end) const {
    if (calendar_) return calendar_->period_of(end - 1).start;
    return growing() ? floor_to(end - 1, size_) : end - size_;
  }
  // Slices from here on may be part of windows that end after `end`.
  [[nodiscard]] int64_t kept_from(int64_t end) const {
    if (calendar_) return end;
    return growing() ? floor_to(end, size_) : end + slide_ - size_;
  }
  // The next window's end after that of a window.
  [[nodiscard]] int64_t next_end(int64_t end) const { return calendar_ ? end + 1 : end + slide_; }

  // The window that ends at `end` expects no more rows. Event times are whole milliseconds.
  [[nodiscard]] static bool closed(int64_t end, int64_t watermark) { return end - kMicrosPerMilli <= watermark; }
  // `end`, or the first end after it whose window is not closed.
  [[nodiscard]] int64_t open_end(int64_t end, int64_t watermark) const {
    if (!closed(end, watermark) || calendar_) return end;
    const int64_t behind = watermark - (end - kMicrosPerMilli);
    return end + (behind / slide_ + 1) * slide_;
  }

 private:
  [[nodiscard]] int64_t floor_to(int64_t time, int64_t step) const {
    const int64_t rest = (time - offset_) % step;
    return time - rest - (rest < 0 ? step : 0);
  }

  sql::WindowKind kind_;
  int64_t size_;
  int64_t slide_;
  int64_t offset_;
  int64_t slice_ = 0;
  std::optional<Calendar> calendar_;
};

}  // namespace tidegate::engine
