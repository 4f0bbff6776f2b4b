// Sealing: AES-256-GCM with a key of its own for every sealed piece.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/random.h"

namespace tidegate::crypto {

// 256 bits of key; wiped when it goes.
class Key {
 public:
  static constexpr size_t kBytes = 32;
  explicit Key(std::string_view bytes);  // exactly kBytes
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();
  [[nodiscard]] static Key generate(io::Random& random);
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  // HKDF-SHA-256 (RFC 5869) of this key.
  [[nodiscard]] Key derive(std::string_view salt, std::string_view info) const;

 private:
  std::array<uint8_t, kBytes> bytes_{};
};

// salt(16) | nonce(12) | ciphertext | tag(16). The piece's key is HKDF(key, salt, "tidegate seal v1"), so one data
// key seals far more than 2^32 pieces safely. `place` is authenticated, not stored: it names where the piece
// belongs (stream and offsets, pipeline and key, ...), so that a piece moved elsewhere does not open.
inline constexpr size_t kSealOverhead = 16 + 12 + 16;
[[nodiscard]] std::string seal(const Key& key, io::Random& random, std::string_view place, std::string_view plain);
// SealBroken when it was changed, moved or sealed under another key.
[[nodiscard]] Result<std::string> open_seal(const Key& key, std::string_view place, std::string_view sealed);

}  // namespace tidegate::crypto
