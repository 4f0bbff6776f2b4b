// Rows as canonical JSON lines, so that what came can be compared with what a golden file says.
//
// Times are milliseconds since the epoch (a golden file may also say them as text), doubles have 12 digits: sums may
// be added up in another order by more threads. A row that is no insert starts with its kind: "-U ", "+U ", "-D ".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "columnar/batch.h"

namespace tidegate::streams {

// `names`: the columns to show, in that order; empty: all.
[[nodiscard]] Result<std::string> canonical_row(const columnar::Batch& batch, size_t row,
                                                const std::vector<std::string>& names);

// A line of a golden file, checked against the schema. RecordMalformed, RecordDoesNotFit (a name no column has).
[[nodiscard]] Result<std::string> canonical_line(std::string_view line, const columnar::Schema& schema,
                                                 const std::vector<std::string>& names);

// The names in a line of a golden file, in their order there.
[[nodiscard]] Result<std::vector<std::string>> names_in(std::string_view line);

}  // namespace tidegate::streams
