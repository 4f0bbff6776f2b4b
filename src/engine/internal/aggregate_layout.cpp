#include "engine/internal/aggregate_layout.h"

#include <algorithm>
#include <bit>

namespace tidegate::engine {

namespace {

constexpr size_t kCacheLine = 64;

FieldKind sum_kind(columnar::TypeKind type) {
  if (columnar::is_approximate(type)) return FieldKind::kSumDouble;
  if (type == columnar::TypeKind::kDecimal) return FieldKind::kSumDecimal;
  return columnar::value_width(type) == 8 ? FieldKind::kSumWide : FieldKind::kSumInt;
}

FieldKind extreme_kind(columnar::TypeKind type, bool least) {
  if (columnar::is_approximate(type)) return least ? FieldKind::kMinDouble : FieldKind::kMaxDouble;
  if (type == columnar::TypeKind::kDecimal) return least ? FieldKind::kMinDecimal : FieldKind::kMaxDecimal;
  if (columnar::is_text(type)) return least ? FieldKind::kMinText : FieldKind::kMaxText;
  return least ? FieldKind::kMinInt : FieldKind::kMaxInt;
}

FieldKind value_kind(const sql::Aggregate& aggregate, const columnar::Type& type) {
  using enum sql::AggregateFunction;
  if (aggregate.distinct) return FieldKind::kDistinct;
  switch (aggregate.function) {
    case kCountStar: return FieldKind::kCountStar;
    case kCount: return FieldKind::kCount;
    case kSum:
    case kAvg: return sum_kind(type);
    case kMin: return extreme_kind(type, true);
    case kMax: return extreme_kind(type, false);
    case kVarPop:
    case kVarSamp:
    case kStddevPop:
    case kStddevSamp: return FieldKind::kMoments;
    case kFirstValue: return FieldKind::kFirst;
    case kLastValue: return FieldKind::kLast;
    case kApproxPercentile: return FieldKind::kSketch;
    case kTimeWeightedAvg:
    case kCounterDelta: return FieldKind::kSeries;
    case kCoverage: return FieldKind::kSlots;
  }
  return FieldKind::kCountStar;
}

// Whether the result is NULL without a count: the state does not tell.
bool needs_count(FieldKind kind) {
  return kind != FieldKind::kMoments && (!is_cell(kind) || kind == FieldKind::kMinText || kind == FieldKind::kMaxText);
}

}  // namespace

size_t AggregateLayout::width_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::kSumWide:
    case FieldKind::kMinDecimal:
    case FieldKind::kMaxDecimal: return 16;
    case FieldKind::kSumDecimal: return 24;
    case FieldKind::kMoments: return 32;
    default: return 8;
  }
}

AggregateLayout::AggregateLayout(const std::vector<sql::Aggregate>& aggregates, const columnar::Schema& input) {
  for (const sql::Aggregate& aggregate : aggregates) {
    const bool has_argument = aggregate.function != sql::AggregateFunction::kCountStar;
    add(aggregate, has_argument ? input.fields.at(aggregate.argument).type : columnar::Type());
  }
  stride_ = std::max<size_t>(stride_, 8);
  stride_ = stride_ <= kCacheLine ? std::bit_ceil(stride_) : (stride_ + kCacheLine - 1) / kCacheLine * kCacheLine;
}

void AggregateLayout::add(const sql::Aggregate& aggregate, const columnar::Type& argument_type) {
  const FieldKind kind = value_kind(aggregate, argument_type);
  const size_t argument = kind == FieldKind::kCountStar ? 0 : aggregate.argument;
  AggregateResult result{aggregate.function, aggregate.type, aggregate.parameter};
  result.value_field =
      field({kind, argument, argument_type, aggregate.meter, aggregate.interval_us, aggregate.phase_us});
  result.count_field = result.value_field;
  if (kind != FieldKind::kCountStar && needs_count(kind)) {
    result.count_field = field({FieldKind::kCount, argument, argument_type});
  }
  results_.push_back(result);
}

size_t AggregateLayout::field(AggregateField wanted) {
  const auto same = [&](const AggregateField& other) { return other.same_state(wanted); };
  const auto found = std::ranges::find_if(fields_, same);
  if (found != fields_.end()) return static_cast<size_t>(found - fields_.begin());
  wanted.offset = static_cast<uint32_t>(stride_);
  fields_.push_back(wanted);
  stride_ += width_of(wanted.kind);
  has_cells_ = has_cells_ || is_cell(wanted.kind);
  ordered_ = ordered_ || wanted.kind == FieldKind::kFirst || wanted.kind == FieldKind::kLast ||
             wanted.kind == FieldKind::kSeries;
  return fields_.size() - 1;
}

}  // namespace tidegate::engine
