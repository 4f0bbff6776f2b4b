// Records and rows against the rules of their stream's values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/value_rules.h"
#include "columnar/batch.h"

namespace tidegate::codec {

// RecordDoesNotFit: what a column says is none of the four qualities.
[[nodiscard]] Error no_quality(const columnar::Field& field, std::string_view said);
// ValueOutOfRange: of a value that its range does not contain.
[[nodiscard]] Error out_of_range(const columnar::Field& field, const ColumnValues& values,
                                 const columnar::Column& column, size_t row);

// A row that a stream does not take.
struct MisfitRow {
  size_t row = 0;  // in the batch as it came
  Error error;
};

struct CheckedRows {
  columnar::Batch rows;            // those that the stream takes
  std::vector<MisfitRow> misfits;  // the others, in their order
};
// Rows that no decoder has read, such as those of pipelines, as decoders treat records: the quality is good where it is
// NULL and bad where a value is out of its range; without a column for it such a row is a misfit. Who entered a row is
// left as it is. The batch may lack the last columns of the stream. Values may be dictionary-encoded.
[[nodiscard]] CheckedRows check_rows(const ValueRules& rules, columnar::Batch batch);

}  // namespace tidegate::codec
