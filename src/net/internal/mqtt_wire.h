// Reading and writing MQTT's data types (MQTT 5.0 section 1.5), big-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::net {

// Reading past the end sets ok() to false and yields zeros or empty views.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  uint8_t u8() {
    if (left() < 1) return failed();
    return static_cast<uint8_t>(*at_++);
  }
  uint16_t u16() {
    if (left() < 2) return failed();
    const auto value = static_cast<uint16_t>(byte(0) << 8 | byte(1));
    at_ += 2;
    return value;
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  // At most four bytes, and no more than the value needs.
  uint32_t variable() {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const uint8_t part = u8();
      value |= static_cast<uint32_t>(part & 0x7F) << shift;
      if ((part & 0x80) == 0) {
        if (part == 0 && shift > 0) ok_ = false;
        return ok_ ? value : 0;
      }
    }
    ok_ = false;
    return 0;
  }
  std::string_view bytes(size_t size) {
    if (left() < size) {
      failed();
      return {};
    }
    const std::string_view view(at_, size);
    at_ += size;
    return view;
  }
  std::string_view binary() { return bytes(u16()); }
  std::string_view rest() { return bytes(left()); }

  [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - at_); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  [[nodiscard]] unsigned byte(int i) const { return static_cast<uint8_t>(at_[i]); }
  uint8_t failed() {
    ok_ = false;
    at_ = end_;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

inline void put_u8(std::string& out, unsigned value) { out.push_back(static_cast<char>(value)); }
inline void put_u16(std::string& out, unsigned value) {
  const char bytes[2] = {static_cast<char>(value >> 8), static_cast<char>(value)};
  out.append(bytes, 2);
}
inline void put_u32(std::string& out, uint32_t value) {
  put_u16(out, value >> 16);
  put_u16(out, value & 0xFFFF);
}
inline void put_variable(std::string& out, size_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
[[nodiscard]] inline size_t variable_size(size_t value) {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}
// A two-byte length, then the bytes; the caller has bounded them to 65,535.
inline void put_text(std::string& out, std::string_view text) {
  put_u16(out, static_cast<unsigned>(text.size()));
  out.append(text);
}

}  // namespace tidegate::net
