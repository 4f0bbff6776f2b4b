// What all workers' copies of a window aggregate share: the plan node, worked out.
#pragma once

#include <algorithm>

#include "columnar/batch.h"
#include "engine/internal/aggregate_layout.h"
#include "engine/internal/group_keys.h"
#include "engine/internal/window_math.h"
#include "sql/plan.h"

namespace tidegate::engine {

enum class KeyMode : uint8_t {
  kDevice,   // the device column alone: the group is the device
  kGeneral,  // anything else, through a KeyTable
};

// Immutable.
struct WindowPlan {
  WindowPlan(const sql::WindowAggregate& aggregate, columnar::SchemaPtr input_schema, columnar::SchemaPtr output_schema,
             bool by_device, int64_t close_after)
      : math(aggregate.window),
        layout(aggregate.aggregates, *input_schema),
        keys(aggregate.keys, *input_schema),
        mode(aggregate.has_device_column && aggregate.keys == std::vector<size_t>{aggregate.device_column}
                 ? KeyMode::kDevice
                 : KeyMode::kGeneral),
        own_watermarks(by_device),
        sliding(aggregate.window.kind == sql::WindowKind::kHop && !layout.has_cells() &&
                aggregate.window.size_us / math.slice() > kFewSlices),
        time_column(aggregate.time_column),
        close_after_us(std::clamp<int64_t>(close_after, 0, kFarTime)),
        input(std::move(input_schema)),
        output(std::move(output_schema)) {}

  // Adding up so few slices for each window costs no more than keeping sums of them.
  static constexpr int64_t kFewSlices = 8;

  WindowMath math;
  AggregateLayout layout;
  KeyCodec keys;
  KeyMode mode;
  // Windows close by each device's own watermark; else by one watermark that only moves between epochs.
  bool own_watermarks;
  // Whether parts of one session may be with several workers; they must come together before it closes.
  [[nodiscard]] bool gathers_sessions() const {
    return math.sessions() && !own_watermarks && mode == KeyMode::kGeneral;
  }
  // Sums over slices are kept from one window to the next (window_sliding.cpp). State in cells can be as large as all
  // rows of a window, too large to have once per slice: such windows are put together from all their slices.
  bool sliding;
  size_t time_column;
  int64_t close_after_us;
  columnar::SchemaPtr input;
  columnar::SchemaPtr output;
};

}  // namespace tidegate::engine
