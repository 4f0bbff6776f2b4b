// Positions in UTF-8 text counted in code points. The text is valid: decoders check it at the door.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidegate::compute {

// Continuation bytes are 10xxxxxx (RFC 3629 section 3).
[[nodiscard]] inline bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

[[nodiscard]] inline size_t code_points(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += starts_code_point(byte);
  return count;
}

// The byte where the code point after `count` others begins, from byte `from` on; the end if there are fewer.
[[nodiscard]] inline size_t skip_code_points(std::string_view text, size_t from, size_t count) {
  size_t at = from;
  while (count > 0 && at < text.size()) {
    ++at;
    while (at < text.size() && !starts_code_point(text[at])) ++at;
    --count;
  }
  return at;
}

// Whether bytes that were decoded are UTF-8 at all.
[[nodiscard]] bool is_utf8(std::string_view bytes);

}  // namespace tidegate::compute
