// Little-endian writing and bounds-checked reading of on-disk and wire structures.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace tidegate {

static_assert(std::endian::native == std::endian::little, "Tidegate's formats are little-endian");

using ByteSpan = std::span<const uint8_t>;

[[nodiscard]] inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Appends to a string; the string is the buffer.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  template <std::integral T>
  void fixed(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  // LEB128, 7 bits a byte, low bits first.
  void varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void zigzag(int64_t value) { varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void raw(ByteSpan bytes) { out_.append(as_text(bytes)); }
  // A varint length, then the bytes.
  void text(std::string_view value) {
    varint(value.size());
    raw(value);
  }
  [[nodiscard]] size_t size() const { return out_.size(); }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. Reading past the end sets `ok()` to false and yields zeros, so that a
// parser may read a whole structure and check once.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  explicit ByteReader(ByteSpan bytes) : bytes_(as_text(bytes)) {}

  template <std::integral T>
  T fixed() {
    T value{};
    if (!take(sizeof value)) return value;
    std::memcpy(&value, bytes_.data() + at_ - sizeof value, sizeof value);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (!take(1)) return 0;
      const auto byte = static_cast<uint8_t>(bytes_[at_ - 1]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  int64_t zigzag() {
    const uint64_t value = varint();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  std::string_view raw(size_t size) { return take(size) ? bytes_.substr(at_ - size, size) : std::string_view{}; }
  std::string_view text() { return raw(varint()); }

  [[nodiscard]] bool ok() const { return ok_; }
  // Everything was read and nothing is left over.
  [[nodiscard]] bool finished() const { return ok_ && at_ == bytes_.size(); }
  [[nodiscard]] size_t remaining() const { return bytes_.size() - at_; }

 private:
  bool take(size_t size) {
    if (!ok_ || size > bytes_.size() - at_) {
      ok_ = false;
      return false;
    }
    at_ += size;
    return true;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace tidegate
