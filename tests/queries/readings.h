// Random readings: what arrives, in which order, and what happens meanwhile.
#pragma once

#include <string>
#include <vector>

#include "expression.h"
#include "tables.h"

namespace tidegate::queries {

inline constexpr int64_t kFirstMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr int64_t kDelayMs = 10'000;             // of the watermark

// Behind the columns of a row: which edition of the lookup tables was there when it came.
inline constexpr size_t kEdition = 10;

// What is processed together; maybe nothing, and only the clock has gone on.
struct Round {
  std::vector<Row> rows;
  int64_t clock_ms = 0;
  size_t edition = 0;  // of the lookup tables, from this round on
  bool dies = false;   // the process, afterwards
};

struct Story {
  bool calendar = false;  // the readings come over a year, around the hours at which clocks change; else two minutes
  bool late = false;      // some come too late, and the clock goes on meanwhile
  bool whole_seconds = false;     // all times are, so that many fall on the ends of windows and the like
  int64_t idle_ms = 60'000;       // 'idle_timeout'
  int64_t close_ms = 86'400'000;  // 'close_after'
  int64_t span_ms = 0;
  std::vector<LookupTable> tables;
  std::vector<Round> rounds;
  // One of each device, long afterwards, so that everything before it is over.
  Round last;
  int64_t last_ms = 0;

  [[nodiscard]] std::vector<Row> by_time() const;  // but the last ones
  [[nodiscard]] size_t newest() const { return last.edition; }
  [[nodiscard]] int64_t clock_ms() const { return calendar ? kFirstMs + span_ms : kFirstMs; }
};

[[nodiscard]] Story make_story(Random& random);
[[nodiscard]] inline int64_t time_of(const Row& row) { return std::get<int64_t>(row[kTs]); }
// As a device sends it.
[[nodiscard]] std::string json_of(const Row& row);

}  // namespace tidegate::queries
