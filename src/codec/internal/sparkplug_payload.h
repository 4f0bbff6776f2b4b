// Sparkplug B payloads and topics (Eclipse Sparkplug specification 3.0, chapters 4 and 6).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/internal/scalar.h"

namespace tidegate::codec {

enum class SparkplugType : uint8_t {
  kNodeBirth,
  kNodeDeath,
  kNodeData,
  kDeviceBirth,
  kDeviceDeath,
  kDeviceData,
  kOther,  // commands and the state of hosts: no measurements
};

// spBv1.0/GROUP/TYPE/NODE[/DEVICE]
struct SparkplugTopic {
  SparkplugType type = SparkplugType::kOther;
  std::string_view type_name;
  std::string_view group;
  std::string_view node;
  std::string_view device;  // empty: the node itself

  [[nodiscard]] bool birth() const { return type == SparkplugType::kNodeBirth || type == SparkplugType::kDeviceBirth; }
  [[nodiscard]] bool death() const { return type == SparkplugType::kNodeDeath || type == SparkplugType::kDeviceDeath; }
};
// Nothing when it is no such topic.
[[nodiscard]] std::optional<SparkplugTopic> parse_sparkplug_topic(std::string_view topic);

// DataType of section 6.4.16, those that we tell apart.
enum class SparkplugDataType : uint32_t {
  kUnknown = 0,
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kDateTime = 13,
};

struct SparkplugMetric {
  std::optional<std::string_view> name;
  std::optional<uint64_t> alias;
  std::optional<uint64_t> timestamp_ms;
  uint32_t data_type = 0;  // 0: not given
  bool is_null = false;
  // One of these, by the field it came in; `value` is set by sparkplug_value().
  uint32_t value_field = 0;
  uint64_t bits = 0;
  std::string_view bytes;
};

struct SparkplugPayload {
  std::optional<uint64_t> timestamp_ms;
  std::optional<uint64_t> sequence;
  std::vector<SparkplugMetric> metrics;
};

// Metrics of one payload; beyond, it is refused.
inline constexpr size_t kMaxSparkplugMetrics = 65'536;

// Fills `payload`; texts are views of `bytes`. RecordMalformed, or RecordTooLarge.
[[nodiscard]] std::optional<Error> parse_sparkplug(std::string_view bytes, SparkplugPayload& payload);
// The value of a metric whose data type is `data_type` (by itself or by its birth).
[[nodiscard]] Scalar sparkplug_value(const SparkplugMetric& metric, uint32_t data_type);

}  // namespace tidegate::codec
