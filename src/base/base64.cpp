#include "base/base64.h"

#include <array>
#include <cstdint>

namespace tidegate {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kNone = 0xFF;
using Values = std::array<uint8_t, 256>;

constexpr void add_alphabet(Values& values, std::string_view alphabet) {
  for (size_t at = 0; at < alphabet.size(); ++at) {
    values[static_cast<unsigned char>(alphabet[at])] = static_cast<uint8_t>(at);
  }
}

constexpr Values kValues = [] {
  Values values{};
  values.fill(kNone);
  add_alphabet(values, kAlphabet);
  return values;
}();

constexpr Values kAnyValues = [] {
  Values values = kValues;
  add_alphabet(values, kUrlAlphabet);
  return values;
}();

void encode(std::string_view bytes, std::string_view alphabet, bool padded, std::string& out) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view three = bytes.substr(at, 3);
    uint32_t bits = 0;
    for (size_t byte = 0; byte < 3; ++byte) {
      bits = bits << 8 | (byte < three.size() ? static_cast<unsigned char>(three[byte]) : 0U);
    }
    for (size_t digit = 0; digit < 4; ++digit) {
      if (digit <= three.size()) {
        out += alphabet[bits >> (18 - 6 * digit) & 0x3F];
      } else if (padded) {
        out += '=';
      }
    }
  }
}

// Without padding.
bool decode(std::string_view text, const Values& values, std::string& out) {
  if (text.size() % 4 == 1) return false;
  uint32_t bits = 0;
  size_t digits = 0;
  for (const char c : text) {
    const uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return false;
    bits = bits << 6 | value;
    if (++digits % 4 != 0) continue;
    out += static_cast<char>(bits >> 16 & 0xFF);
    out += static_cast<char>(bits >> 8 & 0xFF);
    out += static_cast<char>(bits & 0xFF);
  }
  if (digits % 4 == 3) {
    out += static_cast<char>(bits >> 10 & 0xFF);
    out += static_cast<char>(bits >> 2 & 0xFF);
  } else if (digits % 4 == 2) {
    out += static_cast<char>(bits >> 4 & 0xFF);
  }
  return true;
}

std::string_view without_padding(std::string_view text) {
  text.remove_suffix(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  return text;
}

}  // namespace

void encode_base64(std::string_view bytes, std::string& out) { encode(bytes, kAlphabet, true, out); }

void encode_base64url(std::string_view bytes, std::string& out) { encode(bytes, kUrlAlphabet, false, out); }

bool decode_base64(std::string_view text, std::string& out) {
  return text.size() % 4 == 0 && decode(without_padding(text), kValues, out);
}

bool decode_any_base64(std::string_view text, std::string& out) {
  const bool padded = text.ends_with('=');
  if (padded && text.size() % 4 != 0) return false;
  return decode(padded ? without_padding(text) : text, kAnyValues, out);
}

}  // namespace tidegate
