// ARRAY and ROW. Elements are taken by gathering rows of the column that holds them all.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "columnar/decimal.h"
#include "columnar/value_bytes.h"
#include "compute/internal/kernels.h"

namespace tidegate::compute {

namespace {

using columnar::kNoRow;

// Of one result column: a row whose array or row would go beyond is NULL and counted, since nested constructors
// multiply quickly.
constexpr size_t kMaxColumnNestedBytes = 1U << 28;

const Column& elements_of(const Column& array) { return *array.children[0]; }

// NaN, which is none of them, is not less.
bool less_element(const Column& a, size_t left, size_t right) {
  switch (a.type) {
    case TypeKind::kFloat: return a.values<float>()[left] < a.values<float>()[right];
    case TypeKind::kDouble: return a.values<double>()[left] < a.values<double>()[right];
    case TypeKind::kDecimal: return a.values<columnar::Int128>()[left] < a.values<columnar::Int128>()[right];
    case TypeKind::kString:
    case TypeKind::kBytes: return a.string_at(left) < a.string_at(right);
    default: return a.integer_at(left) < a.integer_at(right);
  }
}

bool is_nan(const Column& column, size_t row) {
  if (column.type == TypeKind::kFloat) return std::isnan(column.values<float>()[row]);
  return column.type == TypeKind::kDouble && std::isnan(column.values<double>()[row]);
}

// Of columns of one type, neither value NULL.
bool same_element(const Column& a, size_t left, const Column& b, size_t right) {
  switch (a.type) {
    case TypeKind::kFloat: return a.values<float>()[left] == b.values<float>()[right];
    case TypeKind::kDouble: return a.values<double>()[left] == b.values<double>()[right];
    case TypeKind::kString:
    case TypeKind::kBytes: return a.string_at(left) == b.string_at(right);
    default: {
      const size_t width = columnar::value_width(a.type);
      return std::memcmp(a.fixed.data() + left * width, b.fixed.data() + right * width, width) == 0;
    }
  }
}

// About the bytes that `rows` values take in a column of the same type.
size_t bytes_of(const Column& column, size_t first, size_t rows) {
  size_t bytes = rows * columnar::value_width(column.type);
  if (column.is_plain_text()) return bytes + column.offsets[first + rows] - column.offsets[first];
  if (column.type == TypeKind::kArray) {
    const uint32_t begin = column.offsets[first];
    return rows * sizeof(uint32_t) + bytes_of(elements_of(column), begin, column.offsets[first + rows] - begin);
  }
  if (column.type == TypeKind::kRow) {
    for (const columnar::ColumnPtr& child : column.children) bytes += bytes_of(*child, first, rows);
  }
  for (size_t row = first; column.is_dictionary() && row < first + rows; ++row) {
    if (column.valid(row)) bytes += column.string_at(row).size();
  }
  return bytes;
}

// ARRAY[...] and ROW(...).
void construct(Frame& frame) {
  columnar::ColumnBuilder builder(frame.out.type);
  const bool array = frame.out.type == TypeKind::kArray;
  std::vector<size_t> failed;
  size_t held = 0;
  for (size_t row = 0; row < frame.rows; ++row) {
    size_t wanted = 0;
    for (const Value& value : frame.args) wanted += bytes_of(*value.column, value.row(row), 1);
    if (held + wanted > kMaxColumnNestedBytes) {
      builder.append_null();
      failed.push_back(row);
      continue;
    }
    held += wanted;
    for (size_t at = 0; at < frame.args.size(); ++at) {
      builder.child(array ? 0 : at).append_from(*frame.args[at].column, frame.args[at].row(row));
    }
    builder.end_nested();
  }
  frame.out = builder.take();
  for (const size_t row : failed) {
    frame.out.validity.set(row);
    frame.fail(row);
  }
}

// One element a row: `pick` says which of an array that is not NULL, counted from 0; nothing for NULL.
template <class Pick>
void take_elements(Frame& frame, Pick pick) {
  const Value& arrays = frame.args[0];
  std::vector<uint32_t> picked(frame.rows, kNoRow);
  for (size_t row = 0; row < frame.rows; ++row) {
    if (!frame.out.valid(row)) continue;
    const size_t at = arrays.row(row);
    const std::optional<size_t> element = pick(row, *arrays.column, at);
    if (element) picked[row] = static_cast<uint32_t>(arrays.column->offsets[at] + *element);
  }
  frame.out = columnar::gather_or_null(elements_of(*arrays.column), picked);
}

void element_at(Frame& frame) {
  take_elements(frame, [&](size_t row, const Column& array, size_t at) -> std::optional<size_t> {
    const int64_t position = frame.integer(1, row);
    const auto length = static_cast<int64_t>(array.length_at(at));
    if (position < 1 || position > length) return std::nullopt;
    return static_cast<size_t>(position - 1);
  });
}

void only_element(Frame& frame) {
  take_elements(frame, [&](size_t row, const Column& array, size_t at) -> std::optional<size_t> {
    const size_t length = array.length_at(at);
    if (length > 1) frame.fail(row);
    return length == 1 ? std::optional<size_t>(0) : std::nullopt;
  });
}

template <bool kGreatest>
void extreme_element(Frame& frame) {
  take_elements(frame, [](size_t, const Column& array, size_t at) {
    const Column& elements = elements_of(array);
    std::optional<size_t> best;
    for (size_t next = array.offsets[at]; next < array.offsets[at + 1]; ++next) {
      if (!elements.valid(next)) continue;
      const bool better = !best || is_nan(elements, *best) ||
                          (kGreatest ? less_element(elements, *best, next) : less_element(elements, next, *best));
      if (better && (!best || !is_nan(elements, next))) best = next;
    }
    return best ? std::optional<size_t>(*best - array.offsets[at]) : std::nullopt;
  });
}

void cardinality(Frame& frame) {
  auto* out = frame.result<int32_t>();
  const Value& arrays = frame.args[0];
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = static_cast<int32_t>(arrays.column->length_at(arrays.row(row)));
  }
}

// Where the value is, from 1; 0 if it is not there. NULL is found too.
int32_t find_element(const Value& arrays, const Value& wanted, size_t row) {
  const Column& array = *arrays.column;
  const Column& elements = elements_of(array);
  const size_t at = arrays.row(row);
  const bool null = !wanted.valid(row);
  for (uint32_t next = array.offsets[at]; next < array.offsets[at + 1]; ++next) {
    const bool found = null ? !elements.valid(next)
                            : elements.valid(next) && same_element(elements, next, *wanted.column, wanted.row(row));
    if (found) return static_cast<int32_t>(next - array.offsets[at] + 1);
  }
  return 0;
}

void position_of(Frame& frame) {
  auto* out = frame.result<int32_t>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = frame.out.valid(row) ? find_element(frame.args[0], frame.args[1], row) : 0;
  }
}

// NULL only if the array is.
void contains(Frame& frame) {
  auto* out = frame.result<uint8_t>();
  combine_validity(frame.args.first(1), frame.rows, frame.out);
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = frame.out.valid(row) && find_element(frame.args[0], frame.args[1], row) > 0 ? 1 : 0;
  }
}

// An array a row, of elements of the argument's: `choose` appends their numbers in the column of elements.
template <class Choose>
void choose_elements(Frame& frame, Choose choose) {
  const Value& arrays = frame.args[0];
  std::vector<uint32_t> chosen;
  for (size_t row = 0; row < frame.rows; ++row) {
    if (frame.out.valid(row)) choose(row, *arrays.column, arrays.row(row), chosen);
    frame.out.offsets.push_back(static_cast<uint32_t>(chosen.size()));
  }
  frame.out.children.push_back(columnar::gather(elements_of(*arrays.column), chosen));
}

void reverse(Frame& frame) {
  choose_elements(frame, [](size_t, const Column& array, size_t at, std::vector<uint32_t>& chosen) {
    for (uint32_t next = array.offsets[at + 1]; next > array.offsets[at]; --next) chosen.push_back(next - 1);
  });
}

void distinct(Frame& frame) {
  std::unordered_set<std::string> seen;
  std::string bytes;
  choose_elements(frame, [&](size_t, const Column& array, size_t at, std::vector<uint32_t>& chosen) {
    const Column& elements = elements_of(array);
    bool seen_null = false;
    seen.clear();
    for (uint32_t next = array.offsets[at]; next < array.offsets[at + 1]; ++next) {
      bytes.clear();
      if (elements.valid(next)) {
        columnar::append_value_bytes(elements, next, bytes);
        if (!seen.insert(bytes).second) continue;
      } else if (std::exchange(seen_null, true)) {
        continue;
      }
      chosen.push_back(next);
    }
  });
}

// From 1, or from the end if negative; 0 is the beginning.
int64_t place_of(int64_t position, int64_t length) {
  return position < 0 ? length + position + 1 : std::max<int64_t>(position, 1);
}

void slice_array(Frame& frame) {
  choose_elements(frame, [&](size_t row, const Column& array, size_t at, std::vector<uint32_t>& chosen) {
    const auto length = static_cast<int64_t>(array.length_at(at));
    const int64_t first = std::max<int64_t>(place_of(frame.integer(1, row), length), 1);
    const int64_t last = frame.args.size() < 3 ? length : std::min(place_of(frame.integer(2, row), length), length);
    for (int64_t next = first; next <= last; ++next) {
      chosen.push_back(array.offsets[at] + static_cast<uint32_t>(next - 1));
    }
  });
}

void join(Frame& frame) {
  const Value& arrays = frame.args[0];
  std::string text;
  for (size_t row = 0; row < frame.rows; ++row) {
    if (!frame.out.valid(row)) {
      frame.put_null();
      continue;
    }
    text.clear();
    bool first = true;
    const Column& array = *arrays.column;
    const size_t at = arrays.row(row);
    for (uint32_t next = array.offsets[at]; next < array.offsets[at + 1] && text.size() <= kMaxStringBytes; ++next) {
      const bool valid = elements_of(array).valid(next);
      if (!valid && frame.args.size() < 3) continue;
      if (!std::exchange(first, false)) text += frame.args[1].text(row);
      text += valid ? elements_of(array).string_at(next) : frame.args[2].text(row);
    }
    frame.put(text);
  }
}

// The value is NULL where the row is, or the field.
void take_field(Frame& frame, size_t field) {
  Column taken = *frame.args[0].column->children[field];
  const Value values[] = {frame.args[0], {frame.args[0].column->children[field].get(), frame.args[0].constant}};
  taken.validity.clear();
  combine_validity(values, frame.rows, taken);
  frame.out = std::move(taken);
}

}  // namespace

Function collection_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kArrayOf:
    case FunctionId::kRowOf: return {construct, false};
    case FunctionId::kField: {
      const auto field = static_cast<size_t>(std::get<int64_t>(*as_literal(call.arguments[1])));
      return {[field](Frame& frame) { take_field(frame, field); }, false};
    }
    case FunctionId::kElementAt: return {element_at};
    case FunctionId::kElement: return {only_element};
    case FunctionId::kCardinality: return {cardinality};
    case FunctionId::kArrayContains: return {contains, false};
    case FunctionId::kArrayPosition: return {position_of};
    case FunctionId::kArrayMax: return {extreme_element<true>};
    case FunctionId::kArrayMin: return {extreme_element<false>};
    case FunctionId::kArrayReverse: return {reverse};
    case FunctionId::kArrayDistinct: return {distinct};
    case FunctionId::kArraySlice: return {slice_array};
    default: return {join};
  }
}

}  // namespace tidegate::compute
