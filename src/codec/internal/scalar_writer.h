// ScalarWriter: values of any format into a row, by the type of their column.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "codec/internal/row_target.h"
#include "codec/internal/scalar.h"
#include "codec/time_format.h"

namespace tidegate::codec {

class ScalarWriter {
 public:
  // `times` has a format for each column, or is empty: every column has the default one.
  ScalarWriter(const columnar::Schema& schema, std::vector<TimeFormat> times);

  // Appends the value to `row`, which was begun. RecordDoesNotFit when it does not fit the column, or the column has a
  // value already; LimitReached when no new device can be taken.
  std::optional<Error> write(size_t column, const Scalar& value, RowTarget& row) const;

 private:
  std::optional<Error> write_integer(size_t column, const Scalar& value, RowTarget& row) const;
  std::optional<Error> write_real(size_t column, const Scalar& value, RowTarget& row) const;
  std::optional<Error> write_decimal(size_t column, const Scalar& value, RowTarget& row) const;
  std::optional<Error> write_bytes(size_t column, const Scalar& value, RowTarget& row) const;
  std::optional<Error> write_text(size_t column, const Scalar& value, RowTarget& row) const;

  const columnar::Schema& schema_;
  std::vector<TimeFormat> times_;
};

}  // namespace tidegate::codec
