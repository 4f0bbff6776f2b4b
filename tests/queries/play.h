// A seed's life: a platform of the real parts, pipelines of random queries, readings that arrive in rounds with a kill
// in between, and every result compared with the reference.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tidegate::queries {

struct Report {
  std::map<std::string, uint64_t> queries;  // by family
  uint64_t rows = 0;                        // that were compared
  uint64_t late = 0;                        // of these, in late streams
  std::string wrong;                        // what did not hold; empty: everything did
};

// `queries` of them, each as a pipeline and as a SELECT over what is stored. `talk`: prints the queries.
[[nodiscard]] Report play(uint64_t seed, uint64_t queries, bool talk);

}  // namespace tidegate::queries
