// What a running pipeline waits for: why results come later, or fewer, than a person expects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::engine {

enum class WaitReason : uint8_t {
  kSourceSilent,   // no record of the stream for longer than its idle timeout
  kWatermarkHeld,  // one device's event time is behind, and windows over all devices wait for it
  kDeviceSilent,   // a device with open windows is silent; only its own records, or the clock, close them
  kBehind,         // more committed input than one epoch takes
};

// "source_silent", ...
[[nodiscard]] std::string_view wait_reason_name(WaitReason reason);

// Times are microseconds of the wall clock since 1970. What a reason has no use for is 0.
struct Wait {
  WaitReason reason = WaitReason::kSourceSilent;
  std::string stream;                 // the source; empty for kBehind
  std::optional<std::string> device;  // nothing: records without device
  int64_t since_us = 0;               // the last record of the stream or device
  int64_t behind_us = 0;              // kWatermarkHeld: the device's event time behind the newest
  int64_t until_us = 0;               // when it ends by itself if nothing comes
  int64_t rows = 0;                   // kBehind
};

}  // namespace tidegate::engine
