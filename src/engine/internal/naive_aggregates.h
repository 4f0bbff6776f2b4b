// Tests only: the aggregates of Query::every_aggregate, computed the slow and obvious way.
#pragma once

#include <string>
#include <vector>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

[[nodiscard]] const char* kind_of(const Reading& reading);

// Of the rows of one window [start, end), in their order of arrival; each with "|" before it. Readings are expected
// until `expected_until_us`.
[[nodiscard]] std::string naive_aggregates(std::vector<Reading> rows, int64_t start_us, int64_t end_us,
                                           int64_t expected_until_us);

}  // namespace tidegate::engine
