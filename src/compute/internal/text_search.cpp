// TRIM and its kin, and what looks for one text in another.
#include <algorithm>
#include <array>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace {

// Whether the code point that begins at `at` is one of `characters`.
bool is_one_of(std::string_view text, size_t at, std::string_view characters) {
  const size_t end = skip_code_points(text, at, 1);
  const std::string_view one = text.substr(at, end - at);
  // UTF-8 synchronises itself: a whole code point is found only where one begins.
  return characters.find(one) != std::string_view::npos;
}

template <bool kFront, bool kBack>
std::string_view trimmed(std::string_view text, std::string_view characters) {
  if (kFront) {
    size_t first = 0;
    while (first < text.size() && is_one_of(text, first, characters)) first = skip_code_points(text, first, 1);
    text.remove_prefix(first);
  }
  while (kBack && !text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && !starts_code_point(text[last])) --last;
    if (!is_one_of(text, last, characters)) break;
    text = text.substr(0, last);
  }
  return text;
}

template <bool kFront, bool kBack>
void trim(Frame& frame) {
  const bool given = frame.args.size() > 1;
  each_text(frame, [&](size_t row) {
    const std::string_view characters = given ? frame.args[1].text(row) : std::string_view(" ");
    frame.put(trimmed<kFront, kBack>(frame.args[0].text(row), characters));
  });
}

// From 1; 0 if there is none, or `start` lies outside.
int32_t place_of(std::string_view part, std::string_view text, int64_t start) {
  if (start < 1 || start - 1 > static_cast<int64_t>(text.size())) return 0;
  const auto skipped = static_cast<size_t>(start - 1);
  const size_t from = skip_code_points(text, 0, skipped);
  if (from == text.size() && skipped > code_points(text)) return 0;
  const size_t found = text.find(part, from);
  if (found == std::string_view::npos) return 0;
  return static_cast<int32_t>(code_points(text.substr(0, found)) + 1);
}

template <size_t kPart, size_t kText>
void place(Frame& frame) {
  each_valid<int32_t>(frame, [&](size_t row) {
    const int64_t start = frame.args.size() > 2 ? frame.integer(2, row) : 1;
    return place_of(frame.args[kPart].text(row), frame.args[kText].text(row), start);
  });
}

template <class Test>
Kernel test_pair(Test test) {
  return [test](Frame& frame) {
    each_valid<uint8_t>(frame, [&](size_t row) { return test(frame.args[0].text(row), frame.args[1].text(row)); });
  };
}

template <class Test>
Kernel test_text(Test test) {
  return
      [test](Frame& frame) { each_valid<uint8_t>(frame, [&](size_t row) { return test(frame.args[0].text(row)); }); };
}

bool all_letters(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && std::ranges::all_of(text, letter);
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Function text_search_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kTrim:
    case FunctionId::kBtrim: return {trim<true, true>};
    case FunctionId::kLtrim: return {trim<true, false>};
    case FunctionId::kRtrim: return {trim<false, true>};
    case FunctionId::kPosition: return {place<0, 1>};
    case FunctionId::kLocate: return {place<0, 1>};
    case FunctionId::kInstr: return {place<1, 0>};
    case FunctionId::kStartsWith:
      return {test_pair([](std::string_view text, std::string_view start) { return text.starts_with(start); })};
    case FunctionId::kEndsWith:
      return {test_pair([](std::string_view text, std::string_view end) { return text.ends_with(end); })};
    case FunctionId::kIsAlpha: return {test_text(all_letters)};
    case FunctionId::kIsDigit: return {test_text(all_digits)};
    default: return {test_text([](std::string_view text) { return parse_double(text).has_value(); })};  // IS_DECIMAL
  }
}

}  // namespace tidegate::compute
