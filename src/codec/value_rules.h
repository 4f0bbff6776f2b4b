// ValueRules: what the options of a stream say about the values of its columns: units, ranges, resolutions, and the
// column that holds the quality of each record. docs/values.md describes them.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/column.h"
#include "columnar/decimal.h"

namespace tidegate::codec {

// How far a record can be trusted, best first.
enum class Quality : uint8_t { kGood = 0, kSubstituted = 1, kUncertain = 2, kBad = 3 };
inline constexpr std::array<std::string_view, 4> kQualityNames = {"good", "substituted", "uncertain", "bad"};
[[nodiscard]] inline std::string_view quality_name(Quality quality) {
  return kQualityNames[static_cast<size_t>(quality)];
}
[[nodiscard]] std::optional<Quality> find_quality(std::string_view name);

// From and to, both inclusive, of a numeric column. NaN is outside.
class ValueRange {
 public:
  // "-40..85", "0..", "..100". Otherwise what it takes, for the hint.
  [[nodiscard]] static std::expected<ValueRange, std::string> parse(std::string_view text, const columnar::Type& type);

  // `row` is not NULL.
  [[nodiscard]] bool contains(const columnar::Column& column, size_t row) const;
  // As written; empty where it is open.
  [[nodiscard]] const std::string& least_text() const { return least_text_; }
  [[nodiscard]] const std::string& greatest_text() const { return greatest_text_; }

 private:
  std::string least_text_;
  std::string greatest_text_;
  // Of FLOAT (the nearest ones) and DOUBLE.
  double least_ = 0;
  double greatest_ = 0;
  // Of INT, BIGINT and DECIMAL, in units of the column's last digit: the least and the greatest that are inside.
  columnar::Int128 least_exact_ = 0;
  columnar::Int128 greatest_exact_ = 0;
};

// What is said of one column.
struct ColumnValues {
  size_t column = 0;
  std::string unit;        // UCUM, case-sensitive; empty: none
  std::string unit_name;   // for people: "degree Celsius"
  std::string resolution;  // the least step between two values, as written; empty: none
  std::optional<ValueRange> range;
};

struct ValueRules {
  std::vector<ColumnValues> columns;  // those of which something is said, in their order
  std::optional<size_t> quality;      // the STRING column that holds it
  std::optional<size_t> author;       // the STRING column that names who entered the record, if it was a person

  // Whether records are checked by them.
  [[nodiscard]] bool check_records() const;
};
// Shared by a stream's format and the decoders of all threads; never changes.
using ValueRulesPtr = std::shared_ptr<const ValueRules>;

}  // namespace tidegate::codec
