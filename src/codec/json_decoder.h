// JsonDecoder: payloads of JSON into the columns of a stream, row by row.
//
// A payload is one object, an array of objects, or objects one after the other (NDJSON; any white space between them,
// pretty-printed ones too), with or without a byte order mark. Records that do not fit are reported one by one and do
// not harm their neighbours.
//
// What fits a column (names match exactly, else without regard to case; unknown names are counted and left out):
//   BOOLEAN     true, false
//   INT, BIGINT a number without a fractional part in range (3.0 is 3)
//   DOUBLE      a number whose nearest double is finite
//   STRING      a string; the device column is interned in the pool of devices
//   TIMESTAMPs  a number of milliseconds since 1970-01-01 (a fractional part is cut; seconds or microseconds are not
//               guessed), or text as parse_timestamp() reads it
//   null or a missing name is NULL where the column may be NULL. The same name twice is a misfit.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "columnar/batch.h"

namespace tidegate::codec {

// One record larger than this is refused: the largest payload MQTT brokers commonly pass on.
inline constexpr size_t kMaxRecordBytes = 1U << 20;
// Objects and arrays inside each other; deeper ones are refused.
inline constexpr int kMaxJsonDepth = 64;
// The bytes behind a payload that must be readable when it is decoded in place (SIMDJSON_PADDING).
inline constexpr size_t kJsonPadding = 64;

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

// What every row of a payload must also satisfy.
struct RowRules {
  // Rows with a later event time are misfits (RecordFromFuture).
  int64_t latest_time_us = std::numeric_limits<int64_t>::max();
  // Takes the place of a missing or empty device; without it such rows are misfits (RecordWithoutDevice).
  std::optional<StringCode> default_device;
  // Rows of other devices are misfits (NotAuthorized).
  std::optional<StringCode> only_device;
};

struct Decoded {
  uint32_t good = 0;
  uint32_t misfits = 0;
  uint64_t unknown_keys = 0;  // names in the records that no column has
};

// Not thread-safe: one per thread.
class JsonDecoder {
 public:
  struct Target {
    columnar::SchemaPtr schema;
    std::optional<size_t> device_column;      // needs `devices`
    columnar::StringPool* devices = nullptr;  // lives longer than the decoder
    std::optional<size_t> time_column;        // for RowRules::latest_time_us
    size_t max_record_bytes = kMaxRecordBytes;
  };
  explicit JsonDecoder(Target target);
  ~JsonDecoder();
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  // Appends the payload's good records to `rows`, which must be a builder of the same schema and device column.
  // `padded`: kJsonPadding bytes behind the payload are readable, whatever they hold; else it is copied first.
  Decoded decode(std::string_view payload, bool padded, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::codec
