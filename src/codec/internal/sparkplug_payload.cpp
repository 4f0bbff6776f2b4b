#include "codec/internal/sparkplug_payload.h"

#include <fmt/format.h>

#include <array>

#include "codec/internal/protobuf_reader.h"
#include "codec/topic_pattern.h"

namespace tidegate::codec {

namespace {

// Field numbers of Payload and Metric in sparkplug_b.proto.
enum PayloadField : uint32_t { kPayloadTimestamp = 1, kMetrics = 2, kSequence = 3, kUuid = 4 };
enum MetricField : uint32_t {
  kName = 1,
  kAlias = 2,
  kTimestamp = 3,
  kDataType = 4,
  kIsNull = 7,
  kIntValue = 10,
  kLongValue = 11,
  kFloatValue = 12,
  kDoubleValue = 13,
  kBooleanValue = 14,
  kStringValue = 15,
  kBytesValue = 16,
  kDataSetValue = 17,
  kTemplateValue = 18,
  kExtensionValue = 19,
};

Error malformed(std::string reason) { return Error{ErrorCode::RecordMalformed, std::move(reason), {}, {}}; }

bool parse_metric(std::string_view bytes, SparkplugMetric& metric) {
  ProtobufReader reader(bytes);
  while (const auto field = reader.next()) {
    const bool wants_bytes =
        field->number == kName || (field->number >= kStringValue && field->number <= kExtensionValue);
    const bool known = field->number <= kDataType || field->number == kIsNull ||
                       (field->number >= kIntValue && field->number <= kExtensionValue);
    if (known && wants_bytes != field->delimited) return false;
    switch (field->number) {
      case kName: metric.name = field->bytes; break;
      case kAlias: metric.alias = field->scalar; break;
      case kTimestamp: metric.timestamp_ms = field->scalar; break;
      case kDataType: metric.data_type = static_cast<uint32_t>(field->scalar); break;
      case kIsNull: metric.is_null = field->scalar != 0; break;
      default:
        if (!known) break;
        metric.value_field = field->number;
        metric.bits = field->scalar;
        metric.bytes = field->bytes;
    }
  }
  return !reader.failed();
}

Scalar integer(uint64_t bits, uint32_t data_type) {
  switch (static_cast<SparkplugDataType>(data_type)) {
    case SparkplugDataType::kInt8: return Scalar::of(static_cast<int64_t>(static_cast<int8_t>(bits)));
    case SparkplugDataType::kInt16: return Scalar::of(static_cast<int64_t>(static_cast<int16_t>(bits)));
    case SparkplugDataType::kInt32: return Scalar::of(static_cast<int64_t>(static_cast<int32_t>(bits)));
    case SparkplugDataType::kInt64: return Scalar::of(static_cast<int64_t>(bits));
    case SparkplugDataType::kDateTime: {
      int64_t time_us = 0;
      const bool fits = !__builtin_mul_overflow(static_cast<int64_t>(bits), kMicrosPerMilli, &time_us);
      return fits ? Scalar::instant(time_us) : Scalar::other("a time out of range");
    }
    default: break;
  }
  if (bits <= static_cast<uint64_t>(INT64_MAX)) return Scalar::of(static_cast<int64_t>(bits));
  return Scalar::of(static_cast<double>(bits));
}

}  // namespace

std::optional<SparkplugTopic> parse_sparkplug_topic(std::string_view topic) {
  struct Named {
    std::string_view name;
    SparkplugType type;
    bool device;
  };
  constexpr std::array kTypes = {
      Named{"NBIRTH", SparkplugType::kNodeBirth, false},  Named{"NDEATH", SparkplugType::kNodeDeath, false},
      Named{"NDATA", SparkplugType::kNodeData, false},    Named{"DBIRTH", SparkplugType::kDeviceBirth, true},
      Named{"DDEATH", SparkplugType::kDeviceDeath, true}, Named{"DDATA", SparkplugType::kDeviceData, true},
      Named{"NCMD", SparkplugType::kOther, false},        Named{"DCMD", SparkplugType::kOther, true}};
  if (topic_level(topic, 0) != "spBv1.0") return std::nullopt;
  if (topic_level(topic, 1) == "STATE") return SparkplugTopic{};
  SparkplugTopic out;
  out.group = topic_level(topic, 1);
  out.type_name = topic_level(topic, 2);
  out.node = topic_level(topic, 3);
  out.device = topic_level(topic, 4);
  for (const Named& known : kTypes) {
    if (known.name != out.type_name) continue;
    if (out.group.empty() || out.node.empty() || known.device == out.device.empty()) return std::nullopt;
    out.type = known.type;
    return out;
  }
  return std::nullopt;
}

std::optional<Error> parse_sparkplug(std::string_view bytes, SparkplugPayload& payload) {
  payload.timestamp_ms.reset();
  payload.sequence.reset();
  payload.metrics.clear();
  ProtobufReader reader(bytes);
  while (const auto field = reader.next()) {
    const bool known = field->number <= kUuid;
    if (known && field->delimited != (field->number == kMetrics || field->number == kUuid)) {
      return malformed(fmt::format("not a Sparkplug B payload: field {} has another type", field->number));
    }
    if (field->number == kPayloadTimestamp) payload.timestamp_ms = field->scalar;
    if (field->number == kSequence) payload.sequence = field->scalar;
    if (field->number == kUuid && field->bytes == "SPBV1.0_COMPRESSED") {
      return malformed("a compressed Sparkplug B payload; switch compression off at the edge node");
    }
    if (field->number != kMetrics) continue;
    if (payload.metrics.size() == kMaxSparkplugMetrics) {
      return Error{ErrorCode::RecordTooLarge,
                   fmt::format("a payload of more than {} metrics, which is the limit", kMaxSparkplugMetrics),
                   {},
                   {}};
    }
    if (!parse_metric(field->bytes, payload.metrics.emplace_back())) {
      return malformed(fmt::format("not a Sparkplug B payload: metric {} cannot be read", payload.metrics.size()));
    }
  }
  if (reader.failed()) return malformed("not a Sparkplug B payload: it is no protobuf message");
  return std::nullopt;
}

Scalar sparkplug_value(const SparkplugMetric& metric, uint32_t data_type) {
  if (metric.is_null) return {};
  switch (metric.value_field) {
    case kIntValue:
    case kLongValue: return integer(metric.bits, data_type);
    case kFloatValue: return Scalar::of(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(metric.bits))));
    case kDoubleValue: return Scalar::of(std::bit_cast<double>(metric.bits));
    case kBooleanValue: return Scalar::boolean(metric.bits != 0);
    case kStringValue: return Scalar::of(metric.bytes);
    case kBytesValue: return Scalar::bytes(metric.bytes);
    case kDataSetValue: return Scalar::other("a DataSet");
    case kTemplateValue: return Scalar::other("a Template");
    case kExtensionValue: return Scalar::other("an extension");
    default: return {};
  }
}

}  // namespace tidegate::codec
