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
//   FLOAT       a number whose nearest double and its nearest float are finite
//   DECIMAL     a number or a string with one, taken digit by digit; rounded half up to the column's scale
//   BYTES       a string of Base64, either alphabet, with padding or without
//   STRING      a string; the device column is interned in the pool of devices
//   TIMESTAMPs  a number of milliseconds since 1970-01-01 (a fractional part is cut; seconds or microseconds are not
//               guessed), or text as parse_timestamp() reads it
//   null or a missing name is NULL where the column may be NULL. The same name twice is a misfit.
#pragma once

#include <memory>

#include "codec/record_decoder.h"

namespace tidegate::codec {

// Objects and arrays inside each other; deeper ones are refused.
inline constexpr int kMaxJsonDepth = 64;

class JsonDecoder final : public RecordDecoder {
 public:
  explicit JsonDecoder(DecoderTarget target);
  ~JsonDecoder() override;
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::codec
