#include <algorithm>
#include <bitset>
#include <cmath>
#include <numbers>

#include "compute/internal/reference_functions.h"

namespace tidegate::compute::testing {

namespace {

using enum FunctionId;
using Values = std::vector<Literal>;
using Points = std::vector<std::string>;

bool is_null(const Literal& value) { return std::holds_alternative<std::monostate>(value); }
const std::string& text_of(const Literal& value) { return std::get<std::string>(value); }
int64_t integer_of(const Literal& value) { return std::get<int64_t>(value); }
double real_of(const Literal& value) { return std::get<double>(value); }

Points points(const Literal& value) {
  Points out;
  for (const char c : text_of(value)) {
    if (out.empty() || (static_cast<unsigned char>(c) & 0xC0) != 0x80) out.emplace_back();
    out.back() += c;
  }
  return out;
}

Literal joined(const Points& all, int64_t first, int64_t last) {
  std::string out;
  for (int64_t at = std::max<int64_t>(first, 0); at < std::min(last, static_cast<int64_t>(all.size())); ++at) {
    out += all[static_cast<size_t>(at)];
  }
  return out;
}

// What would grow too long is NULL: the generator's numbers are small, or at the edge of INT.
constexpr int64_t kTooMany = 1 << 20;

Literal left(const Values& v) { return joined(points(v[0]), 0, integer_of(v[1])); }
Literal right(const Values& v) {
  const Points all = points(v[0]);
  const auto size = static_cast<int64_t>(all.size());
  return integer_of(v[1]) <= 0 ? Literal{std::string()} : joined(all, size - integer_of(v[1]), size);
}

Literal repeat(const Values& v) {
  if (integer_of(v[1]) > kTooMany && !text_of(v[0]).empty()) return {};
  std::string out;
  for (int64_t at = 0; at < integer_of(v[1]) && !text_of(v[0]).empty(); ++at) out += text_of(v[0]);
  return out;
}

template <bool kFront>
Literal pad(const Values& v) {
  const Points all = points(v[0]);
  const Points filling = points(v[2]);
  const int64_t wanted = integer_of(v[1]);
  if (wanted < 0 || filling.empty() || wanted > kTooMany) return {};
  const auto size = static_cast<int64_t>(all.size());
  if (size >= wanted) return joined(all, 0, wanted);
  std::string padding;
  for (int64_t at = 0; at < wanted - size; ++at) padding += filling[static_cast<size_t>(at) % filling.size()];
  return kFront ? padding + text_of(v[0]) : text_of(v[0]) + padding;
}

Literal reverse(const Values& v) {
  Points all = points(v[0]);
  std::ranges::reverse(all);
  return joined(all, 0, static_cast<int64_t>(all.size()));
}

template <bool kFront, bool kBack>
Literal trim(const Values& v) {
  Points all = points(v[0]);
  const Points cut = points(v[1]);
  const auto unwanted = [&cut](const std::string& point) { return std::ranges::find(cut, point) != cut.end(); };
  while (kFront && !all.empty() && unwanted(all.front())) all.erase(all.begin());
  while (kBack && !all.empty() && unwanted(all.back())) all.pop_back();
  return joined(all, 0, static_cast<int64_t>(all.size()));
}

Literal locate(const Values& v) {
  const Points part = points(v[0]);
  const Points all = points(v[1]);
  const int64_t start = v.size() > 2 ? integer_of(v[2]) : 1;
  if (start < 1) return int64_t{0};
  for (auto at = static_cast<size_t>(start - 1); at + part.size() <= all.size(); ++at) {
    if (std::equal(part.begin(), part.end(), all.begin() + static_cast<ptrdiff_t>(at))) {
      return static_cast<int64_t>(at + 1);
    }
  }
  return int64_t{0};
}

Literal split_index(const Values& v) {
  const std::string& separator = text_of(v[1]);
  std::string text = text_of(v[0]);
  if (text.empty() || integer_of(v[2]) < 0) return {};
  std::vector<std::string> pieces;
  // An empty separator splits at blanks, of which the generator makes none.
  for (size_t at = separator.empty() ? std::string::npos : text.find(separator); at != std::string::npos;
       at = text.find(separator)) {
    pieces.push_back(text.substr(0, at));
    text = text.substr(at + separator.size());
  }
  pieces.push_back(text);
  const auto index = static_cast<size_t>(integer_of(v[2]));
  return index < pieces.size() ? Literal{pieces[index]} : Literal{};
}

Literal concat_ws(const Values& v) {
  if (is_null(v[0])) return {};
  std::string out;
  bool first = true;
  for (size_t at = 1; at < v.size(); ++at) {
    if (is_null(v[at])) continue;
    if (!first) out += text_of(v[0]);
    first = false;
    out += text_of(v[at]);
  }
  return out;
}

Literal translate(const Values& v) {
  const Points from = points(v[1]);
  const Points to = points(v[2]);
  std::string out;
  for (const std::string& point : points(v[0])) {
    const auto at = static_cast<size_t>(std::ranges::find(from, point) - from.begin());
    out += at == from.size() ? point : at < to.size() ? to[at] : "";
  }
  return out;
}

Literal overlay(const Values& v) {
  const Points all = points(v[0]);
  const auto size = static_cast<int64_t>(all.size());
  const int64_t start = integer_of(v[2]);
  if (start < 1 || start > size) return v[0];
  const int64_t rest = start - 1 + integer_of(v[3]);
  return text_of(joined(all, 0, start - 1)) + text_of(v[1]) + text_of(joined(all, rest, size));
}

Literal binary_digits(const Values& v) {
  const std::string all = std::bitset<64>(static_cast<uint64_t>(integer_of(v[0]))).to_string();
  const size_t first = all.find('1');
  return first == std::string::npos ? std::string("0") : all.substr(first);
}

Literal finite(double value) { return std::isfinite(value) ? Literal{value} : Literal{}; }

const std::vector<NamedFunction>& all_functions() {
  static const std::vector<NamedFunction> kAll = {
      {kLeft, kText, {kText, kInt}, left},
      {kRight, kText, {kText, kInt}, right},
      {kRepeat, kText, {kText, kInt}, repeat},
      {kLpad, kText, {kText, kInt, kText}, pad<true>},
      {kRpad, kText, {kText, kInt, kText}, pad<false>},
      {kReverse, kText, {kText}, reverse},
      {kBtrim, kText, {kText, kText}, trim<true, true>},
      {kLtrim, kText, {kText, kText}, trim<true, false>},
      {kRtrim, kText, {kText, kText}, trim<false, true>},
      {kLocate, kInt, {kText, kText}, locate},
      {kLocate, kInt, {kText, kText, kInt}, locate},
      {kInstr, kInt, {kText, kText}, [](const Values& v) { return locate({v[1], v[0]}); }},
      {kConcatWs, kText, {kText, kText, kText}, concat_ws, false},
      {kTranslate, kText, {kText, kText, kText}, translate},
      {kOverlay, kText, {kText, kText, kInt, kInt}, overlay},
      {kStartsWith, kBool, {kText, kText}, [](const Values& v) { return text_of(v[0]).starts_with(text_of(v[1])); }},
      {kEndsWith, kBool, {kText, kText}, [](const Values& v) { return text_of(v[0]).ends_with(text_of(v[1])); }},
      {kBin, kText, {kBig}, binary_digits},
      {kBitAnd, kInt, {kInt, kInt}, [](const Values& v) { return integer_of(v[0]) & integer_of(v[1]); }},
      {kBitOr, kBig, {kBig, kBig}, [](const Values& v) { return integer_of(v[0]) | integer_of(v[1]); }},
      {kBitXor, kBig, {kBig, kBig}, [](const Values& v) { return integer_of(v[0]) ^ integer_of(v[1]); }},
      {kBitNot, kInt, {kInt}, [](const Values& v) { return ~integer_of(v[0]); }},
      {kSin, kDouble, {kDouble}, [](const Values& v) { return Literal{std::sin(real_of(v[0]))}; }},
      {kDegrees, kDouble, {kDouble}, [](const Values& v) { return finite(real_of(v[0]) * (180 / std::numbers::pi)); }},
      {kAtan2,
       kDouble,
       {kDouble, kDouble},
       [](const Values& v) { return Literal{std::atan2(real_of(v[0]), real_of(v[1]))}; }},
      {kDistinctFrom, kBool, {kText, kText}, [](const Values& v) { return Literal{v[0] != v[1]}; }, false},
      {kDistinctFrom, kBool, {kInt, kInt}, [](const Values& v) { return Literal{v[0] != v[1]}; }, false},
      {kIsAlpha,
       kBool,
       {kText},
       [](const Values& v) {
         return !text_of(v[0]).empty() &&
                std::ranges::all_of(text_of(v[0]), [](char c) { return std::isalpha(c) != 0; });
       }},
      {kSplitIndex, kText, {kText, kText, kInt}, split_index},
  };
  return kAll;
}

}  // namespace

std::span<const NamedFunction> named_functions() { return all_functions(); }

const NamedFunction* find_named(FunctionId id, const std::vector<Expression>& arguments) {
  for (const NamedFunction& function : all_functions()) {
    const auto same_type = [](const Expression& argument, TypeKind type) { return argument.type == type; };
    if (function.id == id && std::ranges::equal(arguments, function.arguments, same_type)) return &function;
  }
  return nullptr;
}

}  // namespace tidegate::compute::testing
