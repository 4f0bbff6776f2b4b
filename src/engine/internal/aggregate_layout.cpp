#include "engine/internal/aggregate_layout.h"

#include <algorithm>
#include <bit>

namespace tidegate::engine {

namespace {

constexpr size_t kCacheLine = 64;

size_t width_of(FieldKind kind) { return kind == FieldKind::kSumWide ? 16 : 8; }

FieldKind sum_kind(columnar::TypeKind type) {
  if (type == columnar::TypeKind::kDouble) return FieldKind::kSumDouble;
  return columnar::value_width(type) == 8 ? FieldKind::kSumWide : FieldKind::kSumInt;
}

FieldKind extreme_kind(columnar::TypeKind type, bool least) {
  if (type == columnar::TypeKind::kDouble) return least ? FieldKind::kMinDouble : FieldKind::kMaxDouble;
  if (type == columnar::TypeKind::kString) return least ? FieldKind::kMinText : FieldKind::kMaxText;
  return least ? FieldKind::kMinInt : FieldKind::kMaxInt;
}

}  // namespace

AggregateLayout::AggregateLayout(const std::vector<sql::Aggregate>& aggregates, const columnar::Schema& input) {
  for (const sql::Aggregate& aggregate : aggregates) {
    const bool has_argument = aggregate.function != sql::AggregateFunction::kCountStar;
    add(aggregate, has_argument ? input.fields.at(aggregate.argument).type : columnar::TypeKind::kNull);
  }
  stride_ = std::max<size_t>(stride_, 8);
  stride_ = stride_ <= kCacheLine ? std::bit_ceil(stride_) : (stride_ + kCacheLine - 1) / kCacheLine * kCacheLine;
}

void AggregateLayout::add(const sql::Aggregate& aggregate, columnar::TypeKind argument_type) {
  using enum sql::AggregateFunction;
  AggregateResult result{aggregate.function, aggregate.type};
  const size_t argument = aggregate.argument;
  switch (aggregate.function) {
    case kCountStar: result.value_field = field(FieldKind::kCountStar, 0, argument_type); break;
    case kCount: result.value_field = field(FieldKind::kCount, argument, argument_type); break;
    case kSum:
    case kAvg: result.value_field = field(sum_kind(argument_type), argument, argument_type); break;
    case kMin: result.value_field = field(extreme_kind(argument_type, true), argument, argument_type); break;
    case kMax: result.value_field = field(extreme_kind(argument_type, false), argument, argument_type); break;
  }
  result.count_field =
      aggregate.function == kCountStar ? result.value_field : field(FieldKind::kCount, argument, argument_type);
  results_.push_back(result);
}

size_t AggregateLayout::field(FieldKind kind, size_t argument, columnar::TypeKind type) {
  const auto same = [&](const AggregateField& other) { return other.kind == kind && other.argument == argument; };
  const auto found = std::ranges::find_if(fields_, same);
  if (found != fields_.end()) return static_cast<size_t>(found - fields_.begin());
  fields_.push_back({kind, argument, type, static_cast<uint32_t>(stride_)});
  stride_ += width_of(kind);
  return fields_.size() - 1;
}

}  // namespace tidegate::engine
