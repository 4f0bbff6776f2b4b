// Accumulators: results out of the fields.
#include <cmath>
#include <limits>

#include "engine/internal/accumulators.h"
#include "engine/internal/slot_fields.h"

namespace tidegate::engine {

uint64_t Accumulators::emit(uint32_t slot, const WindowBounds& window, columnar::BatchBuilder& out,
                            size_t first_column) const {
  uint64_t overflows = 0;
  for (size_t at = 0; at < layout_.results().size(); ++at) {
    if (!emit_value(layout_.results()[at], slot, window, out.column(first_column + at))) ++overflows;
  }
  return overflows;
}

bool Accumulators::emit_value(const AggregateResult& result, uint32_t slot, const WindowBounds& window,
                              columnar::ColumnBuilder& out) const {
  using enum sql::AggregateFunction;
  const FieldKind kind = layout_.fields()[result.value_field].kind;
  if (is_cell(kind)) return emit_cell(result, slot, window, out);
  if (kind == FieldKind::kMoments) {
    emit_moments(result, slot, out);
    return true;
  }
  const auto count = load<int64_t>(row(slot) + layout_.fields()[result.count_field].offset);
  if (result.function == kCountStar || result.function == kCount) {
    out.append<int64_t>(count);
    return true;
  }
  if (count == 0) {
    out.append_null();
    return true;
  }
  if (result.function == kSum || result.function == kAvg) return emit_sum(result, slot, out);
  emit_extreme(result, slot, out);
  return true;
}

bool Accumulators::emit_cell(const AggregateResult& result, uint32_t slot, const WindowBounds& window,
                             columnar::ColumnBuilder& out) const {
  using enum sql::AggregateFunction;
  const uint32_t cell = cell_at(slot, result.value_field);
  if (cell != 0) return cells_[result.value_field]->emit(cell, result, window, out);
  if (result.function == kCount) {
    out.append<int64_t>(0);
  } else if (result.function == kCoverage) {
    out.append<double>(0);
  } else {
    out.append_null();
  }
  return true;
}

void Accumulators::emit_moments(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  using enum sql::AggregateFunction;
  const auto moments = load<Moments>(row(slot) + layout_.fields()[result.value_field].offset);
  const bool sample = result.function == kVarSamp || result.function == kStddevSamp;
  const uint64_t least = sample ? 2 : 1;
  if (moments.count < least) return out.append_null();
  const double variance = moments.squares / static_cast<double>(moments.count - (sample ? 1 : 0));
  const bool root = result.function == kStddevPop || result.function == kStddevSamp;
  out.append<double>(root ? std::sqrt(variance) : variance);
}

bool Accumulators::emit_sum(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  const AggregateField& field = layout_.fields()[result.value_field];
  const uint8_t* at = row(slot) + field.offset;
  const auto count = load<int64_t>(row(slot) + layout_.fields()[result.count_field].offset);
  const bool average = result.function == sql::AggregateFunction::kAvg;
  if (field.kind == FieldKind::kSumDouble) {
    const auto sum = load<double>(at);
    append_real(average ? sum / static_cast<double>(count) : sum, out);
    return true;
  }
  if (field.kind == FieldKind::kSumDecimal) return append_total(load_sum(at), average ? count : 0, field, result, out);
  const Wide sum = field.kind == FieldKind::kSumInt ? Wide{load<int64_t>(at)} : load<Wide>(at);
  if (average) {
    out.append<double>(static_cast<double>(sum) / static_cast<double>(count));
    return true;
  }
  const bool fits = sum >= std::numeric_limits<int64_t>::min() && sum <= std::numeric_limits<int64_t>::max();
  if (fits) {
    out.append<int64_t>(static_cast<int64_t>(sum));
  } else {
    out.append_null();
  }
  return fits;
}

void Accumulators::emit_extreme(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  const AggregateField& field = layout_.fields()[result.value_field];
  const uint8_t* at = row(slot) + field.offset;
  if (field.kind == FieldKind::kMinDecimal || field.kind == FieldKind::kMaxDecimal) return out.append(load<Wide>(at));
  append_bits(load<int64_t>(at), field.argument_type, out);
}

}  // namespace tidegate::engine
