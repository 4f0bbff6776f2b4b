// ProtobufReader: the fields of a message in the wire format of Protocol Buffers
// (protobuf.dev/programming-guides/encoding).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tidegate::codec {

// One message. Reads in place; one thread.
class ProtobufReader {
 public:
  struct Field {
    uint32_t number = 0;
    uint64_t scalar = 0;     // of a varint, a fixed64, a fixed32
    std::string_view bytes;  // of a length-delimited field
    bool delimited = false;

    [[nodiscard]] float as_float() const { return std::bit_cast<float>(static_cast<uint32_t>(scalar)); }
    [[nodiscard]] double as_double() const { return std::bit_cast<double>(scalar); }
  };

  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  // The next field; nothing at the end, or when failed().
  [[nodiscard]] std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    Field field;
    const uint64_t key = varint();
    field.number = static_cast<uint32_t>(key >> 3);
    if (key >> 3 == 0 || key >> 32 != 0) failed_ = true;
    switch (key & 7) {
      case 0: field.scalar = varint(); break;
      case 1: field.scalar = fixed(8); break;
      case 2: {
        const uint64_t size = varint();
        if (size > rest_.size()) failed_ = true;
        if (failed_) break;
        field.bytes = rest_.substr(0, size);
        field.delimited = true;
        rest_.remove_prefix(size);
        break;
      }
      case 5: field.scalar = fixed(4); break;
      default: failed_ = true;  // groups are long gone
    }
    if (failed_) return std::nullopt;
    return field;
  }
  // The bytes are no such message.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  uint64_t fixed(size_t size) {
    if (rest_.size() < size) {
      failed_ = true;
      return 0;
    }
    uint64_t value = 0;
    std::memcpy(&value, rest_.data(), size);  // little-endian, as the machines we run on
    rest_.remove_prefix(size);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace tidegate::codec
