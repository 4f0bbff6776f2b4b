// MetricWriter: named measurements that belong together into one row (a column each), or into a row each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/decode_run.h"
#include "codec/internal/field_names.h"
#include "codec/internal/scalar_writer.h"

namespace tidegate::codec {

struct Metric {
  std::string_view name;
  Scalar value;
  std::string_view unit;  // empty: none
  Scalar sum;             // null: none
};

// What the metrics have in common: a tag, the device, the time.
struct Attribute {
  std::string_view name;
  Scalar value;
  bool own = false;  // the format's own ("device", "time"), not one that the sender named
};

class MetricWriter {
 public:
  // All live as long.
  MetricWriter(const SourceFormat& format, const DecoderTarget& target, DecodeRun& run);

  // In columns: one row, each metric in the column of its name. In rows: a row each, with its name in `metric`, and its
  // value in `value` (numbers), `text` or `flag`; those that have no such column are left out and counted.
  // What does not fit is reported with `raw`, which lives until the next decode().
  void write(std::span<const Attribute> attributes, std::span<const Metric> metrics, std::string_view raw);
  // A row of the attributes alone.
  void write_attributes(std::span<const Attribute> attributes, std::string_view raw);
  // Some column takes what the format itself says under this name.
  [[nodiscard]] bool takes(std::string_view own_name) const { return names_.find_own(own_name).has_value(); }

 private:
  std::optional<Error> write_common(std::span<const Attribute> attributes, RowTarget& row);
  std::optional<Error> write_long(const Metric& metric, size_t value_column, RowTarget& row);
  [[nodiscard]] std::optional<size_t> value_column(const Scalar& value) const;

  DecodeRun& run_;
  const bool rows_;
  FieldNames names_;
  ScalarWriter writer_;
  // Of the columns that rows have.
  std::optional<size_t> metric_;
  std::optional<size_t> value_;
  std::optional<size_t> text_;
  std::optional<size_t> flag_;
  std::optional<size_t> unit_;
  std::optional<size_t> sum_;
};

}  // namespace tidegate::codec
