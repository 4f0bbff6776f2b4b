#include "base/hash.h"

#include <cstring>

namespace tidegate {

uint32_t murmur2(std::string_view key) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr uint32_t kSeed = 0x9747b28c;
  const auto* data = reinterpret_cast<const uint8_t*>(key.data());
  size_t left = key.size();
  uint32_t hash = kSeed ^ static_cast<uint32_t>(left);
  for (; left >= 4; left -= 4, data += 4) {
    uint32_t word;
    std::memcpy(&word, data, 4);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (left >= 3) hash ^= static_cast<uint32_t>(data[2]) << 16;
  if (left >= 2) hash ^= static_cast<uint32_t>(data[1]) << 8;
  if (left >= 1) hash = (hash ^ data[0]) * kMultiplier;
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

KeyGroup key_group_of(std::string_view device) {
  return KeyGroup{static_cast<uint16_t>((murmur2(device) & 0x7fffffffU) % kKeyGroups)};
}

namespace {

uint64_t load(const char* data, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, data, size);
  return word;
}

// Multiply-and-fold as in wyhash (Wang Yi): 128-bit product, halves xored.
uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

uint64_t hash64(std::string_view key) {
  constexpr uint64_t kSecret0 = 0xa0761d6478bd642fULL;
  constexpr uint64_t kSecret1 = 0xe7037ed1a0b428dbULL;
  const char* data = key.data();
  size_t left = key.size();
  uint64_t hash = kSecret0 ^ key.size();
  for (; left > 16; left -= 16, data += 16) hash = fold(load(data, 8) ^ kSecret1, load(data + 8, 8) ^ hash);
  uint64_t low = 0;
  uint64_t high = 0;
  if (left >= 8) {
    low = load(data, 8);
    high = load(data + left - 8, 8);
  } else if (left >= 4) {
    low = load(data, 4);
    high = load(data + left - 4, 4);
  } else if (left > 0) {
    low = load(data, left);
  }
  return fold(kSecret1 ^ key.size(), fold(low ^ kSecret1, high ^ hash));
}

}  // namespace tidegate
