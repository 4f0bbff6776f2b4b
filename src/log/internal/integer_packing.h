// Integers as a frame of reference or as deltas, in the narrowest of 0, 1, 2, 4 or 8 bytes each.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace tidegate::log::internal {

// mode(1) | width(1) | zigzag reference | [zigzag first value, deltas only] | width bytes a value, little-endian.
// All arithmetic is modulo 2^64, so every input comes back exactly.
void pack_integers(std::span<const int64_t> values, std::string& out);
// False on malformed input; `out` has the number of values expected.
[[nodiscard]] bool unpack_integers(ByteReader& in, std::span<int64_t> out);

}  // namespace tidegate::log::internal
