// The fixed-width fields of a slot's row that are more than one machine word, and access to fields at any address.
#pragma once

#include <cstdint>
#include <cstring>

#include "columnar/decimal.h"

namespace tidegate::engine {

using Wide = columnar::Int128;

template <class T>
[[nodiscard]] T load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

// A DecimalSum without the bytes behind it.
[[nodiscard]] inline columnar::DecimalSum load_sum(const uint8_t* at) {
  return {load<columnar::UInt128>(at), load<int64_t>(at + 16)};
}
inline void store_sum(uint8_t* at, const columnar::DecimalSum& sum) {
  store(at, sum.low);
  store(at + 16, sum.high);
}

// Count, mean and sum of squared distances from the mean, added up without losing digits. The mean is kept as its
// distance from one of the values: that of large, close numbers has digits left for the fractions.
struct Moments {
  uint64_t count;
  double origin;
  double mean;  // minus origin
  double squares;

  // Welford (1962).
  void add(double value) {
    if (count == 0) origin = value;
    ++count;
    const double distance = (value - origin) - mean;
    mean += distance / static_cast<double>(count);
    squares += distance * ((value - origin) - mean);
  }
  // Chan, Golub, LeVeque (1979).
  void add(const Moments& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const auto own = static_cast<double>(count);
    const auto others = static_cast<double>(other.count);
    const double distance = (other.origin - origin) + (other.mean - mean);
    count += other.count;
    mean += distance * others / (own + others);
    squares += other.squares + distance * distance * own * others / (own + others);
  }
};

}  // namespace tidegate::engine
