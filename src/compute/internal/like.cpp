#include "compute/internal/like.h"

#include <algorithm>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

bool LikePattern::Piece::plain() const {
  return std::ranges::none_of(any, [](bool wild) { return wild; });
}

std::optional<LikePattern> LikePattern::compile(std::string_view pattern, std::string_view escape) {
  if (escape.size() > 1) return std::nullopt;
  LikePattern compiled;
  compiled.pieces_.emplace_back();
  for (size_t at = 0; at < pattern.size(); ++at) {
    const bool escaped = !escape.empty() && pattern[at] == escape[0];
    if (escaped && ++at == pattern.size()) return std::nullopt;
    const char c = pattern[at];
    if (escaped && c != '%' && c != '_' && c != escape[0]) return std::nullopt;
    if (!escaped && c == '%') {
      compiled.pieces_.emplace_back();
    } else {
      compiled.pieces_.back().text.push_back(c);
      compiled.pieces_.back().any.push_back(!escaped && c == '_');
    }
  }
  compiled.choose_shape();
  return compiled;
}

void LikePattern::choose_shape() {
  // Neighbouring % leave empty pieces between them, which say nothing.
  if (pieces_.size() > 2) {
    const auto empty = [](const Piece& piece) { return piece.text.empty(); };
    pieces_.erase(std::remove_if(pieces_.begin() + 1, pieces_.end() - 1, empty), pieces_.end() - 1);
  }
  if (!std::ranges::all_of(pieces_, &Piece::plain)) return;
  const bool open_start = pieces_.front().text.empty();
  const bool open_end = pieces_.back().text.empty();
  if (pieces_.size() == 1) {
    shape_ = Shape::kExact;
  } else if (pieces_.size() == 2) {
    shape_ = open_end ? Shape::kPrefix : open_start ? Shape::kSuffix : Shape::kPrefixAndSuffix;
  } else if (pieces_.size() == 3 && open_start && open_end) {
    shape_ = Shape::kContains;
  }
}

bool LikePattern::matches(std::string_view text) const {
  const std::string& first = pieces_.front().text;
  const std::string& last = pieces_.back().text;
  switch (shape_) {
    case Shape::kExact: return text == first;
    case Shape::kPrefix: return text.starts_with(first);
    case Shape::kSuffix: return text.ends_with(last);
    case Shape::kContains: return text.find(pieces_[1].text) != std::string_view::npos;
    case Shape::kPrefixAndSuffix:
      return text.size() >= first.size() + last.size() && text.starts_with(first) && text.ends_with(last);
    case Shape::kGeneral: break;
  }
  return matches_general(text);
}

size_t LikePattern::match_piece(const Piece& piece, std::string_view text, size_t at) {
  for (size_t index = 0; index < piece.text.size(); ++index) {
    if (at >= text.size()) return std::string_view::npos;
    if (piece.any[index]) {
      at = skip_code_points(text, at, 1);
    } else if (text[at++] != piece.text[index]) {
      return std::string_view::npos;
    }
  }
  return at;
}

// The first piece at the start, the last at the end, each one between at its first place after the one before:
// taking the earliest place never spoils a later match, so there is no backtracking over more than one piece.
bool LikePattern::matches_general(std::string_view text) const {
  size_t at = match_piece(pieces_.front(), text, 0);
  if (at == std::string_view::npos) return false;
  if (pieces_.size() == 1) return at == text.size();
  for (size_t index = 1; index + 1 < pieces_.size(); ++index) {
    size_t end = match_piece(pieces_[index], text, at);
    while (end == std::string_view::npos) {
      if (at >= text.size()) return false;
      at = skip_code_points(text, at, 1);
      end = match_piece(pieces_[index], text, at);
    }
    at = end;
  }
  // The last piece matches a fixed number of code points; it must be exactly those at the end.
  const Piece& last = pieces_.back();
  size_t needed = 0;
  for (size_t index = 0; index < last.text.size(); ++index)
    needed += last.any[index] || starts_code_point(last.text[index]);
  const size_t left = code_points(text.substr(at));
  if (left < needed) return false;
  return match_piece(last, text, skip_code_points(text, at, left - needed)) == text.size();
}

namespace {

// What is known of each code of a dictionary, so that a device name is matched once.
enum class Known : uint8_t { kUnknown, kNo, kYes };

void like_texts(Frame& frame, const LikePattern& pattern) {
  const Value& value = frame.args[0];
  each_valid<uint8_t>(frame, [&](size_t row) { return static_cast<uint8_t>(pattern.matches(value.text(row))); });
}

void like_codes(Frame& frame, const LikePattern& pattern, std::vector<Known>& known) {
  const Value& value = frame.args[0];
  const auto* codes = value.data<uint32_t>();
  known.resize(value.column->pool->size(), Known::kUnknown);
  each_valid<uint8_t>(frame, [&](size_t row) {
    Known& answer = known[codes[row]];
    if (answer == Known::kUnknown) answer = pattern.matches(value.text(row)) ? Known::kYes : Known::kNo;
    return static_cast<uint8_t>(answer == Known::kYes);
  });
}

// Each row has a pattern of its own.
void like_rows(Frame& frame) {
  auto* out = frame.result<uint8_t>();
  for (size_t row = 0; row < frame.rows; ++row) {
    out[row] = 0;
    if (!frame.out.valid(row)) continue;
    const std::string_view escape = frame.args.size() > 2 ? frame.args[2].text(row) : std::string_view{};
    const auto pattern = LikePattern::compile(frame.args[1].text(row), escape);
    if (!pattern) {
      frame.fail(row);
    } else {
      out[row] = pattern->matches(frame.args[0].text(row));
    }
  }
}

}  // namespace

Function like_function(const sql::Call& call) {
  const auto text_of = [&call](size_t at) {
    const sql::Literal* literal = at < call.arguments.size() ? as_literal(call.arguments[at]) : nullptr;
    return literal != nullptr ? std::get_if<std::string>(literal) : nullptr;
  };
  const std::string* pattern = text_of(1);
  const std::string* escape = text_of(2);
  if (pattern == nullptr || (call.arguments.size() > 2 && escape == nullptr)) return {like_rows};
  auto compiled = LikePattern::compile(*pattern, escape != nullptr ? *escape : "");
  if (!compiled) return {like_rows};
  return {[compiled = std::move(*compiled), pool = static_cast<const columnar::StringPool*>(nullptr),
           known = std::vector<Known>()](Frame& frame) mutable {
    const Column& column = *frame.args[0].column;
    if (!column.is_dictionary()) return like_texts(frame, compiled);
    if (column.pool != pool) known.clear();
    pool = column.pool;
    like_codes(frame, compiled, known);
  }};
}

}  // namespace tidegate::compute
