// Detection functions, from their description in docs/sql.md: one partition's readings in the order of their times, and
// time that goes by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "values.h"

namespace tidegate::queries {

enum class DetectKind : uint8_t { kThreshold, kChange, kStuck, kMissing, kCount };

struct Detection {
  DetectKind kind = DetectKind::kThreshold;
  std::optional<double> above;  // of kChange: RISE
  std::optional<double> below;  // of kChange: -FALL
  std::optional<double> clear_below;
  std::optional<double> clear_above;
  double tolerance = 0;
  int64_t for_ms = 0;  // FOR, or WITHIN
  int64_t per_ms = 0;
  size_t times = 0;

  // Behind PARTITION BY. `on`: the column that it looks at; empty: none.
  [[nodiscard]] std::string sql(const std::string& on) const;
};

// Most values are from -spread to spread.
[[nodiscard]] Detection some_detection(Random& random, int64_t spread);

struct Alert {
  bool raised = true;  // else cleared
  Value value;
  int64_t at = 0;
  int64_t raised_at = 0;
  int64_t since = 0;
};

class Watch {
 public:
  explicit Watch(const Detection& detection) : what_(detection) {}

  void reading(int64_t time, double value);
  // Nothing before `time` comes any more.
  void until(int64_t time);
  [[nodiscard]] const std::vector<Alert>& alerts() const { return alerts_; }

 private:
  struct Point {
    int64_t time;
    double value;
  };

  void threshold(const Point& point);
  void change(const Point& point);
  void stuck(const Point& point);
  void missing(const Point& point);
  void count(const Point& point);
  void raise(int64_t at, Value value, int64_t since);
  void clear(int64_t at, Value value);
  [[nodiscard]] bool raised() const { return !alerts_.empty() && alerts_.back().raised; }
  [[nodiscard]] bool outside(double value) const;
  [[nodiscard]] bool clears(double value) const;
  [[nodiscard]] int64_t outside_since() const;
  [[nodiscard]] size_t within(int64_t now) const;

  const Detection what_;
  std::vector<Point> points_;  // all there were
  std::vector<Alert> alerts_;  // all there were
};

}  // namespace tidegate::queries
