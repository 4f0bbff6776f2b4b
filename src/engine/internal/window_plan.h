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
        time_column(aggregate.time_column),
        close_after_us(std::clamp<int64_t>(close_after, 0, kFarTime)),
        input(std::move(input_schema)),
        output(std::move(output_schema)) {}

  WindowMath math;
  AggregateLayout layout;
  KeyCodec keys;
  KeyMode mode;
  // Windows close by each device's own watermark; else by one watermark that only moves between epochs.
  bool own_watermarks;
  size_t time_column;
  int64_t close_after_us;
  columnar::SchemaPtr input;
  columnar::SchemaPtr output;
};

}  // namespace tidegate::engine
