#include <limits>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

// Sums and differences of 64-bit integers collect the sign of the overflow test over the whole batch instead of
// branching on each row; __builtin_add_overflow is not vectorised.
template <bool kSubtract>
int64_t wrapped(int64_t a, int64_t b) {
  const auto left = static_cast<uint64_t>(a);
  const auto right = static_cast<uint64_t>(b);
  return static_cast<int64_t>(kSubtract ? left - right : left + right);
}

// Negative if a +/- b, which is `result` modulo 2^64, does not fit (Hacker's Delight, section 2-13).
template <bool kSubtract>
int64_t overflow_sign(int64_t a, int64_t b, int64_t result) {
  return kSubtract ? (a ^ b) & (a ^ result) : (a ^ result) & (b ^ result);
}

template <bool kSubtract>
void add_int64(Frame& frame) {
  auto* __restrict out = frame.result<int64_t>();
  int64_t signs = 0;
  each_pair<int64_t, int64_t>(frame, [out, &signs](size_t row, int64_t a, int64_t b) {
    const int64_t result = wrapped<kSubtract>(a, b);
    signs |= overflow_sign<kSubtract>(a, b, result);
    out[row] = result;
  });
  if (signs >= 0) return;
  each_pair<int64_t, int64_t>(frame, [&frame](size_t row, int64_t a, int64_t b) {
    if (overflow_sign<kSubtract>(a, b, wrapped<kSubtract>(a, b)) < 0) frame.fail(row);
  });
}

// 32-bit operations are computed in 64 bits, where they cannot overflow.
template <class Op>
Kernel narrow(Op op) {
  return checked_binary<int32_t, int32_t, int32_t>([op](int32_t a, int32_t b, int32_t& out) {
    const int64_t wide = op(int64_t{a}, int64_t{b});
    out = static_cast<int32_t>(wide);
    return wide == out;
  });
}

template <class T>
bool divide(T a, T b, T& out) {
  const bool bad = b == 0 || (b == -1 && a == std::numeric_limits<T>::min());
  out = static_cast<T>(a / (bad ? 1 : b));
  return !bad;
}

template <class T>
bool remainder(T a, T b, T& out) {
  out = static_cast<T>(b == 0 || b == -1 ? 0 : a % b);  // x % -1 is 0, and traps for the least integer
  return b != 0;
}

template <class T>
bool divide_reals(T a, T b, T& out) {
  out = a / b;
  return b != 0;
}

template <class T>
bool negate(T a, T& out) {
  const bool ok = a != std::numeric_limits<T>::min();
  out = static_cast<T>(ok ? -a : a);
  return ok;
}

Kernel for_int32(FunctionId id) {
  switch (id) {
    case FunctionId::kAdd: return narrow([](int64_t a, int64_t b) { return a + b; });
    case FunctionId::kSubtract: return narrow([](int64_t a, int64_t b) { return a - b; });
    case FunctionId::kMultiply: return narrow([](int64_t a, int64_t b) { return a * b; });
    case FunctionId::kDivide: return checked_binary<int32_t, int32_t, int32_t>(divide<int32_t>);
    case FunctionId::kNegate: return checked_unary<int32_t, int32_t>(negate<int32_t>);
    default: return checked_binary<int32_t, int32_t, int32_t>(remainder<int32_t>);
  }
}

Kernel for_int64(FunctionId id) {
  switch (id) {
    case FunctionId::kAdd: return add_int64<false>;
    case FunctionId::kSubtract: return add_int64<true>;
    case FunctionId::kMultiply:
      return checked_binary<int64_t, int64_t, int64_t>(
          [](int64_t a, int64_t b, int64_t& out) { return !__builtin_mul_overflow(a, b, &out); });
    case FunctionId::kDivide: return checked_binary<int64_t, int64_t, int64_t>(divide<int64_t>);
    case FunctionId::kNegate: return checked_unary<int64_t, int64_t>(negate<int64_t>);
    default: return checked_binary<int64_t, int64_t, int64_t>(remainder<int64_t>);
  }
}

template <class T>
Kernel for_real(FunctionId id) {
  switch (id) {
    case FunctionId::kAdd: return binary<T, T, T>([](T a, T b) { return a + b; });
    case FunctionId::kSubtract: return binary<T, T, T>([](T a, T b) { return a - b; });
    case FunctionId::kMultiply: return binary<T, T, T>([](T a, T b) { return a * b; });
    case FunctionId::kDivide: return checked_binary<T, T, T>(divide_reals<T>);
    case FunctionId::kNegate: return unary<T, T>([](T a) { return -a; });
    default: CHECK(false && "the remainder is for integers");
  }
  return {};
}

}  // namespace

Function arithmetic_function(const sql::Call& call) {
  switch (call.arguments[0].type) {
    case TypeKind::kInt: return {for_int32(call.function)};
    case TypeKind::kFloat: return {for_real<float>(call.function)};
    case TypeKind::kDouble: return {for_real<double>(call.function)};
    default: return {for_int64(call.function)};  // BIGINT, and times and intervals in microseconds
  }
}

}  // namespace tidegate::compute
