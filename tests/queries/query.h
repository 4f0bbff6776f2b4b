// Random queries: SQL text and, beside it, the rows that it gives over all readings, worked out row by row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "expression.h"
#include "readings.h"
#include "values.h"

namespace tidegate::queries {

// When a row of a pipeline's result is there.
enum class Due : uint8_t {
  kAtOnce,      // with the reading that it is made of
  kWhenPassed,  // once the watermark has passed
};

// What comes of a pipeline by the end, and the times of the readings that were too late for it; NULL: a result of the
// inner window was too late for the outer one.
struct Outcome {
  std::vector<Row> rows;
  std::vector<Value> late;
};

struct Query {
  std::string family;
  std::string sql;  // a SELECT over `readings`
  std::vector<Column> columns;
  Due due = Due::kAtOnce;
  bool bounded_only = false;  // ORDER BY and LIMIT: not for a pipeline
  bool ordered = false;
  // All readings, in the order of their times.
  std::function<std::vector<Row>(const std::vector<Row>&)> rows;
  // If it depends on what is late and when; else it is `rows` of all.
  std::function<Outcome(const Story&)> outcome;
  bool in_time_only = false;  // a pipeline only of a story in which nothing is late
};

[[nodiscard]] Query make_query(Random& random, const Story& story);

[[nodiscard]] Query plain_query(Random& random);
[[nodiscard]] Query union_query(Random& random);
[[nodiscard]] Query ordered_query(Random& random);
[[nodiscard]] Query over_query(Random& random);
[[nodiscard]] Query first_query(Random& random);
[[nodiscard]] Query detect_query(Random& random);
[[nodiscard]] Query window_query(Random& random);
[[nodiscard]] Query stacked_query(Random& random);
[[nodiscard]] Query calendar_query(Random& random);
[[nodiscard]] Query whole_query(Random& random);
[[nodiscard]] Query nested_query(Random& random);
[[nodiscard]] Query nested_window_query(Random& random);
[[nodiscard]] Query unnest_query(Random& random);
[[nodiscard]] Query unnest_window_query(Random& random);
[[nodiscard]] Query decimal_query(Random& random);
[[nodiscard]] Query decimal_window_query(Random& random);
// `story` is there as long as the query.
[[nodiscard]] Query lookup_query(Random& random, const Story& story);
[[nodiscard]] Query membership_query(Random& random, const Story& story);
[[nodiscard]] Query lookup_window_query(Random& random, const Story& story);

}  // namespace tidegate::queries
