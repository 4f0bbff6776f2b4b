// Tests only: what a detection finds, computed anew from all readings so far each time, to compare the engine with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

// Partitioned by the device, which goes by its own watermark.
class NaiveDetect {
 public:
  NaiveDetect(const catalog::StreamDefinition& stream, const sql::Detect& rule) : stream_(stream), rule_(rule) {}

  // One epoch, at this clock reading.
  void epoch(const std::vector<Reading>& readings, int64_t clock_us);

  std::vector<std::string> results;
  std::vector<std::string> late;

 private:
  struct Found {
    bool raised;
    std::string value;
    int64_t at;
    int64_t raised_at;
    int64_t since;
  };
  struct Point {
    int64_t time;
    double value;
  };
  struct DeviceState {
    int64_t watermark = -kFar;
    int64_t last_seen_us = 0;
    std::multimap<int64_t, Reading> waiting;
    std::vector<Point> points;  // all that were let out
    std::vector<Found> found;   // all that is out
  };
  static constexpr int64_t kFar = int64_t{1} << 60;

  void let_out(const std::string& name, DeviceState& device, int64_t until);
  void look(const std::string& name, DeviceState& device, int64_t passed);
  [[nodiscard]] std::vector<Found> search(const DeviceState& device, int64_t passed) const;
  [[nodiscard]] std::vector<Found> thresholds(const std::vector<Point>& points, int64_t passed) const;
  [[nodiscard]] std::vector<Found> changes(const std::vector<Point>& points, int64_t passed) const;
  [[nodiscard]] std::vector<Found> stuck(const std::vector<Point>& points) const;
  [[nodiscard]] std::vector<Found> gaps(const std::vector<Point>& points, int64_t passed,
                                        const std::vector<Found>& out) const;
  [[nodiscard]] std::vector<Found> counts(const std::vector<Point>& points, int64_t passed) const;

  const catalog::StreamDefinition& stream_;
  const sql::Detect& rule_;
  std::map<std::string, DeviceState> devices_;
};

}  // namespace tidegate::engine
