// What explains a pipeline's progress: facts gathered when an epoch ends, and what follows from them later, when
// somebody asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/internal/execution.h"
#include "engine/wait.h"

namespace tidegate::engine {

struct SourceProgress {
  std::string stream;
  int64_t last_input_us = 0;  // wall clock; the pipeline's start if there was none
  int64_t idle_timeout_us = 0;
};

// The device with the least event time of those that are not idle, where that matters to others.
struct HeldWatermark {
  std::string stream;
  std::optional<std::string> device;
  int64_t behind_us = 0;  // the device with the greatest
  int64_t last_seen_us = 0;
  int64_t idle_timeout_us = 0;
};

// The longest silent device that has windows open which only its own time, or the clock, closes.
struct OpenDevice {
  std::string stream;
  std::optional<std::string> device;
  int64_t last_seen_us = 0;
  int64_t idle_timeout_us = 0;
  int64_t close_after_us = 0;
};

struct Progress {
  std::vector<SourceProgress> sources;
  std::optional<HeldWatermark> held;
  std::optional<OpenDevice> open;
};

// Looks at all devices.
[[nodiscard]] std::optional<HeldWatermark> held_watermark(const Execution& execution, int64_t clock_us);
[[nodiscard]] std::optional<OpenDevice> longest_open(const Execution& execution);

// `lag_rows`: committed input not yet processed, of which one epoch takes `max_epoch_rows`.
[[nodiscard]] std::vector<Wait> waits_of(const Progress& progress, int64_t now_us, int64_t lag_rows,
                                         size_t max_epoch_rows);

}  // namespace tidegate::engine
