// A whole simulation from one seed: lives of the program one after the other, each with its share of trouble.
#pragma once

#include <cstdint>
#include <string>

namespace tidegate::simulation {

struct Report {
  std::string wrong;  // empty: everything held
  uint64_t trace = 0;
  uint64_t operations = 0;
  uint64_t lives = 0;
  uint64_t power_cuts = 0;
  uint64_t faults = 0;  // errors and full disks that the program was shown
  uint64_t records = 0;
};

// `story`: prints what happens, for a seed that failed.
[[nodiscard]] Report simulate(uint64_t seed, bool story);

}  // namespace tidegate::simulation
