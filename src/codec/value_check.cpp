#include "codec/value_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "codec/json_encoder.h"
#include "codec/utf8.h"

namespace tidegate::codec {

namespace {

constexpr size_t kShownBytes = 60;  // of a text in a message: enough to recognise it

// What becomes of a row.
enum class Fate : uint8_t { kAsItIs, kGood, kBad, kMisfit };

class RowCheck {
 public:
  RowCheck(const ValueRules& rules, columnar::Batch batch)
      : rules_(rules), batch_(std::move(batch)), fates_(batch_.rows, Fate::kAsItIs) {
    if (rules_.quality && *rules_.quality < batch_.columns.size()) quality_ = rules_.quality;
  }

  CheckedRows run() {
    if (quality_) read_qualities();
    for (const ColumnValues& values : rules_.columns) {
      if (values.range && values.column < batch_.columns.size()) check_range(values);
    }
    if (quality_ &&
        !std::ranges::all_of(fates_, [](Fate fate) { return fate == Fate::kAsItIs || fate == Fate::kMisfit; })) {
      write_qualities();
    }
    if (misfits_.empty()) return {std::move(batch_), {}};
    std::ranges::sort(misfits_, {}, &MisfitRow::row);
    std::vector<uint32_t> kept;
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (fates_[row] != Fate::kMisfit) kept.push_back(static_cast<uint32_t>(row));
    }
    return {columnar::gather(batch_, kept), std::move(misfits_)};
  }

 private:
  [[nodiscard]] const columnar::Field& field(size_t column) const { return batch_.schema->fields[column]; }

  void reject(size_t row, Error error) {
    fates_[row] = Fate::kMisfit;
    misfits_.push_back({row, std::move(error)});
  }

  void read_qualities() {
    const columnar::Column& column = *batch_.columns[*quality_];
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (!column.valid(row)) {
        fates_[row] = Fate::kGood;
      } else if (!find_quality(column.string_at(row))) {
        reject(row, no_quality(field(*quality_), column.string_at(row)));
      }
    }
  }

  void check_range(const ColumnValues& values) {
    const columnar::Column& column = *batch_.columns[values.column];
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (fates_[row] == Fate::kMisfit || !column.valid(row) || values.range->contains(column, row)) continue;
      if (quality_) {
        fates_[row] = Fate::kBad;
      } else {
        reject(row, out_of_range(field(values.column), values, column, row));
      }
    }
  }

  void write_qualities() {
    const columnar::Column& said = *batch_.columns[*quality_];
    columnar::ColumnBuilder out(columnar::TypeKind::kString);
    out.reserve(batch_.rows);
    for (size_t row = 0; row < batch_.rows; ++row) {
      switch (fates_[row]) {
        case Fate::kGood: out.append_string(quality_name(Quality::kGood)); break;
        case Fate::kBad: out.append_string(quality_name(Quality::kBad)); break;
        default: out.append_string(said.string_at(row));
      }
    }
    batch_.columns[*quality_] = out.finish();
  }

  const ValueRules& rules_;
  columnar::Batch batch_;
  std::vector<Fate> fates_;
  std::optional<size_t> quality_;
  std::vector<MisfitRow> misfits_;
};

}  // namespace

Error no_quality(const columnar::Field& field, std::string_view said) {
  return {ErrorCode::RecordDoesNotFit,
          fmt::format("column '{}' holds the quality of a record: {}; '{}' came", field.name,
                      fmt::join(kQualityNames, ", "), valid_utf8(said, kShownBytes)),
          {},
          {}};
}

Error out_of_range(const columnar::Field& field, const ColumnValues& values, const columnar::Column& column,
                   size_t row) {
  std::string came;
  append_json_value(column, row, came);
  return {ErrorCode::ValueOutOfRange,
          fmt::format("column '{}' is {}{}{}, outside of its range {}..{}", field.name, came,
                      values.unit.empty() ? "" : " ", values.unit, values.range->least_text(),
                      values.range->greatest_text()),
          {},
          {}};
}

CheckedRows check_rows(const ValueRules& rules, columnar::Batch batch) {
  return RowCheck(rules, std::move(batch)).run();
}

}  // namespace tidegate::codec
