#include "compute/internal/charset.h"

#include <array>
#include <cstdint>
#include <optional>

#include "sql/functions.h"

namespace tidegate::compute {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kByteOrderMark = "\xFE\xFF";
constexpr std::string_view kSwappedMark = "\xFF\xFE";

enum class Charset : uint8_t { kAscii, kLatin1, kUtf8, kUtf16Be, kUtf16Le, kUtf16 };

std::optional<Charset> find_charset(std::string_view name) {
  const auto known = sql::charsets();
  for (size_t at = 0; at < known.size(); ++at) {
    bool same = name.size() == known[at].size();
    for (size_t c = 0; same && c < name.size(); ++c) {
      const char upper = name[c] >= 'a' && name[c] <= 'z' ? static_cast<char>(name[c] ^ 0x20) : name[c];
      same = upper == known[at][c];
    }
    if (same) return static_cast<Charset>(at);
  }
  return std::nullopt;
}

void append_utf8(char32_t point, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (point >> shift & 0x3FU)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

struct CodePoint {
  char32_t point = kReplacement;
  size_t size = 1;
};

// The code point at the front of some UTF-8; a byte that begins none is a replacement character (RFC 3629 section 3).
CodePoint take_utf8(std::string_view bytes) {
  const auto at = [&](size_t index) { return static_cast<unsigned char>(bytes[index]); };
  const unsigned char first = at(0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xC2 || first > 0xF4 || bytes.size() < size) return {};
  char32_t point = first & (0x7FU >> size);
  for (size_t index = 1; index < size; ++index) {
    if ((at(index) & 0xC0U) != 0x80U) return {};
    point = point << 6U | (at(index) & 0x3FU);
  }
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  return point < kLeast.at(size) || point > 0x10FFFF || surrogate ? CodePoint{} : CodePoint{point, size};
}

void append_unit(uint32_t unit, bool little, std::string& out) {
  const char high = static_cast<char>(unit >> 8U & 0xFFU);
  const char low = static_cast<char>(unit & 0xFFU);
  out += little ? low : high;
  out += little ? high : low;
}

void append_utf16(char32_t point, bool little, std::string& out) {
  if (point < 0x10000) return append_unit(point, little, out);
  append_unit(0xD800U + ((point - 0x10000U) >> 10U), little, out);
  append_unit(0xDC00U + ((point - 0x10000U) & 0x3FFU), little, out);
}

void decode_utf16(std::string_view bytes, bool little, std::string& out) {
  const auto unit_at = [&](size_t index) -> uint32_t {
    const auto first = static_cast<unsigned char>(bytes[index]);
    const auto second = static_cast<unsigned char>(bytes[index + 1]);
    return little ? first | static_cast<uint32_t>(second) << 8U : static_cast<uint32_t>(first) << 8U | second;
  };
  size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    const uint32_t unit = unit_at(at);
    if (unit < 0xD800 || unit >= 0xE000) {
      append_utf8(unit, out);
      continue;
    }
    const uint32_t next = unit < 0xDC00 && at + 3 < bytes.size() ? unit_at(at + 2) : 0;
    if (next >= 0xDC00 && next < 0xE000) {
      append_utf8(0x10000U + ((unit - 0xD800U) << 10U) + (next - 0xDC00U), out);
      at += 2;
    } else {
      append_utf8(kReplacement, out);
    }
  }
  if (at < bytes.size()) append_utf8(kReplacement, out);
}

}  // namespace

bool encode_text(std::string_view text, std::string_view charset, std::string& out) {
  const auto found = find_charset(charset);
  if (!found) return false;
  if (*found == Charset::kUtf8) {
    out += text;
    return true;
  }
  if (*found == Charset::kUtf16) out += kByteOrderMark;
  const char32_t end = *found == Charset::kAscii ? 0x80 : 0x100;
  while (!text.empty()) {
    const CodePoint next = take_utf8(text);
    text.remove_prefix(next.size);
    if (*found >= Charset::kUtf16Be) {
      append_utf16(next.point, *found == Charset::kUtf16Le, out);
    } else {
      out += next.point < end ? static_cast<char>(next.point) : '?';
    }
  }
  return true;
}

bool decode_text(std::string_view bytes, std::string_view charset, std::string& out) {
  const auto found = find_charset(charset);
  if (!found) return false;
  if (*found >= Charset::kUtf16Be) {
    const bool marked =
        *found == Charset::kUtf16 && (bytes.starts_with(kByteOrderMark) || bytes.starts_with(kSwappedMark));
    const bool little = *found == Charset::kUtf16Le || (marked && bytes.starts_with(kSwappedMark));
    decode_utf16(marked ? bytes.substr(2) : bytes, little, out);
    return true;
  }
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    CodePoint next;
    if (*found == Charset::kUtf8) {
      next = take_utf8(bytes);
    } else if (*found == Charset::kLatin1 || first < 0x80) {
      next.point = first;
    }
    append_utf8(next.point, out);
    bytes.remove_prefix(next.size);
  }
  return true;
}

}  // namespace tidegate::compute
