// What a window aggregate remembers of the windows that it has spilled.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "engine/internal/device_table.h"
#include "engine/internal/spilled_state.h"

namespace tidegate::engine {

// A device with spilled windows that are due.
struct DueDevice {
  uint32_t device = 0;  // index into the table
  uint16_t key_group = 0;
  bool silent = false;    // not heard of for close_after: all its windows are due
  int64_t watermark = 0;  // what is due by; of a silent one worked out when they are read
};

struct SpilledWindows {
  SpilledWindows() { next_ends.fill(kNever); }
  // Whether some are open.
  [[nodiscard]] bool any() const {
    return devices > 0 || std::ranges::any_of(next_ends, [](int64_t end) { return end != kNever; });
  }

  SpilledState* stored = nullptr;               // null: nothing was ever spilled
  size_t devices = 0;                           // own watermarks: that have some, Device::spilled
  std::vector<DueDevice> due;                   // own watermarks: to be fired when the epoch ends
  std::array<int64_t, kKeyGroups> next_ends{};  // shared watermark: of the next ones to emit; kNever: there are none
  Result<> failure;                             // to read them
};

}  // namespace tidegate::engine
