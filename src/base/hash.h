// The two hashes of the product: murmur2 places devices (it must never change), hash64 is for tables in memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace tidegate {

// MurmurHash2, 32 bit, seed 0x9747b28c: as org.apache.kafka.common.utils.Utils.murmur2, so that Kafka's
// default partitioner puts the same device into the same partition.
[[nodiscard]] uint32_t murmur2(std::string_view key);

// (murmur2 & 0x7fffffff) mod 256.
[[nodiscard]] KeyGroup key_group_of(std::string_view device);

// A fast 64-bit hash for hash tables in memory; not stable between versions, never written to disk.
[[nodiscard]] uint64_t hash64(std::string_view key);

}  // namespace tidegate
