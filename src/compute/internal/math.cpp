#include <charconv>
#include <cmath>
#include <limits>

#include "compute/internal/decimal_round.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

template <class T>
bool absolute(T a, T& out) {
  const bool ok = a != std::numeric_limits<T>::min();
  out = static_cast<T>(ok && a < 0 ? -a : a);
  return ok;
}

template <class T>
Kernel for_integer(FunctionId id) {
  switch (id) {
    case FunctionId::kAbs: return checked_unary<T, T>(absolute<T>);
    case FunctionId::kSign: return unary<T, T>([](T a) { return static_cast<T>((a > 0) - (a < 0)); });
    default: return unary<T, T>([](T a) { return a; });  // CEIL and FLOOR
  }
}

template <class T>
T sign(T a) {
  return a > 0 ? T{1} : a < 0 ? T{-1} : a;
}

bool square_root(double a, double& out) {
  out = std::sqrt(a);
  return !(a < 0);
}

// The logarithm of a number that is not positive, and what grows out of a DOUBLE's range, cannot be computed.
template <double (*kFunction)(double)>
bool logarithm(double a, double& out) {
  out = kFunction(a);
  return !(a <= 0);
}

bool exponential(double a, double& out) {
  out = std::exp(a);
  return std::isfinite(out) || !std::isfinite(a);
}

bool power(double a, double b, double& out) {
  out = std::pow(a, b);
  return std::isfinite(out) || !std::isfinite(a) || !std::isfinite(b);
}

double natural_log(double a) { return std::log(a); }
double decimal_log(double a) { return std::log10(a); }

template <class T>
Kernel for_real(FunctionId id) {
  switch (id) {
    case FunctionId::kAbs: return unary<T, T>([](T a) { return std::fabs(a); });
    case FunctionId::kCeil: return unary<T, T>([](T a) { return std::ceil(a); });
    case FunctionId::kFloor: return unary<T, T>([](T a) { return std::floor(a); });
    default: return unary<T, T>(sign<T>);
  }
}

Kernel for_double(FunctionId id) {
  switch (id) {
    case FunctionId::kSqrt: return checked_unary<double, double>(square_root);
    case FunctionId::kExp: return checked_unary<double, double>(exponential);
    case FunctionId::kLn: return checked_unary<double, double>(logarithm<natural_log>);
    case FunctionId::kLog10: return checked_unary<double, double>(logarithm<decimal_log>);
    case FunctionId::kPower: return checked_binary<double, double, double>(power);
    default: return for_real<double>(id);
  }
}

int64_t digits_of(const Frame& frame, size_t row) {
  if (frame.args.size() < 2) return 0;
  return frame.args[1].column->integer_at(frame.args[1].row(row));
}

template <class T>
void round_reals(Frame& frame) {
  const T* from = frame.args[0].data<T>();
  const bool one = frame.literal(0);
  auto* out = frame.result<T>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = frame.out.valid(row) ? decimal_round(from[one ? 0 : row], digits_of(frame, row)) : 0;
  }
}

template <class T>
void round_integers(Frame& frame) {
  auto* out = frame.result<T>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = 0;
    if (!frame.out.valid(row)) continue;
    const int64_t value = frame.args[0].column->integer_at(frame.args[0].row(row));
    const std::optional<int64_t> rounded = decimal_round(value, digits_of(frame, row));
    if (!rounded || *rounded != static_cast<T>(*rounded)) {
      frame.fail(row);
    } else {
      out[row] = static_cast<T>(*rounded);
    }
  }
}

}  // namespace

Function math_function(const sql::Call& call) {
  const Type& type = call.arguments[0].type;
  if (call.function == FunctionId::kRound) {
    if (type == TypeKind::kDouble) return {round_reals<double>};
    if (type == TypeKind::kFloat) return {round_reals<float>};
    return {type == TypeKind::kInt ? Kernel(round_integers<int32_t>) : Kernel(round_integers<int64_t>)};
  }
  if (type == TypeKind::kFloat) return {for_real<float>(call.function)};
  if (type == TypeKind::kDouble) return {for_double(call.function)};
  return {type == TypeKind::kInt ? for_integer<int32_t>(call.function) : for_integer<int64_t>(call.function)};
}

}  // namespace tidegate::compute
