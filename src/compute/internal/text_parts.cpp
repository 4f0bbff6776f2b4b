// Parts of texts and texts put together: LEFT, LPAD, REPEAT, SPLIT_INDEX and their like. Positions are in code points.
#include <algorithm>
#include <vector>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace {

std::string_view first_characters(std::string_view text, int64_t count) {
  return count <= 0 ? std::string_view() : text.substr(0, skip_code_points(text, 0, static_cast<size_t>(count)));
}

void left(Frame& frame) {
  each_text(frame, [&](size_t row) { frame.put(first_characters(frame.args[0].text(row), frame.integer(1, row))); });
}

void right(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    const int64_t count = frame.integer(1, row);
    if (count <= 0) return frame.put("");
    const auto skipped = static_cast<int64_t>(code_points(text)) - count;
    frame.put(skipped <= 0 ? text : text.substr(skip_code_points(text, 0, static_cast<size_t>(skipped))));
  });
}

// `count` characters of `pad` repeated. Stops once the result is too long to be kept.
void append_padding(std::string_view pad, int64_t count, std::string& out) {
  const auto pad_points = static_cast<int64_t>(code_points(pad));
  for (; count >= pad_points && out.size() <= kMaxStringBytes; count -= pad_points) out.append(pad);
  if (count < pad_points) out.append(first_characters(pad, count));
}

template <bool kFront>
void pad(Frame& frame) {
  std::string padded;
  each_text(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    const std::string_view padding = frame.args[2].text(row);
    const int64_t length = frame.integer(1, row);
    if (length < 0 || padding.empty()) return frame.put_none();
    const int64_t missing = length - static_cast<int64_t>(code_points(text));
    if (missing <= 0) return frame.put(first_characters(text, length));
    padded.clear();
    append_padding(padding, missing, padded);
    kFront ? frame.put(padded, text) : frame.put(text, padded);
  });
}

void repeat(Frame& frame) {
  std::string repeated;
  each_text(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    repeated.clear();
    if (!text.empty()) {
      for (int64_t left = frame.integer(1, row); left > 0 && repeated.size() <= kMaxStringBytes; --left) {
        repeated.append(text);
      }
    }
    frame.put(repeated);
  });
}

void reverse(Frame& frame) {
  std::string reversed;
  each_text(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    reversed.resize(text.size());
    size_t to = text.size();
    for (size_t at = 0; at < text.size();) {
      const size_t next = skip_code_points(text, at, 1);
      to -= next - at;
      std::copy_n(text.data() + at, next - at, reversed.data() + to);
      at = next;
    }
    frame.put(reversed);
  });
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void capitalise(Frame& frame) {
  std::string changed;
  each_text(frame, [&](size_t row) {
    changed.assign(frame.args[0].text(row));
    bool inside = false;
    for (char& c : changed) {
      const bool letter = is_letter(c);
      if (letter) c = static_cast<char>(inside ? c | 0x20 : c & ~0x20);
      inside = letter || is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
    }
    frame.put(changed);
  });
}

// Joins what is not NULL; NULL if the separator is.
void concat_with_separator(Frame& frame) {
  combine_validity(frame.args.first(1), frame.rows, frame.out);
  std::string joined;
  each_text(frame, [&](size_t row) {
    joined.clear();
    bool first = true;
    for (const Value& arg : frame.args.subspan(1)) {
      if (!arg.valid(row)) continue;
      if (!first) joined.append(frame.args[0].text(row));
      first = false;
      joined.append(arg.text(row));
      if (joined.size() > kMaxStringBytes) break;
    }
    frame.put(joined);
  });
}

std::string_view character_at(std::string_view text, size_t at) {
  return text.substr(at, skip_code_points(text, at, 1) - at);
}

void translate_into(std::string_view text, std::string_view from, std::string_view to, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    at += character.size();
    size_t source = 0;
    size_t target = 0;
    bool found = false;
    while (source < from.size() && !found) {
      found = character_at(from, source) == character;
      if (found) break;
      source = skip_code_points(from, source, 1);
      target = skip_code_points(to, target, 1);
    }
    if (!found) {
      out.append(character);
    } else if (target < to.size()) {
      out.append(character_at(to, target));
    }
  }
}

void translate(Frame& frame) {
  std::string translated;
  each_text(frame, [&](size_t row) {
    translated.clear();
    translate_into(frame.args[0].text(row), frame.args[1].text(row), frame.args[2].text(row), translated);
    frame.put(translated);
  });
}

// A start that is not inside the text leaves it as it is.
void overlay(Frame& frame) {
  std::string result;
  each_text(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    const std::string_view placed = frame.args[1].text(row);
    const int64_t start = frame.integer(2, row);
    const auto points = static_cast<int64_t>(code_points(text));
    if (start < 1 || start > points) return frame.put(text);
    const int64_t length = frame.args.size() > 3 ? frame.integer(3, row) : static_cast<int64_t>(code_points(placed));
    const size_t first = skip_code_points(text, 0, static_cast<size_t>(start - 1));
    const int64_t rest = std::clamp<int64_t>(start - 1 + length, 0, points);
    result.assign(text.substr(0, first));
    result.append(placed);
    frame.put(result, text.substr(skip_code_points(text, 0, static_cast<size_t>(rest))));
  });
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The piece with this number; nothing if there are fewer. An empty separator splits at every blank, as in Flink.
std::optional<std::string_view> piece_of(std::string_view text, std::string_view separator, int64_t index) {
  if (text.empty() || index < 0) return std::nullopt;
  const size_t width = separator.empty() ? 1 : separator.size();
  while (true) {
    size_t end = 0;
    if (separator.empty()) {
      end = static_cast<size_t>(std::ranges::find_if(text, is_blank) - text.begin());
      if (end == text.size()) end = std::string_view::npos;
    } else {
      end = text.find(separator);
    }
    if (index == 0) return text.substr(0, end);
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + width);
    --index;
  }
}

void split_index(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const auto piece = piece_of(frame.args[0].text(row), frame.args[1].text(row), frame.integer(2, row));
    piece ? frame.put(*piece) : frame.put_none();
  });
}

// Not strict: only the text that is chosen matters.
void element_of_list(Frame& frame) {
  frame.out.validity.resize(frame.rows, true);
  for (size_t row = 0; row < frame.rows; ++row) {
    const int64_t index = frame.args[0].valid(row) ? frame.integer(0, row) : 0;
    const bool inside = index >= 1 && index < static_cast<int64_t>(frame.args.size());
    const auto at = static_cast<size_t>(inside ? index : 0);
    inside&& frame.args[at].valid(row) ? frame.put(frame.args[at].text(row)) : frame.put_none();
  }
}

}  // namespace

Function text_part_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kLeft: return {left};
    case FunctionId::kRight: return {right};
    case FunctionId::kLpad: return {pad<true>};
    case FunctionId::kRpad: return {pad<false>};
    case FunctionId::kRepeat: return {repeat};
    case FunctionId::kReverse: return {reverse};
    case FunctionId::kInitCap: return {capitalise};
    case FunctionId::kConcatWs: return {concat_with_separator, false};
    case FunctionId::kTranslate: return {translate};
    case FunctionId::kOverlay: return {overlay};
    case FunctionId::kSplitIndex: return {split_index};
    default: return {element_of_list, false};
  }
}

}  // namespace tidegate::compute
