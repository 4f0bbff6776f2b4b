#include "egress/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tidegate::egress {

namespace {

constexpr size_t kV4Start = 12;
constexpr std::array<uint8_t, 12> kV4Mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<uint8_t, 12> kV4Translated{0, 0x64, 0xff, 0x9b};

}  // namespace

IpAddress IpAddress::from_bytes(const void* bytes, size_t count) {
  IpAddress out;
  if (count == 4) {
    std::copy(kV4Mapped.begin(), kV4Mapped.end(), out.bytes.begin());
    std::memcpy(out.bytes.data() + kV4Start, bytes, 4);
    return out;
  }
  std::memcpy(out.bytes.data(), bytes, out.bytes.size());
  if (std::equal(kV4Translated.begin(), kV4Translated.end(), out.bytes.begin())) {
    std::copy(kV4Mapped.begin(), kV4Mapped.end(), out.bytes.begin());
  }
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  uint8_t bytes[16];
  if (::inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return from_bytes(bytes, 4);
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes) == 1) return from_bytes(bytes, 16);
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(kV4Mapped.begin(), kV4Mapped.end(), bytes.begin()); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[kV4Start] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](uint8_t byte) { return byte == 0; }) && bytes[15] == 1;
}

bool IpAddress::is_special() const {
  if (is_loopback()) return true;
  if (is_v4()) {
    const uint8_t first = bytes[kV4Start];
    return first == 0 || first >= 224 || (first == 169 && bytes[kV4Start + 1] == 254);
  }
  // The first 96 bits zero: unspecified, and the deprecated IPv4-compatible form.
  const bool low = std::all_of(bytes.begin(), bytes.begin() + kV4Start, [](uint8_t byte) { return byte == 0; });
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return low || link_local || bytes[0] == 0xff;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + kV4Start, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork out{*address, 128};
  if (slash == std::string_view::npos) return out;
  const std::string_view digits = text.substr(slash + 1);
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || out.prefix < 0) return std::nullopt;
  if (out.prefix > (v4 ? 32 : 128)) return std::nullopt;
  if (v4) out.prefix += 96;
  return out;
}

bool IpNetwork::contains(const IpAddress& other) const {
  const auto whole = static_cast<size_t>(prefix / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<ptrdiff_t>(whole), other.bytes.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((address.bytes[whole] ^ other.bytes[whole]) & mask) == 0;
}

}  // namespace tidegate::egress
