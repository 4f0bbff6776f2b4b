// What a window keeps per slot for its aggregates: a row of fixed-width fields. Aggregates that need the same
// thing (the count of AVG(x) and COUNT(x)) share a field.
#pragma once

#include <cstdint>
#include <vector>

#include "columnar/batch.h"
#include "sql/plan.h"

namespace tidegate::engine {

enum class FieldKind : uint8_t {
  kCountStar,  // uint64
  kCount,      // uint64, rows whose argument is not NULL
  kSumInt,     // int64: sums of INT cannot overflow it within 2^32 rows
  kSumWide,    // 128 bit, so that a BIGINT sum does not depend on the order of its rows, overflow included
  kSumDouble,  // double
  kMinInt,     // int64, for every integer-like type
  kMaxInt,
  kMinDouble,  // double; NaN only if every value is
  kMaxDouble,
  kMinText,  // uint32 index + 1 into TextCells; 0 is none
  kMaxText,
};

struct AggregateField {
  FieldKind kind;
  size_t argument;  // input column; 0 for kCountStar
  columnar::TypeKind argument_type;
  uint32_t offset;  // in the slot's row
};

// How a result is read from the fields.
struct AggregateResult {
  sql::AggregateFunction function;
  columnar::TypeKind type;
  size_t value_field = 0;
  size_t count_field = 0;
};

// Immutable.
class AggregateLayout {
 public:
  AggregateLayout(const std::vector<sql::Aggregate>& aggregates, const columnar::Schema& input);

  [[nodiscard]] const std::vector<AggregateField>& fields() const { return fields_; }
  [[nodiscard]] const std::vector<AggregateResult>& results() const { return results_; }
  // Bytes of a slot's row; a divisor or a multiple of a cache line, so that no small row crosses one.
  [[nodiscard]] size_t stride() const { return stride_; }

 private:
  size_t field(FieldKind kind, size_t argument, columnar::TypeKind type);
  void add(const sql::Aggregate& aggregate, columnar::TypeKind argument_type);

  std::vector<AggregateField> fields_;
  std::vector<AggregateResult> results_;
  size_t stride_ = 0;
};

}  // namespace tidegate::engine
