// Randomness behind a face: the system's for keys and tokens, a seeded one for simulations and tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tidegate::io {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> bytes) = 0;

  [[nodiscard]] uint64_t next_u64();
  // Uniform in [0, bound); bound > 0.
  [[nodiscard]] uint64_t below(uint64_t bound);
  // Uniform in [0, 1).
  [[nodiscard]] double unit();
  [[nodiscard]] std::string bytes(size_t size);
};

// The kernel's generator (getrandom); fit for keys. Any thread.
class SystemRandom final : public Random {
 public:
  void fill(std::span<uint8_t> bytes) override;
};

// xoshiro256** (Blackman and Vigna): the same numbers for the same seed. One thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  void fill(std::span<uint8_t> bytes) override;

 private:
  uint64_t step();
  uint64_t state_[4];
};

}  // namespace tidegate::io
