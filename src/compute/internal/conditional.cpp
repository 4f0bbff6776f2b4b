#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

// NULLIF: the first value, NULL where both are equal. Not strict: NULLIF(x, NULL) is x.
template <class T>
void null_if_values(Frame& frame) {
  const Value& a = frame.args[0];
  const Value& b = frame.args[1];
  auto* out = frame.result<T>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = a.data<T>()[a.row(row)];
    if (b.valid(row) && a.valid(row) && out[row] == b.data<T>()[b.row(row)]) {
      if (frame.out.validity.empty()) frame.out.validity.resize(frame.rows, true);
      frame.out.validity.reset(row);
    }
  }
}

void null_if_texts(Frame& frame) {
  const Value& a = frame.args[0];
  const Value& b = frame.args[1];
  for (size_t row = 0; row < frame.rows; ++row) {
    if (!a.valid(row) || !b.valid(row) || a.text(row) != b.text(row)) {
      a.valid(row) ? frame.put(a.text(row)) : frame.put_null();
      continue;
    }
    if (frame.out.validity.empty()) frame.out.validity.resize(frame.rows, true);
    frame.out.validity.reset(row);
    frame.put_null();
  }
}

Function null_if(const Type& type) {
  Kernel kernel;
  switch (type) {
    case TypeKind::kBoolean: kernel = null_if_values<uint8_t>; break;
    case TypeKind::kInt: kernel = null_if_values<int32_t>; break;
    case TypeKind::kFloat: kernel = null_if_values<float>; break;
    case TypeKind::kDouble: kernel = null_if_values<double>; break;
    case TypeKind::kDecimal: kernel = null_if_values<columnar::Int128>; break;
    case TypeKind::kString:
    case TypeKind::kBytes: kernel = null_if_texts; break;
    default: kernel = null_if_values<int64_t>;
  }
  return {[kernel = std::move(kernel)](Frame& frame) {
            combine_validity(frame.args.first(1), frame.rows, frame.out);
            kernel(frame);
          },
          false};
}

template <class T, bool kGreatest>
void extreme_value(Frame& frame) {
  auto* __restrict out = frame.result<T>();
  for (size_t argument = 0; argument < frame.args.size(); ++argument) {
    const T* value = frame.args[argument].data<T>();
    const size_t step = frame.literal(argument) ? 0 : 1;
    for (size_t row = 0; row < frame.rows; ++row) {
      const T next = value[row * step];
      const bool better = argument == 0 || (kGreatest ? next > out[row] : next < out[row]);
      if (better) out[row] = next;
    }
  }
}

template <bool kGreatest>
void extreme_text(Frame& frame) {
  each_text(frame, [&](size_t row) {
    std::string_view best = frame.args[0].text(row);
    for (const Value& arg : frame.args.subspan(1)) {
      const std::string_view next = arg.text(row);
      if (kGreatest ? next > best : next < best) best = next;
    }
    frame.put(best);
  });
}

template <bool kGreatest>
Function extreme(const Type& type) {
  switch (type) {
    case TypeKind::kBoolean: return {extreme_value<uint8_t, kGreatest>};
    case TypeKind::kInt: return {extreme_value<int32_t, kGreatest>};
    case TypeKind::kFloat: return {extreme_value<float, kGreatest>};
    case TypeKind::kDouble: return {extreme_value<double, kGreatest>};
    case TypeKind::kDecimal: return {extreme_value<columnar::Int128, kGreatest>};
    case TypeKind::kString:
    case TypeKind::kBytes: return {extreme_text<kGreatest>};
    default: return {extreme_value<int64_t, kGreatest>};
  }
}

}  // namespace

Function conditional_function(const sql::Call& call) {
  const Type& type = call.arguments[0].type;
  switch (call.function) {
    case FunctionId::kNullIf: return null_if(type);
    case FunctionId::kGreatest: return extreme<true>(type);
    default: return extreme<false>(type);
  }
}

}  // namespace tidegate::compute
