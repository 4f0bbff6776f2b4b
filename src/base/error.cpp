#include "base/error.h"

#include <fmt/format.h>

namespace tidegate {

std::string_view error_name(ErrorCode code) {
  switch (code) {
#define TIDEGATE_ERROR(number, name, http_status, meaning) \
  case ErrorCode::name: return #name;
#include "base/error_codes.inc"
#undef TIDEGATE_ERROR
  }
  return "Unknown";
}

std::string_view error_meaning(ErrorCode code) {
  switch (code) {
#define TIDEGATE_ERROR(number, name, http_status, meaning) \
  case ErrorCode::name: return meaning;
#include "base/error_codes.inc"
#undef TIDEGATE_ERROR
  }
  return "";
}

int error_http_status(ErrorCode code) {
  switch (code) {
#define TIDEGATE_ERROR(number, name, http_status, meaning) \
  case ErrorCode::name: return http_status;
#include "base/error_codes.inc"
#undef TIDEGATE_ERROR
  }
  return 500;
}

std::string Error::to_string() const {
  std::string text = fmt::format("TG{} {}", static_cast<int>(code), message);
  if (position) text += fmt::format(" (line {}, column {})", position->line, position->column);
  if (!hint.empty()) text += ". " + hint;
  return text;
}

namespace {

std::string_view line_of(std::string_view source, int line) {
  for (int at = 1; at < line; ++at) {
    const size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  return source.substr(0, source.find('\n'));
}

// Spaces up to the column, with tabs kept so that the caret stands right in a terminal.
std::string caret_line(std::string_view line, int column) {
  std::string caret;
  for (int at = 1; at < column; ++at) {
    const auto index = static_cast<size_t>(at - 1);
    caret += index < line.size() && line[index] == '\t' ? '\t' : ' ';
  }
  return caret + "^";
}

}  // namespace

std::string Error::to_string_with_source(std::string_view source) const {
  std::string text = fmt::format("error TG{}: {}\n", static_cast<int>(code), message);
  if (position) {
    const std::string_view line = line_of(source, position->line);
    const std::string gutter = fmt::format("{:>4} | ", position->line);
    text += fmt::format("{}{}\n{:>{}}{}\n", gutter, line, "| ", gutter.size(), caret_line(line, position->column));
  }
  if (!hint.empty()) text += fmt::format("hint: {}\n", hint);
  return text;
}

}  // namespace tidegate
