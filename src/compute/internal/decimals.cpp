// DECIMAL: arithmetic, comparison, rounding and conversion. Values are multiples of 10^-scale; the scales stand in the
// types. What has more digits than its type is NULL and counted.
#include <array>
#include <limits>
#include <string>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"

namespace tidegate::compute {

using columnar::Decimal;
using columnar::DecimalShape;
using columnar::Int128;
using columnar::shape_of;

namespace {

// Rows that are NULL are left out: their values may be anything.
template <class From, class Out, class Op>
Kernel each_decimal(Op op) {
  return [op](Frame& frame) {
    auto* out = frame.result<Out>();
    each<From>(frame, [&](size_t row, From a) {
      out[row] = Out{};
      if (frame.out.valid(row) && !op(a, out[row])) frame.fail(row);
    });
  };
}

bool store(const std::optional<Decimal>& value, Int128& out) {
  if (value) out = value->unscaled;
  return value.has_value();
}

using Operation = std::optional<Decimal> (*)(Decimal, int, Decimal, int, DecimalShape);

Operation operation_of(FunctionId id) {
  switch (id) {
    case FunctionId::kMultiply: return columnar::multiply;
    case FunctionId::kDivide: return columnar::divide;
    case FunctionId::kModulo:
    case FunctionId::kMod: return columnar::remainder;
    default: return columnar::add;
  }
}

Kernel binary_decimal(const sql::Call& call, const Type& type) {
  const Operation operation = operation_of(call.function);
  const bool subtract = call.function == FunctionId::kSubtract;
  const int a_scale = call.arguments[0].type.scale;
  const int b_scale = call.arguments[1].type.scale;
  return [operation, subtract, a_scale, b_scale, shape = shape_of(type)](Frame& frame) {
    auto* out = frame.result<Int128>();
    each_pair<Int128, Int128>(frame, [&](size_t row, Int128 a, Int128 b) {
      out[row] = 0;
      if (!frame.out.valid(row)) return;
      const Decimal right{subtract ? -b : b};
      if (!store(operation({a}, a_scale, right, b_scale, shape), out[row])) frame.fail(row);
    });
  };
}

bool agrees(FunctionId id, int order) {
  switch (id) {
    case FunctionId::kEqual: return order == 0;
    case FunctionId::kNotEqual: return order != 0;
    case FunctionId::kLess: return order < 0;
    case FunctionId::kLessOrEqual: return order <= 0;
    case FunctionId::kGreater: return order > 0;
    default: return order >= 0;
  }
}

// Of a value with so many digits behind the point, those after the first `digits` are rounded or cut.
std::optional<Decimal> shortened(Decimal value, int scale, int64_t digits, bool cut, DecimalShape result) {
  if (digits >= scale) return columnar::rescale(value, scale, result.precision, result.scale);
  const int64_t dropped = scale - digits;
  if (dropped > columnar::kMaxPrecision) return Decimal{};
  const auto drop = static_cast<int>(dropped);
  std::optional<Decimal> kept;
  if (cut) {
    kept = Decimal{columnar::whole_part(value, drop)};
  } else {
    kept = columnar::rescale(value, drop, columnar::kMaxPrecision, 0);
  }
  // Back to the old scale, then to the result's: no digit that counts is lost.
  if (kept) kept = columnar::rescale(*kept, 0, columnar::kMaxPrecision, drop);
  return kept ? columnar::rescale(*kept, scale, result.precision, result.scale) : std::nullopt;
}

Kernel shorten(const sql::Call& call, const Type& type) {
  const bool cut = call.function == FunctionId::kTruncate;
  return [cut, scale = int{call.arguments[0].type.scale}, shape = shape_of(type)](Frame& frame) {
    auto* out = frame.result<Int128>();
    const Value& value = frame.args[0];
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const int64_t digits = frame.args.size() < 2 ? 0 : frame.integer(1, row);
      const Decimal from{value.data<Int128>()[value.row(row)]};
      if (!store(shortened(from, scale, digits, cut, shape), out[row])) frame.fail(row);
    }
  };
}

// The next whole number in one direction.
Kernel to_whole(int scale, bool up, DecimalShape shape) {
  return each_decimal<Int128, Int128>([scale, up, shape](Int128 a, Int128& out) {
    const Int128 unit = columnar::power_of_ten(scale);
    out = a / unit;
    if (a % unit != 0 && (a > 0) == up) out += up ? 1 : -1;
    return columnar::fits_precision(out, shape.precision);
  });
}

Kernel from_decimal(const Type& from, const Type& to) {
  const int scale = from.scale;
  switch (to) {
    case TypeKind::kBoolean:
      return each_decimal<Int128, uint8_t>([](Int128 a, uint8_t& out) {
        out = a != 0;
        return true;
      });
    case TypeKind::kInt:
      return each_decimal<Int128, int32_t>([scale](Int128 a, int32_t& out) {
        const Int128 whole = columnar::whole_part({a}, scale);
        out = static_cast<int32_t>(whole);
        return whole == out;
      });
    case TypeKind::kBigint:
      return each_decimal<Int128, int64_t>([scale](Int128 a, int64_t& out) {
        const Int128 whole = columnar::whole_part({a}, scale);
        out = static_cast<int64_t>(whole);
        return whole == out;
      });
    case TypeKind::kFloat:
      return each_decimal<Int128, float>([scale](Int128 a, float& out) {
        out = static_cast<float>(columnar::to_double({a}, scale));
        return true;
      });
    case TypeKind::kDouble:
      return each_decimal<Int128, double>([scale](Int128 a, double& out) {
        out = columnar::to_double({a}, scale);
        return true;
      });
    case TypeKind::kDecimal:
      return each_decimal<Int128, Int128>([scale, shape = shape_of(to)](Int128 a, Int128& out) {
        return store(columnar::rescale({a}, scale, shape.precision, shape.scale), out);
      });
    case TypeKind::kString:
      return [scale, text = std::string()](Frame& frame) mutable {
        const Value& value = frame.args[0];
        each_text(frame, [&](size_t row) {
          text.clear();
          columnar::append_decimal({value.data<Int128>()[value.row(row)]}, scale, text);
          frame.put(text);
        });
      };
    default: CHECK(false && "the binder let an impossible cast of a DECIMAL through");
  }
  return {};
}

template <class From>
Kernel from_integer(DecimalShape shape) {
  return each_decimal<From, Int128>(
      [shape](From a, Int128& out) { return store(columnar::rescale({a}, 0, shape.precision, shape.scale), out); });
}

// By the digits that the number is written with, as in Flink.
template <class From>
Kernel from_real(DecimalShape shape) {
  return each_decimal<From, Int128>([shape](From a, Int128& out) {
    return store(columnar::decimal_of(double{a}, shape.precision, shape.scale), out);
  });
}

Kernel from_text(DecimalShape shape) {
  return [shape](Frame& frame) {
    auto* out = frame.result<Int128>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const std::string_view text = without_blanks(frame.args[0].text(row));
      if (!store(columnar::parse_decimal(text, shape.precision, shape.scale), out[row])) frame.fail(row);
    }
  };
}

}  // namespace

Function decimal_arithmetic(const sql::Call& call, const Type& type) {
  if (call.function != FunctionId::kNegate) return {binary_decimal(call, type)};
  return {each_decimal<Int128, Int128>([](Int128 a, Int128& out) {
    out = -a;
    return true;
  })};
}

Kernel decimal_comparison(FunctionId id, int a_scale, int b_scale) {
  return [id, a_scale, b_scale](Frame& frame) {
    auto* out = frame.result<uint8_t>();
    each_pair<Int128, Int128>(frame, [&](size_t row, Int128 a, Int128 b) {
      out[row] = frame.out.valid(row) && agrees(id, columnar::compare({a}, a_scale, {b}, b_scale));
    });
  };
}

Function decimal_function(const sql::Call& call, const Type& type) {
  const int scale = call.arguments[0].type.scale;
  switch (call.function) {
    case FunctionId::kAbs:
      return {each_decimal<Int128, Int128>([](Int128 a, Int128& out) {
        out = a < 0 ? -a : a;
        return true;
      })};
    case FunctionId::kCeil: return {to_whole(scale, true, shape_of(type))};
    case FunctionId::kFloor: return {to_whole(scale, false, shape_of(type))};
    case FunctionId::kSign:
      return {each_decimal<Int128, Int128>([scale, shape = shape_of(type)](Int128 a, Int128& out) {
        out = a == 0 ? 0 : columnar::power_of_ten(scale) * (a < 0 ? -1 : 1);
        return columnar::fits_precision(out, shape.precision);
      })};
    default: return {shorten(call, type)};
  }
}

Function decimal_cast(const Type& from, const Type& to) {
  const DecimalShape shape = shape_of(to);
  switch (from) {
    case TypeKind::kDecimal: return {from_decimal(from, to)};
    case TypeKind::kBoolean: return {from_integer<uint8_t>(shape)};
    case TypeKind::kInt: return {from_integer<int32_t>(shape)};
    case TypeKind::kBigint: return {from_integer<int64_t>(shape)};
    case TypeKind::kFloat: return {from_real<float>(shape)};
    case TypeKind::kDouble: return {from_real<double>(shape)};
    case TypeKind::kString: return {from_text(shape)};
    default: CHECK(false && "the binder let an impossible cast to a DECIMAL through");
  }
  return {};
}

}  // namespace tidegate::compute
