#include "codec/internal/record_scanner.h"

namespace tidegate::codec {

namespace {

// The index behind the closing quote of the string whose first character is at `at`; text.size() if there is none.
size_t skip_string(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (text[at] == '"') return at + 1;
    at += text[at] == '\\' ? 2 : 1;
  }
  return text.size();
}

}  // namespace

size_t closed_value_size(std::string_view text) {
  size_t depth = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return at;
    }
  }
  return 0;
}

}  // namespace tidegate::codec
