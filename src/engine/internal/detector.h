// What a detection function knows of one partition, and when it raises and clears an alert. Knows no engine: readings
// in event-time order in, alerts out.
//
// A reading holds until the next one, so that a duration can run out between two readings: deadline() says when, and
// pass() tells that time has gone by. Time never goes back: a reading from before what was decided counts as of then.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "sql/detect.h"

namespace tidegate::engine {

// Readings or events that one partition remembers at most; the oldest are forgotten first.
inline constexpr size_t kMaxDetectorReadings = 20'000;

struct Alert {
  bool raised = true;  // else cleared
  std::optional<double> value;
  int64_t at_us = 0;
  int64_t raised_at_us = 0;
  int64_t since_us = 0;  // when the condition began

  bool operator==(const Alert&) const = default;
};
using Alerts = std::vector<Alert>;

// One thread at a time. `rule` is always the same.
class Detector {
 public:
  // The next reading. `value` means nothing to kMissing and kCount.
  void reading(const sql::Detect& rule, int64_t time_us, double value, Alerts& out);
  // Nothing before `time_us` comes any more.
  void pass(const sql::Detect& rule, int64_t time_us, Alerts& out);

  // pass() with a later time does something; kNever: with none.
  [[nodiscard]] int64_t deadline_us() const { return deadline_us_; }
  // The latest time that it knows of.
  [[nodiscard]] int64_t time_us() const { return time_us_; }
  // Whether, apart from time_us(), it is like one that has seen nothing.
  [[nodiscard]] bool is_blank() const { return phase_ == Phase::kCalm && readings_.empty(); }

  void write(ByteWriter& out) const;
  // False: not the bytes of a detector.
  [[nodiscard]] bool read(ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return sizeof(Detector) + readings_.capacity() * sizeof(Reading); }

 private:
  enum class Phase : uint8_t { kCalm = 0, kPending = 1, kRaised = 2 };
  struct Reading {
    int64_t time_us;
    double value;
  };

  void threshold(const sql::Detect& rule, int64_t time_us, double value, Alerts& out);
  void change(const sql::Detect& rule, int64_t time_us, double value, Alerts& out);
  void stuck(const sql::Detect& rule, int64_t time_us, double value, Alerts& out);
  void missing(const sql::Detect& rule, int64_t time_us, Alerts& out);
  void count(const sql::Detect& rule, int64_t time_us, Alerts& out);
  void raise(int64_t at_us, std::optional<double> value, Alerts& out);
  void clear(int64_t at_us, std::optional<double> value, Alerts& out);
  void forget_until(int64_t time_us);
  [[nodiscard]] size_t remembered() const { return readings_.size() - first_; }

  Phase phase_ = Phase::kCalm;
  int64_t time_us_ = kNoTime;
  int64_t since_us_ = 0;
  int64_t raised_at_us_ = 0;
  int64_t deadline_us_ = kNoDeadline;
  double value_ = 0;               // kThreshold: the latest; kStuck: the one that the others are compared with
  std::vector<Reading> readings_;  // kChange, kCount: from first_ on, by time
  size_t first_ = 0;

  static constexpr int64_t kNoTime = -(int64_t{1} << 62);
  static constexpr int64_t kNoDeadline = int64_t{1} << 62;
};

// Whether a value alone, in a partition that is blank, changes nothing.
[[nodiscard]] bool leaves_blank(const sql::Detect& rule, double value);

}  // namespace tidegate::engine
