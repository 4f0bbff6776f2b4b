// Regular expressions. One that is a literal is compiled once; a computed one is kept as long as it stays the same.
#include <re2/re2.h>

#include <limits>
#include <memory>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/utf8.h"
#include "sql/regular_expression.h"

namespace tidegate::compute {

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const re2::StringPiece& text) { return {text.data(), text.size()}; }

// The expression of the row at hand.
class Pattern {
 public:
  explicit Pattern(bool similar) : similar_(similar) {}

  // Null if it is no expression.
  const re2::RE2* of(std::string_view text) {
    if (!known_ || text_ != text) {
      known_ = true;
      text_.assign(text);
      std::string problem;
      compiled_ = sql::compile_regex(similar_ ? sql::similar_to_regex(text) : text_, problem);
    }
    return compiled_.get();
  }

 private:
  bool similar_;
  bool known_ = false;
  std::string text_;
  std::shared_ptr<const re2::RE2> compiled_;  // shared because kernels are copied
};

// make(expression, text, row) for every row that is not NULL and has an expression.
template <class Out, class Make>
Kernel match_rows(bool similar, Make make) {
  return [pattern = Pattern(similar), make](Frame& frame) mutable {
    auto* out = frame.result<Out>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = Out{};
      if (!frame.out.valid(row)) continue;
      const re2::RE2* expression = pattern.of(frame.args[1].text(row));
      if (expression == nullptr) {
        frame.fail(row);
      } else {
        out[row] = make(*expression, frame.args[0].text(row));
      }
    }
  };
}

bool find(const re2::RE2& expression, std::string_view text, size_t from, re2::StringPiece* groups, int count) {
  return expression.Match(piece(text), from, text.size(), re2::RE2::UNANCHORED, groups, count);
}

uint8_t matches(const re2::RE2& expression, std::string_view text) { return find(expression, text, 0, nullptr, 0); }

// An empty expression matches nothing, as in Flink.
uint8_t matches_some(const re2::RE2& expression, std::string_view text) {
  return !expression.pattern().empty() && find(expression, text, 0, nullptr, 0);
}

// Calls each(match) for every match that does not overlap the one before; an empty match moves on by a character.
template <class Each>
void each_match(const re2::RE2& expression, std::string_view text, Each each) {
  for (size_t at = 0; at <= text.size();) {
    re2::StringPiece found;
    if (!find(expression, text, at, &found, 1)) return;
    const auto begin = static_cast<size_t>(found.data() - text.data());
    if (!each(begin, begin + found.size())) return;
    at = found.empty() ? skip_code_points(text, begin, 1) : begin + found.size();
    if (found.empty() && begin == text.size()) return;
  }
}

int32_t count_matches(const re2::RE2& expression, std::string_view text) {
  int32_t count = 0;
  each_match(expression, text, [&count](size_t, size_t) { return ++count < std::numeric_limits<int32_t>::max(); });
  return count;
}

int32_t place_of_match(const re2::RE2& expression, std::string_view text) {
  re2::StringPiece found;
  if (!find(expression, text, 0, &found, 1)) return 0;
  return static_cast<int32_t>(code_points(text.substr(0, static_cast<size_t>(found.data() - text.data()))) + 1);
}

// put(frame, expression, row) puts one text.
template <class Put>
Kernel text_rows(Put put) {
  return [pattern = Pattern(false), put](Frame& frame) mutable {
    each_text(frame, [&](size_t row) {
      const re2::RE2* expression = pattern.of(frame.args[1].text(row));
      if (expression != nullptr) return put(frame, *expression, row);
      frame.fail(row);
      frame.put_null();
    });
  };
}

void extract(Frame& frame, const re2::RE2& expression, size_t row) {
  constexpr int kMaxGroups = 100;  // as many as a person could count; each costs room on the stack
  const int64_t group = frame.args.size() > 2 ? frame.integer(2, row) : 0;
  const int groups = std::min(expression.NumberOfCapturingGroups(), kMaxGroups);
  if (group < 0 || group > groups) {
    frame.fail(row);
    return frame.put_null();
  }
  re2::StringPiece found[kMaxGroups + 1];
  const bool matched = find(expression, frame.args[0].text(row), 0, found, static_cast<int>(group) + 1);
  const re2::StringPiece& wanted = found[group];
  // A group that took no part in the match has no data.
  matched&& wanted.data() != nullptr ? frame.put(view(wanted)) : frame.put_none();
}

void replace(Frame& frame, const re2::RE2& expression, size_t row) {
  const std::string_view text = frame.args[0].text(row);
  const std::string_view with = frame.args[2].text(row);
  std::string replaced;
  size_t copied = 0;
  each_match(expression, text, [&](size_t begin, size_t end) {
    replaced.append(text.substr(copied, begin - copied));
    replaced.append(with);
    copied = end;
    return replaced.size() <= kMaxStringBytes;
  });
  frame.put(replaced, text.substr(copied));
}

}  // namespace

Function regexp_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kSimilarTo: return {match_rows<uint8_t>(true, matches)};
    case FunctionId::kRegexp: return {match_rows<uint8_t>(false, matches_some)};
    case FunctionId::kRegexpCount: return {match_rows<int32_t>(false, count_matches)};
    case FunctionId::kRegexpInstr: return {match_rows<int32_t>(false, place_of_match)};
    case FunctionId::kRegexpReplace: return {text_rows(replace)};
    default: return {text_rows(extract)};  // REGEXP_EXTRACT, REGEXP_SUBSTR
  }
}

}  // namespace tidegate::compute
