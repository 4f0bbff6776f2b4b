#include <functional>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

template <class T, template <class> class Op>
Kernel compare() {
  return binary<T, T, uint8_t>([](T a, T b) { return static_cast<uint8_t>(Op<T>{}(a, b)); });
}

template <class T>
Kernel compare_values(FunctionId id) {
  switch (id) {
    case FunctionId::kEqual: return compare<T, std::equal_to>();
    case FunctionId::kNotEqual: return compare<T, std::not_equal_to>();
    case FunctionId::kLess: return compare<T, std::less>();
    case FunctionId::kLessOrEqual: return compare<T, std::less_equal>();
    case FunctionId::kGreater: return compare<T, std::greater>();
    default: return compare<T, std::greater_equal>();
  }
}

// A dictionary column against a literal: one look-up, then integers.
void compare_codes(Frame& frame, size_t column, bool when_equal) {
  const Value& codes = frame.args[column];
  const auto wanted = codes.column->pool->find(frame.args[1 - column].text(0));
  auto* __restrict out = frame.result<uint8_t>();
  if (!wanted) {
    std::memset(out, when_equal ? 0 : 1, frame.rows);
    return;
  }
  const uint32_t* code = codes.data<uint32_t>();
  const uint32_t value = wanted->value;
  if (when_equal) {
    for (size_t row = 0; row < frame.rows; ++row) out[row] = code[row] == value;
  } else {
    for (size_t row = 0; row < frame.rows; ++row) out[row] = code[row] != value;
  }
}

void compare_equal_texts(Frame& frame, bool when_equal) {
  for (const size_t column : {size_t{0}, size_t{1}}) {
    const bool coded = frame.args[column].column->is_dictionary() && !frame.args[column].constant;
    if (coded && frame.literal(1 - column) && frame.args[1 - column].valid(0)) {
      return compare_codes(frame, column, when_equal);
    }
  }
  const Value& a = frame.args[0];
  const Value& b = frame.args[1];
  each_valid<uint8_t>(frame, [&](size_t row) { return (a.text(row) == b.text(row)) == when_equal; });
}

// By bytes, which for UTF-8 is the order of code points.
template <class Op>
Kernel order_texts(Op op) {
  return [op](Frame& frame) {
    const Value& a = frame.args[0];
    const Value& b = frame.args[1];
    each_valid<uint8_t>(frame, [&](size_t row) { return op(a.text(row).compare(b.text(row)), 0); });
  };
}

Kernel compare_texts(FunctionId id) {
  switch (id) {
    case FunctionId::kEqual: return [](Frame& frame) { compare_equal_texts(frame, true); };
    case FunctionId::kNotEqual: return [](Frame& frame) { compare_equal_texts(frame, false); };
    case FunctionId::kLess: return order_texts(std::less<int>{});
    case FunctionId::kLessOrEqual: return order_texts(std::less_equal<int>{});
    case FunctionId::kGreater: return order_texts(std::greater<int>{});
    default: return order_texts(std::greater_equal<int>{});
  }
}

Kernel compare_kernel(FunctionId id, const Type& type) {
  switch (type) {
    case TypeKind::kNull:
    case TypeKind::kBoolean: return compare_values<uint8_t>(id);
    case TypeKind::kInt: return compare_values<int32_t>(id);
    case TypeKind::kFloat: return compare_values<float>(id);
    case TypeKind::kDouble: return compare_values<double>(id);
    case TypeKind::kDecimal: return compare_values<columnar::Int128>(id);
    case TypeKind::kString:
    case TypeKind::kBytes: return compare_texts(id);
    default: return compare_values<int64_t>(id);
  }
}

}  // namespace

Function comparison_function(const sql::Call& call) {
  const Type& a = call.arguments[0].type;
  const Type& b = call.arguments[1].type;
  if (a.scale != b.scale) return {decimal_comparison(call.function, a.scale, b.scale)};
  return {compare_kernel(call.function, a)};
}

Function distinct_function(const sql::Call& call) {
  const Kernel compare = compare_kernel(FunctionId::kNotEqual, call.arguments[0].type);
  return {[compare](Frame& frame) {
            combine_validity(frame.args, frame.rows, frame.out);
            compare(frame);
            if (!frame.out.has_nulls()) return;
            auto* out = frame.result<uint8_t>();
            for (size_t row = 0; row < frame.rows; ++row) {
              if (!frame.out.valid(row)) out[row] = frame.args[0].valid(row) != frame.args[1].valid(row);
            }
            frame.out.validity.clear();
          },
          false};
}

}  // namespace tidegate::compute
