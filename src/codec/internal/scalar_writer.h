// ScalarWriter: values of any format into a row, by the type of their column.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "codec/internal/document.h"
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
  // The same for a value that may be an array or an object.
  std::optional<Error> write(size_t column, const Document& document, Document::Node node, RowTarget& row) const;

 private:
  std::optional<Error> claim(size_t column, RowTarget& row) const;
  std::optional<Error> write_text(size_t column, const Scalar& value, RowTarget& row) const;

  const columnar::Schema& schema_;
  std::vector<TimeFormat> times_;
};

}  // namespace tidegate::codec
