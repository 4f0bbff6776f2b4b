#include "codec/utf8.h"

#include <cstdint>

namespace tidegate::codec {

size_t utf8_sequence_size(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return size;
}

std::string valid_utf8(std::string_view text, size_t max_bytes) {
  std::string out;
  for (size_t at = 0; at < text.size() && out.size() < max_bytes;) {
    const size_t size = utf8_sequence_size(text.substr(at));
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (out.size() + size > max_bytes) break;
    out.append(text, at, size);
    at += size;
  }
  return out;
}

}  // namespace tidegate::codec
