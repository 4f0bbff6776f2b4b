// Brings the workers' partial results of closed shared windows together. The coordinator's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/internal/accumulators.h"
#include "engine/internal/window_plan.h"

namespace tidegate::engine {

// Appends window_start, window_end, window_time and the aggregates; the keys are there already.
uint64_t append_window(const WindowPlan& plan, const WindowBounds& window, const Accumulators& accumulators,
                       uint32_t slot, columnar::BatchBuilder& out);

class WindowMerger {
 public:
  explicit WindowMerger(const WindowPlan& plan) : plan_(plan), math_(plan.math), accumulators_(plan.layout) {}

  void add(std::string_view key, int64_t end, const Accumulators& from, uint32_t slot);
  // Appends what was merged to `out` and starts anew. Returns how many sums overflowed. `devices` encodes the key of
  // KeyMode::kDevice.
  uint64_t drain(columnar::BatchBuilder& out, columnar::StringPool& devices);

 private:
  void append_key(std::string_view key, columnar::BatchBuilder& out, columnar::StringPool& devices) const;

  const WindowPlan& plan_;
  WindowMath math_;  // its own: it remembers
  Accumulators accumulators_;
  KeyTable table_;
  std::string scratch_;
  std::vector<uint32_t> slots_;   // by group of table_
  std::vector<uint32_t> groups_;  // in order of arrival
};

}  // namespace tidegate::engine
