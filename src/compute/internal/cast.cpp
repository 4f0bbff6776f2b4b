#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace {

// Numbers: the value has no decimals any more, and has to fit.
template <class From, class To>
Kernel convert() {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return checked_unary<From, To>([](double a, To& out) {
      // The bounds are exact doubles: -2^(n-1) and 2^(n-1). NaN fails both comparisons.
      constexpr double kLow = static_cast<double>(std::numeric_limits<To>::min());
      const double whole = std::trunc(a);
      const bool ok = whole >= kLow && whole < -kLow;
      out = static_cast<To>(ok ? whole : 0);
      return ok;
    });
  } else if constexpr (sizeof(From) > sizeof(To) && std::is_integral_v<To>) {
    return checked_unary<From, To>([](From a, To& out) {
      out = static_cast<To>(a);
      return a == out;
    });
  } else {
    return unary<From, To>([](From a) { return static_cast<To>(a); });
  }
}

template <class From>
Kernel number_to(TypeKind to) {
  switch (to) {
    case TypeKind::kBoolean: return unary<From, uint8_t>([](From a) { return static_cast<uint8_t>(a != 0); });
    case TypeKind::kInt: return convert<From, int32_t>();
    case TypeKind::kBigint: return convert<From, int64_t>();
    case TypeKind::kFloat: return convert<From, float>();
    case TypeKind::kDouble: return convert<From, double>();
    default: CHECK(false && "the binder let an impossible cast of a number through");
  }
  return {};
}

// Seconds since the epoch, as UNIX_TIMESTAMP; intervals are milliseconds, as in Flink.
Kernel number_to_time(TypeKind from, int64_t unit_us) {
  if (from == TypeKind::kInt) {
    return unary<int32_t, int64_t>([unit_us](int32_t a) { return a * unit_us; });
  }
  if (from == TypeKind::kDouble) {
    return checked_unary<double, int64_t>([unit_us](double a, int64_t& out) {
      const double micros = std::floor(a * static_cast<double>(unit_us));
      const bool ok = std::fabs(micros) < 9.2e18;
      out = ok ? static_cast<int64_t>(micros) : 0;
      return ok;
    });
  }
  return checked_unary<int64_t, int64_t>(
      [unit_us](int64_t a, int64_t& out) { return !__builtin_mul_overflow(a, unit_us, &out); });
}

Kernel time_to_number(TypeKind to, int64_t unit_us) {
  const auto whole = [unit_us](int64_t a) { return a / unit_us - (a % unit_us < 0 ? 1 : 0); };
  switch (to) {
    case TypeKind::kDouble:
      return unary<int64_t, double>(
          [unit_us](int64_t a) { return static_cast<double>(a) / static_cast<double>(unit_us); });
    case TypeKind::kInt:
      return checked_unary<int64_t, int32_t>([whole](int64_t a, int32_t& out) {
        out = static_cast<int32_t>(whole(a));
        return whole(a) == out;
      });
    case TypeKind::kBigint: return unary<int64_t, int64_t>(whole);
    default: CHECK(false && "the binder let an impossible cast of a time through");
  }
  return {};
}

template <class T, class Append>
Kernel print(Append append) {
  return [append, text = std::string()](Frame& frame) mutable {
    const Value& value = frame.args[0];
    each_text(frame, [&](size_t row) {
      text.clear();
      append(value.data<T>()[value.row(row)], text);
      frame.put(text);
    });
  };
}

void append_integer(int64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void copy_texts(Frame& frame) {
  each_text(frame, [&](size_t row) { frame.put(frame.args[0].text(row)); });
}

// A STRING is UTF-8 always.
void text_of_bytes(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const std::string_view bytes = frame.args[0].text(row);
    if (is_utf8(bytes)) return frame.put(bytes);
    frame.fail(row);
    frame.put_null();
  });
}

Kernel to_string(TypeKind from) {
  switch (from) {
    case TypeKind::kString: return copy_texts;
    case TypeKind::kBytes: return text_of_bytes;
    case TypeKind::kBoolean:
      return print<uint8_t>([](uint8_t value, std::string& out) { out.append(value != 0 ? "TRUE" : "FALSE"); });
    case TypeKind::kInt: return print<int32_t>(append_integer);
    case TypeKind::kBigint: return print<int64_t>(append_integer);
    case TypeKind::kFloat: return print<float>(append_float);
    case TypeKind::kDouble: return print<double>(append_double);
    case TypeKind::kInterval: return print<int64_t>(append_interval);
    default: return print<int64_t>(append_timestamp);
  }
}

// `parse` yields an optional value; what it cannot read is NULL and counted.
template <class Out, class Parse>
Kernel read(Parse parse) {
  return [parse](Frame& frame) {
    auto* out = frame.result<Out>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = Out{};
      if (!frame.out.valid(row)) continue;
      const auto value = parse(frame.args[0].text(row));
      if (!value || static_cast<std::decay_t<decltype(*value)>>(static_cast<Out>(*value)) != *value) {
        frame.fail(row);
      } else {
        out[row] = static_cast<Out>(*value);
      }
    }
  };
}

template <class Out, std::optional<Out> (*kParse)(std::string_view)>
void read_reals(Frame& frame) {
  auto* out = frame.result<Out>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = 0;
    if (!frame.out.valid(row)) continue;
    const auto value = kParse(frame.args[0].text(row));
    if (value) {
      out[row] = *value;
    } else {
      frame.fail(row);
    }
  }
}

Kernel from_string(TypeKind to) {
  switch (to) {
    case TypeKind::kBoolean: return read<uint8_t>(parse_boolean);
    case TypeKind::kInt: return read<int32_t>(parse_integer);
    case TypeKind::kBigint: return read<int64_t>(parse_integer);
    case TypeKind::kFloat: return read_reals<float, parse_float>;
    case TypeKind::kDouble: return read_reals<double, parse_double>;
    case TypeKind::kBytes: return copy_texts;
    case TypeKind::kTimestamp: return read<int64_t>([](std::string_view text) { return parse_timestamp(text, false); });
    case TypeKind::kTimestampLtz:
      return read<int64_t>([](std::string_view text) { return parse_timestamp(text, true); });
    default: CHECK(false && "the binder let an impossible cast of a text through");
  }
  return {};
}

bool is_time(TypeKind type) { return columnar::is_timestamp(type) || type == TypeKind::kInterval; }

int64_t unit_of(TypeKind type) { return type == TypeKind::kInterval ? kMicrosPerMilli : kMicrosPerSecond; }

}  // namespace

Function cast_function(const Type& from, const Type& to) {
  if (from.is_nested()) return nested_cast(from, to);
  if (from == TypeKind::kDecimal || to == TypeKind::kDecimal) return decimal_cast(from, to);
  if (to == TypeKind::kString) return {to_string(from)};
  if (from == TypeKind::kString) return {from_string(to)};
  if (is_time(from) && is_time(to)) return {unary<int64_t, int64_t>([](int64_t a) { return a; })};
  if (is_time(from)) return {time_to_number(to, unit_of(from))};
  if (is_time(to)) return {number_to_time(from, unit_of(to))};
  switch (from) {
    case TypeKind::kBoolean: return {number_to<uint8_t>(to)};
    case TypeKind::kInt: return {number_to<int32_t>(to)};
    case TypeKind::kBigint: return {number_to<int64_t>(to)};
    case TypeKind::kFloat: return {number_to<float>(to)};
    default: return {number_to<double>(to)};
  }
}

Function try_cast_function(const Type& from, const Type& to) {
  return {[cast = cast_function(from, to).kernel](Frame& frame) {
    const uint64_t before = frame.run.errors;
    cast(frame);
    frame.run.errors = before;
  }};
}

}  // namespace tidegate::compute
