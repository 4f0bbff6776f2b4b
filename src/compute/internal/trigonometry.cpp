// Functions of doubles beyond the everyday ones: angles, logarithms to any base, TRUNCATE. And bits.
#include <cmath>
#include <limits>
#include <numbers>

#include "compute/internal/decimal_round.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

// What has no finite value although its argument is finite (COT(0), ASIN(2)) cannot be computed.
template <double (*kFunction)(double)>
Kernel finite() {
  return checked_unary<double, double>([](double a, double& out) {
    out = kFunction(a);
    return std::isfinite(out) || !std::isfinite(a);
  });
}

double sine(double a) { return std::sin(a); }
double cosine(double a) { return std::cos(a); }
double tangent(double a) { return std::tan(a); }
double cotangent(double a) { return 1.0 / std::tan(a); }
double arc_sine(double a) { return std::asin(a); }
double arc_cosine(double a) { return std::acos(a); }
double arc_tangent(double a) { return std::atan(a); }
double hyperbolic_sine(double a) { return std::sinh(a); }
double hyperbolic_cosine(double a) { return std::cosh(a); }
double hyperbolic_tangent(double a) { return std::tanh(a); }
double degrees(double a) { return a * (180.0 / std::numbers::pi); }
double radians(double a) { return a / 180.0 * std::numbers::pi; }

bool binary_log(double a, double& out) {
  out = std::log2(a);
  return !(a <= 0);
}
bool natural_log(double a, double& out) {
  out = std::log(a);
  return !(a <= 0);
}
bool log_to_base(double base, double a, double& out) {
  out = std::log(a) / std::log(base);
  return !(a <= 0) && !(base <= 1);
}

Kernel constant(double value) {
  return [value](Frame& frame) { std::fill_n(frame.result<double>(), frame.rows, value); };
}

template <class T>
Kernel for_bits(FunctionId id) {
  switch (id) {
    case FunctionId::kBitAnd: return binary<T, T, T>([](T a, T b) { return static_cast<T>(a & b); });
    case FunctionId::kBitOr: return binary<T, T, T>([](T a, T b) { return static_cast<T>(a | b); });
    case FunctionId::kBitXor: return binary<T, T, T>([](T a, T b) { return static_cast<T>(a ^ b); });
    default: return unary<T, T>([](T a) { return static_cast<T>(~a); });
  }
}

int64_t digits_of(const Frame& frame, size_t row) { return frame.args.size() < 2 ? 0 : frame.integer(1, row); }

template <class T>
void truncate(Frame& frame) {
  auto* out = frame.result<T>();
  const T* from = frame.args[0].data<T>();
  const bool one = frame.literal(0);
  for (size_t row = 0; row < frame.rows; ++row) {
    using Wide = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
    const Wide value = from[one ? 0 : row];
    // Never farther from zero than it was.
    out[row] = frame.out.valid(row) ? static_cast<T>(decimal_truncate(value, digits_of(frame, row))) : T{};
  }
}

}  // namespace

Function bit_function(const sql::Call& call) {
  return {call.arguments[0].type == TypeKind::kInt ? for_bits<int32_t>(call.function)
                                                   : for_bits<int64_t>(call.function)};
}

Function truncate_function(const sql::Call& call) {
  switch (call.arguments[0].type) {
    case TypeKind::kInt: return {truncate<int32_t>};
    case TypeKind::kBigint: return {truncate<int64_t>};
    case TypeKind::kFloat: return {truncate<float>};
    default: return {truncate<double>};
  }
}

Function trigonometry_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kSin: return {finite<sine>()};
    case FunctionId::kCos: return {finite<cosine>()};
    case FunctionId::kTan: return {finite<tangent>()};
    case FunctionId::kCot: return {finite<cotangent>()};
    case FunctionId::kAsin: return {finite<arc_sine>()};
    case FunctionId::kAcos: return {finite<arc_cosine>()};
    case FunctionId::kAtan: return {finite<arc_tangent>()};
    case FunctionId::kAtan2:
      return {binary<double, double, double>([](double y, double x) { return std::atan2(y, x); })};
    case FunctionId::kSinh: return {finite<hyperbolic_sine>()};
    case FunctionId::kCosh: return {finite<hyperbolic_cosine>()};
    case FunctionId::kTanh: return {finite<hyperbolic_tangent>()};
    case FunctionId::kDegrees: return {finite<degrees>()};
    case FunctionId::kRadians: return {finite<radians>()};
    case FunctionId::kLog2: return {checked_unary<double, double>(binary_log)};
    case FunctionId::kLog:
      if (call.arguments.size() == 2) return {checked_binary<double, double, double>(log_to_base)};
      return {checked_unary<double, double>(natural_log)};
    case FunctionId::kPi: return {constant(std::numbers::pi)};
    default: return {constant(std::numbers::e)};
  }
}

}  // namespace tidegate::compute
