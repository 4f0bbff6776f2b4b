// value IN (literal, ...): NULL if the value is NULL, or if it is not found and a literal is NULL.
#include <algorithm>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

// Up to this many candidates are compared one after the other over the whole batch, which vectorises; more are
// looked up by binary search.
constexpr size_t kMaxCompared = 16;

// What was not found is unknown when the list holds a NULL.
void forget_missing(Frame& frame, bool null_in_list) {
  if (!null_in_list) return;
  const auto* found = frame.result<uint8_t>();
  if (frame.out.validity.empty()) frame.out.validity.resize(frame.rows, true);
  for (size_t row = 0; row < frame.rows; ++row) {
    if (found[row] == 0) frame.out.validity.reset(row);
  }
}

template <class T>
void find_values(Frame& frame, const std::vector<T>& sorted) {
  const T* values = frame.args[0].data<T>();
  auto* __restrict out = frame.result<uint8_t>();
  if (sorted.size() > kMaxCompared) {
    for (size_t row = 0; row < frame.rows; ++row) out[row] = std::ranges::binary_search(sorted, values[row]);
    return;
  }
  if (frame.rows > 0) std::memset(out, 0, frame.rows);  // no rows: `out` may point nowhere
  for (const T wanted : sorted) {
    for (size_t row = 0; row < frame.rows; ++row) out[row] |= static_cast<uint8_t>(values[row] == wanted);
  }
}

template <class Stored>
bool literal_value(const sql::Literal& literal, Stored& out) {
  if (const auto* value = std::get_if<Stored>(&literal)) {
    out = *value;
    return true;
  }
  return false;
}

// Stored: how the literal holds it; T: how the column does.
template <class T, class Stored>
Function values_function(const std::vector<const sql::Literal*>& literals) {
  std::vector<T> sorted;
  bool null_in_list = false;
  for (const sql::Literal* literal : literals) {
    Stored value{};
    if (!literal_value(*literal, value)) {
      null_in_list = true;
    } else if (static_cast<Stored>(static_cast<T>(value)) == value) {  // what does not fit, no row can equal
      sorted.push_back(static_cast<T>(value));
    }
  }
  std::ranges::sort(sorted);
  return {[sorted = std::move(sorted), null_in_list](Frame& frame) {
    find_values<T>(frame, sorted);
    forget_missing(frame, null_in_list);
  }};
}

// The literals have the column's scale.
Function decimals_function(const std::vector<const sql::Literal*>& literals) {
  std::vector<columnar::Int128> sorted;
  for (const sql::Literal* literal : literals) {
    if (const auto* value = std::get_if<columnar::Decimal>(literal)) sorted.push_back(value->unscaled);
  }
  const bool null_in_list = sorted.size() < literals.size();
  std::ranges::sort(sorted);
  return {[sorted = std::move(sorted), null_in_list](Frame& frame) {
    find_values<columnar::Int128>(frame, sorted);
    forget_missing(frame, null_in_list);
  }};
}

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

void find_codes(Frame& frame, const TextSet& texts) {
  std::vector<uint32_t> codes;
  for (const std::string& text : texts) {
    if (const auto code = frame.args[0].column->pool->find(text)) codes.push_back(code->value);
  }
  std::ranges::sort(codes);
  find_values<uint32_t>(frame, codes);
}

Function texts_function(const std::vector<const sql::Literal*>& literals) {
  TextSet texts;
  bool null_in_list = false;
  for (const sql::Literal* literal : literals) {
    if (const auto* text = std::get_if<std::string>(literal)) {
      texts.insert(*text);
    } else {
      null_in_list = true;
    }
  }
  return {[texts = std::move(texts), null_in_list](Frame& frame) {
    const Value& value = frame.args[0];
    if (value.column->is_dictionary()) {
      find_codes(frame, texts);
    } else {
      each_valid<uint8_t>(frame, [&](size_t row) { return static_cast<uint8_t>(texts.contains(value.text(row))); });
    }
    forget_missing(frame, null_in_list);
  }};
}

}  // namespace

Function membership_function(const sql::Call& call) {
  std::vector<const sql::Literal*> literals;
  for (size_t at = 1; at < call.arguments.size(); ++at) {
    const sql::Literal* literal = as_literal(call.arguments[at]);
    CHECK(literal != nullptr);
    literals.push_back(literal);
  }
  switch (call.arguments[0].type) {
    case TypeKind::kBoolean: return values_function<uint8_t, bool>(literals);
    case TypeKind::kInt: return values_function<int32_t, int64_t>(literals);
    case TypeKind::kFloat: return values_function<float, double>(literals);
    case TypeKind::kDouble: return values_function<double, double>(literals);
    case TypeKind::kDecimal: return decimals_function(literals);
    case TypeKind::kString:
    case TypeKind::kBytes: return texts_function(literals);
    default: return values_function<int64_t, int64_t>(literals);
  }
}

}  // namespace tidegate::compute
