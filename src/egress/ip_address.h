// IP addresses and networks as text and bytes. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::egress {

// IPv4 in its IPv6 form (::ffff:a.b.c.d), so that an address has one form however it was written. So have the
// IPv4 addresses inside 64:ff9b::/96 (RFC 6052), which lead to the same place.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);  // without brackets
  [[nodiscard]] static IpAddress from_bytes(const void* bytes, size_t count);  // 4 or 16, network order
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_loopback() const;
  // Neither a server on the site nor one on the internet: loopback, link-local, multicast, unspecified, reserved
  // (RFC 6890).
  [[nodiscard]] bool is_special() const;
  [[nodiscard]] std::string to_string() const;
  bool operator==(const IpAddress&) const = default;
};

struct IpNetwork {
  IpAddress address;
  int prefix = 128;  // bits of the IPv6 form

  // "10.0.0.0/8", "2001:db8::/32", or an address alone.
  [[nodiscard]] static std::optional<IpNetwork> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const;
};

}  // namespace tidegate::egress
