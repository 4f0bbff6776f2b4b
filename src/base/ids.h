// Ids, offsets and times that cannot be mixed up: each is a type of its own around one integer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>

namespace tidegate {

template <class Tag, class Rep>
struct Named {
  using rep = Rep;
  Rep value{};

  constexpr Named() = default;
  constexpr explicit Named(Rep v) : value(v) {}
  constexpr auto operator<=>(const Named&) const = default;
};

// A stream in the catalog; never reused.
using StreamId = Named<struct StreamIdTag, uint32_t>;
// A pipeline in the catalog; never reused.
using PipelineId = Named<struct PipelineIdTag, uint32_t>;
// One of the 256 sets of devices that partitioning works with.
using KeyGroup = Named<struct KeyGroupTag, uint16_t>;
// A record's place in its stream. Ordered; readers must not expect it to be dense.
using Offset = Named<struct OffsetTag, int64_t>;
// A process-local dense number of a device or another string (columnar::StringPool).
using StringCode = Named<struct StringCodeTag, uint32_t>;
// The unit of commit of a pipeline; counts from 1.
using EpochId = Named<struct EpochIdTag, uint64_t>;

// All times are microseconds since 1970-01-01T00:00:00Z.
// When it happened, as the device says.
using EventTime = Named<struct EventTimeTag, int64_t>;
// When it reached the log, by the server's clock.
using IngestTime = Named<struct IngestTimeTag, int64_t>;
// "No record with an event time at or below this is expected any more."
using Watermark = Named<struct WatermarkTag, int64_t>;

inline constexpr int kKeyGroups = 256;
inline constexpr int64_t kMicrosPerMilli = 1000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr Watermark kMinWatermark{std::numeric_limits<int64_t>::min()};
inline constexpr Watermark kMaxWatermark{std::numeric_limits<int64_t>::max()};

}  // namespace tidegate

template <class Tag, class Rep>
struct std::hash<tidegate::Named<Tag, Rep>> {
  size_t operator()(const tidegate::Named<Tag, Rep>& named) const noexcept { return std::hash<Rep>{}(named.value); }
};
