// Quotas as plain values: how much a device or gateway may send, and from where it has that limit.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::registry {

enum class QuotaLimit : uint8_t { kMessages, kBytes, kPayload, kConnections, kBurst };
inline constexpr size_t kQuotaLimits = 5;

// As documents and people name them. Rates count MQTT publications and HTTP requests, and the bytes of their payloads.
inline constexpr std::array<std::string_view, kQuotaLimits> kQuotaLimitNames{"messages_per_s", "bytes_per_s",
                                                                             "payload_bytes", "connections", "burst_s"};
// Seconds' worth of either rate that may come at once after a pause, where no burst is set.
inline constexpr double kDefaultBurstS = 1;
inline constexpr double kMaxBurstS = 3600;

// What is not set is left to the next less specific quota; unlimited in the end.
using QuotaLimits = std::array<std::optional<double>, kQuotaLimits>;

// The document of one subject, which is
//   "device:NAME" or "gateway:NAME"   this one
//   "type:TYPE"                       each device of the type
//   "site:PATH"                       each device at the place or below it
//   "default"                         each device
// From the top down the more specific: of every limit the first that is set counts, a deeper place before its parents.
// A gateway has its own only.
struct Quota {
  std::string subject;
  QuotaLimits limits{};
  int64_t created_us = 0;
  int64_t changed_us = 0;
  uint64_t revision = 0;
};
using QuotaPtr = std::shared_ptr<const Quota>;  // shared by lists under way and the store of them

// What counts for one device in the end.
struct EffectiveLimit {
  double value = 0;
  std::string from;  // the subject that sets it
};
using EffectiveQuota = std::array<std::optional<EffectiveLimit>, kQuotaLimits>;

struct QuotaSubject {
  std::string_view kind;  // "default", "site", "type", "device", "gateway"
  std::string_view name;  // empty for "default"
};
// Views into `text`. BadRequest, which says what a subject looks like.
[[nodiscard]] Result<QuotaSubject> parse_quota_subject(std::string_view text);
// BadRequest: a limit that is none (zero messages, a fraction of a connection), or no limit at all.
[[nodiscard]] Result<> check_quota(const Quota& quota);

}  // namespace tidegate::registry
