#include "engine/internal/over_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "columnar/value_bytes.h"
#include "engine/internal/cells.h"

namespace tidegate::engine {

using columnar::Type;
using columnar::TypeKind;

namespace {

using Wide = columnar::Int128;

Value read_value(ByteReader& in, const Type& type) {
  if (in.fixed<uint8_t>() == 0) return {};
  if (columnar::is_text(type)) return std::string(in.text());
  if (type == TypeKind::kFloat) return double{std::bit_cast<float>(in.fixed<int32_t>())};
  if (type == TypeKind::kDouble) return std::bit_cast<double>(in.fixed<int64_t>());
  if (type == TypeKind::kDecimal) {
    columnar::Decimal value;
    const std::string_view bytes = in.raw(sizeof value.unscaled);
    if (in.ok()) std::memcpy(&value.unscaled, bytes.data(), bytes.size());
    return value;
  }
  if (type.is_nested()) {  // no call looks at them
    (void)columnar::skip_value_bytes(in, type);
    return {};
  }
  switch (columnar::value_width(type)) {
    case 1: return int64_t{in.fixed<uint8_t>()};
    case 4: return int64_t{in.fixed<int32_t>()};
    default: return in.fixed<int64_t>();
  }
}

// In the order of the rows, so that rounding is always the same.
Value sum_of(const sql::OverCall& call, size_t place, const std::deque<PastRow>& rows, size_t first) {
  Wide whole = 0;
  double real = 0;
  int64_t count = 0;
  bool is_real = false;
  for (size_t at = first; at < rows.size(); ++at) {
    const Value& value = rows[at].values[place];
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      whole += *integer;
      ++count;
    } else if (const auto* number = std::get_if<double>(&value)) {
      is_real = true;
      real += *number;
      ++count;
    }
  }
  if (count == 0) return {};
  const double total = is_real ? real : static_cast<double>(whole);
  if (call.function == sql::OverFunction::kAvg) return total / static_cast<double>(count);
  if (is_real) return real;
  const bool fits = whole >= std::numeric_limits<int64_t>::min() && whole <= std::numeric_limits<int64_t>::max();
  return fits ? Value(static_cast<int64_t>(whole)) : Value{};
}

Value decimal_total(const sql::OverCall& call, const Type& argument, size_t place, const std::deque<PastRow>& rows,
                    size_t first) {
  columnar::DecimalSum sum;
  uint64_t count = 0;
  for (size_t at = first; at < rows.size(); ++at) {
    const auto* value = std::get_if<columnar::Decimal>(&rows[at].values[place]);
    if (value == nullptr) continue;
    sum.add(*value);
    ++count;
  }
  if (count == 0) return {};
  const bool average = call.function == sql::OverFunction::kAvg;
  const auto total = average ? sum.average(count, call.type.scale - argument.scale) : sum.total();
  return total ? Value(*total) : Value{};
}

Value extreme_of(size_t place, const std::deque<PastRow>& rows, size_t first, bool least) {
  const auto nan = [](const Value& value) {
    const auto* number = std::get_if<double>(&value);
    return number != nullptr && std::isnan(*number);
  };
  const Value* best = nullptr;
  for (size_t at = first; at < rows.size(); ++at) {
    const Value& value = rows[at].values[place];
    if (is_null(value)) continue;
    // NaN only if there is nothing else.
    const bool better =
        best == nullptr || nan(*best) || (!nan(value) && (least ? less(value, *best) : less(*best, value)));
    if (better) best = &value;
  }
  return best == nullptr ? Value{} : *best;
}

// Passes over NULL, as in windows.
Value edge_of(size_t place, const std::deque<PastRow>& rows, size_t first, bool oldest) {
  for (size_t at = first; at < rows.size(); ++at) {
    const Value& value = rows[oldest ? at : rows.size() - 1 - (at - first)].values[place];
    if (!is_null(value)) return value;
  }
  return {};
}

}  // namespace

void append_value(const Value& value, columnar::ColumnBuilder& out) {
  if (is_null(value)) return out.append_null();
  if (const auto* text = std::get_if<std::string>(&value)) return out.append_string(*text);
  if (const auto* number = std::get_if<double>(&value)) return append_real(*number, out);
  if (const auto* decimal = std::get_if<columnar::Decimal>(&value)) return out.append(decimal->unscaled);
  const int64_t integer = std::get<int64_t>(value);
  switch (columnar::value_width(out.type())) {
    case 1: return out.append<uint8_t>(static_cast<uint8_t>(integer));
    case 4: return out.append<int32_t>(static_cast<int32_t>(integer));
    default: return out.append<int64_t>(integer);
  }
}

bool less(const Value& left, const Value& right) {
  if (left.index() != right.index()) return left.index() < right.index();
  const auto* a = std::get_if<double>(&left);
  if (a == nullptr) return left < right;
  const double b = std::get<double>(right);
  if (std::isnan(*a) || std::isnan(b)) return !std::isnan(*a) && std::isnan(b);
  return *a < b;
}

ValuePicker::ValuePicker(const columnar::Schema& schema, std::vector<size_t> columns) : columns_(std::move(columns)) {
  for (const columnar::Field& field : schema.fields) types_.push_back(field.type);
  for (const size_t column : columns_) needed_ = std::max(needed_, column + 1);
}

std::vector<Value> ValuePicker::pick(std::string_view row) const {
  std::vector<Value> picked(columns_.size());
  ByteReader in(row);
  for (size_t column = 0; column < needed_; ++column) {
    const Value value = read_value(in, types_[column]);
    for (size_t at = 0; at < columns_.size(); ++at) {
      if (columns_[at] == column) picked[at] = value;
    }
  }
  return picked;
}

size_t frame_begin(const sql::OverCall& call, const std::deque<PastRow>& rows) {
  const size_t last = rows.size() - 1;
  if (!call.range_us) {
    const auto before = static_cast<size_t>(call.rows);
    return before > last ? 0 : last - before;
  }
  const int64_t earliest = rows.back().time - *call.range_us;
  const auto found = std::ranges::lower_bound(rows, earliest, {}, &PastRow::time);
  return static_cast<size_t>(found - rows.begin());
}

Value aggregate_frame(const sql::OverCall& call, const Type& argument, size_t place, const std::deque<PastRow>& rows,
                      size_t first) {
  using enum sql::OverFunction;
  switch (call.function) {
    case kCountStar: return static_cast<int64_t>(rows.size() - first);
    case kCount: {
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
      return static_cast<int64_t>(
          std::count_if(begin, rows.end(), [&](const PastRow& row) { return !is_null(row.values[place]); }));
    }
    case kSum:
    case kAvg:
      if (argument == TypeKind::kDecimal) return decimal_total(call, argument, place, rows, first);
      return sum_of(call, place, rows, first);
    case kMin: return extreme_of(place, rows, first, true);
    case kMax: return extreme_of(place, rows, first, false);
    case kFirstValue:
    case kLastValue: return edge_of(place, rows, first, call.function == kFirstValue);
    default: return {};
  }
}

}  // namespace tidegate::engine
