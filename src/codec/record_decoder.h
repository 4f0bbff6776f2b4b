// RecordDecoder: payloads of one wire format into the columns of a stream, row by row. A record that does not fit is
// reported with number, reason and raw text, and does not harm its neighbours.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/value_rules.h"
#include "columnar/batch.h"

namespace tidegate::codec {

// One record larger than this is refused: the largest payload MQTT brokers commonly pass on.
inline constexpr size_t kMaxRecordBytes = 1U << 20;
// The bytes behind a payload that a decoder may read when it decodes in place (SIMDJSON_PADDING).
inline constexpr size_t kPayloadPadding = 64;

// A record that could not become a row.
struct Misfit {
  ErrorCode code = ErrorCode::RecordMalformed;
  std::string reason;                // names the column, what came, what is expected
  uint32_t position = 0;             // of the record in its payload, from 0
  std::string_view record;           // its raw text; lives as long as the payload, at most until the next decode()
  std::optional<StringCode> device;  // if it was read before the record turned out not to fit
};

class MisfitHandler {
 public:
  virtual ~MisfitHandler() = default;
  virtual void on_misfit(Misfit misfit) = 0;
};

// What the topic of a payload says about a STRING column.
struct TopicValue {
  size_t column = 0;
  std::string_view text;           // not empty; lives until the payload is decoded
  std::optional<StringCode> code;  // of the device column
};

// The devices that a sender of many may speak for.
class DeviceAllowance {
 public:
  virtual ~DeviceAllowance() = default;
  [[nodiscard]] virtual bool takes(StringCode device) const = 0;
  [[nodiscard]] virtual std::string_view sender() const = 0;  // its name, for the reason
};

// What every row of a payload must also satisfy.
struct RowRules {
  // Rows with a later event time are misfits (RecordFromFuture).
  int64_t latest_time_us = std::numeric_limits<int64_t>::max();
  // Takes the place of a missing or empty device; without it such rows are misfits (RecordWithoutDevice).
  std::optional<StringCode> default_device;
  // When the payload came, in microseconds since 1970.
  int64_t arrival_us = 0;
  // Takes the place of a missing event time.
  std::optional<int64_t> default_time_us;
  // Rows of other devices are misfits (NotAuthorized).
  std::optional<StringCode> only_device;
  // Rows of devices that it does not take are misfits (NotAuthorized); null: any.
  const DeviceAllowance* allowance = nullptr;
  // Fills columns that the record leaves out or that are null in it, before default_device does; rows that say
  // something else there are misfits (RecordContradictsTopic).
  std::span<const TopicValue> from_topic;
  // The person who sends the rows; empty: a machine.
  std::string_view author;
};

// Computes the event time of records that do not bring it.
class EventTimeSource {
 public:
  virtual ~EventTimeSource() = default;
  // Of the row under construction, of which all other columns have their value. Nothing: it has no event time. Codes
  // RecordDoesNotFit: it cannot be computed.
  [[nodiscard]] virtual Result<std::optional<int64_t>> time_of(const columnar::BatchBuilder& rows) = 0;
};

struct Decoded {
  uint32_t good = 0;
  uint32_t misfits = 0;
  uint64_t unknown_keys = 0;  // names in the records that no column has
};

// Where the rows of a decoder go.
struct DecoderTarget {
  columnar::SchemaPtr schema;
  std::optional<size_t> device_column;      // needs `devices`
  columnar::StringPool* devices = nullptr;  // lives longer than the decoder
  std::optional<size_t> time_column;        // for RowRules::latest_time_us
  size_t max_record_bytes = kMaxRecordBytes;
  ValueRulesPtr values = nullptr;  // that rows are checked by; null: none
  // Of the time column, which no record names then; lives as long as the decoder. Null: records bring it.
  EventTimeSource* computed_time = nullptr;

  // The column that no name in a record means.
  [[nodiscard]] std::optional<size_t> unnamed() const { return computed_time == nullptr ? std::nullopt : time_column; }
};

struct Payload {
  std::string_view bytes;
  // kPayloadPadding bytes behind the payload are readable, whatever they hold; else it may be copied first.
  bool padded = false;
  std::string_view topic;  // it came on; empty over HTTP
};

// Not thread-safe: one per thread.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // Appends the payload's good records to `rows`, which must be a builder of the target's schema and device column.
  virtual Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                         MisfitHandler& misfits) = 0;
};

}  // namespace tidegate::codec
