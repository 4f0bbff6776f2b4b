#include "compute/internal/base64.h"

#include <array>
#include <cstdint>

namespace tidegate::compute {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNone = 0xFF;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNone);
  for (size_t at = 0; at < kAlphabet.size(); ++at) {
    values[static_cast<unsigned char>(kAlphabet[at])] = static_cast<uint8_t>(at);
  }
  return values;
}();

}  // namespace

void encode_base64(std::string_view bytes, std::string& out) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view three = bytes.substr(at, 3);
    uint32_t bits = 0;
    for (size_t byte = 0; byte < 3; ++byte) {
      bits = bits << 8 | (byte < three.size() ? static_cast<unsigned char>(three[byte]) : 0U);
    }
    for (size_t digit = 0; digit < 4; ++digit) {
      out += digit <= three.size() ? kAlphabet[bits >> (18 - 6 * digit) & 0x3F] : '=';
    }
  }
}

bool decode_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  uint32_t bits = 0;
  size_t digits = 0;
  for (const char c : text) {
    const uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNone) return false;
    bits = bits << 6 | value;
    if (++digits % 4 != 0) continue;
    out += static_cast<char>(bits >> 16 & 0xFF);
    out += static_cast<char>(bits >> 8 & 0xFF);
    out += static_cast<char>(bits & 0xFF);
  }
  if (padding == 1) {
    out += static_cast<char>(bits >> 10 & 0xFF);
    out += static_cast<char>(bits >> 2 & 0xFF);
  } else if (padding == 2) {
    out += static_cast<char>(bits >> 4 & 0xFF);
  }
  return true;
}

}  // namespace tidegate::compute
