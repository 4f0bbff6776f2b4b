#include "codec/value_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codec/internal/number_text.h"

namespace tidegate::codec {

using columnar::Decimal;
using columnar::Int128;
using columnar::TypeKind;

namespace {

constexpr int kDigits = columnar::kMaxPrecision;
// Behind the point of a limit; the others, 20, hold every BIGINT.
constexpr int kLimitScale = 18;

// The column's whole steps of 10^-scale that are inside a limit, from below or from above.
Int128 steps(Decimal limit, int scale, bool least) {
  if (scale >= kLimitScale) {
    const Int128 factor = columnar::power_of_ten(scale - kLimitScale);
    // Beyond what any column holds: as good as the end of the numbers.
    const Int128 end = columnar::power_of_ten(kDigits);
    if (limit.unscaled > end / factor) return end;
    if (limit.unscaled < -(end / factor)) return -end;
    return limit.unscaled * factor;
  }
  const Int128 factor = columnar::power_of_ten(kLimitScale - scale);
  const Int128 whole = limit.unscaled / factor;
  const Int128 rest = limit.unscaled % factor;
  if (least) return rest > 0 ? whole + 1 : whole;
  return rest < 0 ? whole - 1 : whole;
}

int scale_of(const columnar::Type& type) { return type == TypeKind::kDecimal ? type.scale : 0; }

}  // namespace

std::optional<Quality> find_quality(std::string_view name) {
  const auto found = std::ranges::find(kQualityNames, name);
  if (found == kQualityNames.end()) return std::nullopt;
  return static_cast<Quality>(found - kQualityNames.begin());
}

std::expected<ValueRange, std::string> ValueRange::parse(std::string_view text, const columnar::Type& type) {
  const auto wanted = [] { return std::unexpected(std::string("two numbers such as '-40..85', '0..' or '..100'")); };
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return wanted();
  ValueRange range;
  range.least_text_ = trimmed(text.substr(0, dots));
  range.greatest_text_ = trimmed(text.substr(dots + 2));
  if (range.least_text_.empty() && range.greatest_text_.empty()) return wanted();
  range.least_ = -std::numeric_limits<double>::infinity();
  range.greatest_ = std::numeric_limits<double>::infinity();
  range.least_exact_ = -columnar::power_of_ten(kDigits);
  range.greatest_exact_ = columnar::power_of_ten(kDigits);
  for (const bool least : {true, false}) {
    const std::string& limit = least ? range.least_text_ : range.greatest_text_;
    if (limit.empty()) continue;
    const auto real = parse_real(limit);
    if (!real || !std::isfinite(*real)) return wanted();
    (least ? range.least_ : range.greatest_) =
        type == TypeKind::kFloat ? static_cast<double>(static_cast<float>(*real)) : *real;
    if (columnar::is_approximate(type)) continue;
    const auto exact = columnar::parse_decimal(limit, kDigits, kLimitScale);
    if (!exact) return std::unexpected(std::string("numbers of at most 20 digits before the point"));
    (least ? range.least_exact_ : range.greatest_exact_) = steps(*exact, scale_of(type), least);
  }
  const bool empty =
      columnar::is_approximate(type) ? range.least_ > range.greatest_ : range.least_exact_ > range.greatest_exact_;
  if (empty) return std::unexpected(std::string("a range with values in it, the least first"));
  return range;
}

bool ValueRange::contains(const columnar::Column& column, size_t row) const {
  switch (column.type.kind) {
    case TypeKind::kFloat: {
      const double value = column.values<float>()[row];
      return value >= least_ && value <= greatest_;
    }
    case TypeKind::kDouble: {
      const double value = column.values<double>()[row];
      return value >= least_ && value <= greatest_;
    }
    case TypeKind::kDecimal: {
      const Int128 value = column.values<Int128>()[row];
      return value >= least_exact_ && value <= greatest_exact_;
    }
    default: {
      const Int128 value = column.integer_at(row);
      return value >= least_exact_ && value <= greatest_exact_;
    }
  }
}

bool ValueRules::check_records() const {
  return quality || author ||
         std::ranges::any_of(columns, [](const ColumnValues& values) { return values.range.has_value(); });
}

}  // namespace tidegate::codec
