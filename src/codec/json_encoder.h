// JsonEncoder: rows of a batch as JSON objects.
//
// Timestamps are text as append_timestamp() writes it, doubles and floats the shortest text that reads back the same
// (NaN and infinities, which JSON cannot write, are null), BIGINTs numbers, DECIMALs numbers with
// all their digits, BYTES Base64, ARRAYs arrays, ROWs objects, NULL null. A row that is not
// an insert carries
// "_op": "update_before", "update_after" or "delete".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columnar/batch.h"

namespace tidegate::codec {

class JsonEncoder {
 public:
  explicit JsonEncoder(columnar::SchemaPtr schema);

  // {"device":"m1","ts":"2026-01-02T03:04:05.678Z","value":21.5}; `batch` has the encoder's schema.
  void append_row(const columnar::Batch& batch, size_t row, std::string& out) const;
  // The same with one more member in front: `first_member` is its JSON, such as "\"_id\":\"readings:17\"".
  void append_row(const columnar::Batch& batch, size_t row, std::string_view first_member, std::string& out) const;
  // One line a row, each ended by '\n'.
  void append_ndjson(const columnar::Batch& batch, std::string& out) const;

 private:
  columnar::SchemaPtr schema_;
  std::vector<std::string> names_;  // "\"device\":" of each column
};

// The value alone, as it stands in the object.
void append_json_value(const columnar::Column& column, size_t row, std::string& out);
// In quotes, with escapes (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

}  // namespace tidegate::codec
