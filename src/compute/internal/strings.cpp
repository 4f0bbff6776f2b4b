#include <limits>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace {

template <char kFirst, char kLast>
void change_case(Frame& frame) {
  std::string changed;
  each_text(frame, [&](size_t row) {
    changed.assign(frame.args[0].text(row));
    for (char& c : changed) {
      if (c >= kFirst && c <= kLast) c = static_cast<char>(c ^ 0x20);
    }
    frame.put(changed);
  });
}

void char_length(Frame& frame) {
  each_valid<int32_t>(frame, [&](size_t row) { return static_cast<int32_t>(code_points(frame.args[0].text(row))); });
}

int64_t integer_argument(const Value& value, size_t row) { return value.column->integer_at(value.row(row)); }

// As Flink counts: from 1 at the start, from -1 at the end; 0 is the start.
std::string_view substring(std::string_view text, int64_t from, int64_t length) {
  size_t start = 0;
  if (from > 0) {
    start = skip_code_points(text, 0, static_cast<size_t>(from - 1));
  } else if (from < 0) {
    const auto points = static_cast<int64_t>(code_points(text));
    if (from < -points) return {};
    start = skip_code_points(text, 0, static_cast<size_t>(points + from));
  }
  return text.substr(start, skip_code_points(text, start, static_cast<size_t>(length)) - start);
}

void substring_rows(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const int64_t from = integer_argument(frame.args[1], row);
    const int64_t length =
        frame.args.size() > 2 ? integer_argument(frame.args[2], row) : std::numeric_limits<int64_t>::max();
    if (length < 0) {
      frame.fail(row);
      return frame.put_null();
    }
    frame.put(substring(frame.args[0].text(row), from, length));
  });
}

void concat(Frame& frame) {
  if (frame.args.size() == 2) {
    return each_text(frame, [&](size_t row) { frame.put(frame.args[0].text(row), frame.args[1].text(row)); });
  }
  std::string joined;
  each_text(frame, [&](size_t row) {
    joined.clear();
    for (const Value& arg : frame.args) {
      joined.append(arg.text(row));
      if (joined.size() > kMaxStringBytes) break;
    }
    frame.put(joined);
  });
}

// Stops once the result is too long to be kept.
void replace_into(std::string_view text, std::string_view from, std::string_view to, std::string& out) {
  size_t at = 0;
  while (!from.empty() && out.size() <= kMaxStringBytes) {
    const size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    out.append(text.substr(at, found - at));
    out.append(to);
    at = found + from.size();
  }
  out.append(text.substr(at));
}

void replace(Frame& frame) {
  std::string replaced;
  each_text(frame, [&](size_t row) {
    replaced.clear();
    replace_into(frame.args[0].text(row), frame.args[1].text(row), frame.args[2].text(row), replaced);
    frame.put(replaced);
  });
}

}  // namespace

Function string_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kUpper: return {change_case<'a', 'z'>};
    case FunctionId::kLower: return {change_case<'A', 'Z'>};
    case FunctionId::kCharLength: return {char_length};
    case FunctionId::kSubstring: return {substring_rows};
    case FunctionId::kReplace: return {replace};
    default: return {concat};
  }
}

}  // namespace tidegate::compute
