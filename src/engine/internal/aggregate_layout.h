// What a window keeps per slot for its aggregates: a row of fixed-width fields. Aggregates that need the same
// thing (the count of AVG(x) and COUNT(x)) share a field.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "columnar/batch.h"
#include "sql/plan.h"

namespace tidegate::engine {

enum class FieldKind : uint8_t {
  kCountStar,   // uint64
  kCount,       // uint64, rows whose argument is not NULL
  kSumInt,      // int64: sums of INT cannot overflow it within 2^32 rows
  kSumWide,     // 128 bit, so that a BIGINT sum does not depend on the order of its rows, overflow included
  kSumDouble,   // double; of FLOAT too
  kSumDecimal,  // columnar::DecimalSum, 24 bytes
  kMinInt,      // int64, for every integer-like type
  kMaxInt,
  kMinDouble,  // double, of FLOAT too; NaN only if every value is
  kMaxDouble,
  kMinDecimal,  // 128 bit
  kMaxDecimal,
  kMoments,  // uint64 count; doubles: a value, the mean's distance from it, sum of squared distances from the mean
  // From here on: uint64, the number of a cell with the state itself (cells.h); 0 is none.
  kMinText,
  kMaxText,
  kFirst,
  kLast,
  kDistinct,
  kSketch,
  kSeries,
  kSlots,
};

[[nodiscard]] constexpr bool is_cell(FieldKind kind) { return kind >= FieldKind::kMinText; }

struct AggregateField {
  FieldKind kind;
  size_t argument = 0;  // input column; 0 for kCountStar
  columnar::Type argument_type = columnar::TypeKind::kNull;
  std::optional<size_t> meter = std::nullopt;  // kSeries: a second input column
  int64_t interval_us = 0;                     // kSlots
  int64_t phase_us = 0;                        // kSlots
  uint32_t offset = 0;                         // in the slot's row

  // The same state of the same input, wherever it lies.
  [[nodiscard]] bool same_state(const AggregateField& other) const {
    return kind == other.kind && argument == other.argument && meter == other.meter &&
           interval_us == other.interval_us && phase_us == other.phase_us;
  }
};

// How a result is read from the fields.
struct AggregateResult {
  sql::AggregateFunction function;
  columnar::Type type;
  double parameter = 0;
  size_t value_field = 0;
  size_t count_field = 0;  // of those that are not cells
};

// Immutable.
class AggregateLayout {
 public:
  AggregateLayout(const std::vector<sql::Aggregate>& aggregates, const columnar::Schema& input);

  [[nodiscard]] const std::vector<AggregateField>& fields() const { return fields_; }
  [[nodiscard]] const std::vector<AggregateResult>& results() const { return results_; }
  // Bytes of a slot's row; a divisor or a multiple of a cache line, so that no small row crosses one.
  [[nodiscard]] size_t stride() const { return stride_; }
  // Whether a field depends on the order of rows: updates need their times and key groups.
  [[nodiscard]] bool ordered() const { return ordered_; }
  [[nodiscard]] bool has_cells() const { return has_cells_; }
  [[nodiscard]] static size_t width_of(FieldKind kind);

 private:
  size_t field(AggregateField wanted);
  void add(const sql::Aggregate& aggregate, const columnar::Type& argument_type);

  std::vector<AggregateField> fields_;
  std::vector<AggregateResult> results_;
  size_t stride_ = 0;
  bool ordered_ = false;
  bool has_cells_ = false;
};

}  // namespace tidegate::engine
