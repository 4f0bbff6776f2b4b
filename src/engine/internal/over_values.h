// Values of rows kept as bytes, and the functions of OVER on them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "columnar/batch.h"
#include "columnar/decimal.h"
#include "sql/plan.h"

namespace tidegate::engine {

// NULL, anything integer-like, FLOAT or DOUBLE, STRING or BYTES, DECIMAL.
using Value = std::variant<std::monostate, int64_t, double, std::string, columnar::Decimal>;

[[nodiscard]] inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }
void append_value(const Value& value, columnar::ColumnBuilder& out);
// NULL is the least, NaN the greatest.
[[nodiscard]] bool less(const Value& left, const Value& right);

// Reads chosen columns from rows as KeyCodec writes them. Immutable.
class ValuePicker {
 public:
  // `columns` of a row of all of `schema`'s fields.
  ValuePicker(const columnar::Schema& schema, std::vector<size_t> columns);

  // One per column; the bytes are valid.
  [[nodiscard]] std::vector<Value> pick(std::string_view row) const;

 private:
  std::vector<columnar::Type> types_;
  std::vector<size_t> columns_;
  size_t needed_ = 0;  // columns to be read at all
};

// A row that a partition remembers.
struct PastRow {
  int64_t time = 0;
  std::string bytes;
  std::vector<Value> values;  // of the arguments, by OverCall::argument's place in the plan
};

// Where a frame begins among a partition's rows, the last of which is the current one.
[[nodiscard]] size_t frame_begin(const sql::OverCall& call, const std::deque<PastRow>& rows);
// What an aggregate is over the rows from `first` on; `place` of its argument, which is of type `argument`, among the
// values. NULL if there is nothing to aggregate, or a sum does not fit.
[[nodiscard]] Value aggregate_frame(const sql::OverCall& call, const columnar::Type& argument, size_t place,
                                    const std::deque<PastRow>& rows, size_t first);

}  // namespace tidegate::engine
