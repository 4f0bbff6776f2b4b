// Whether a window can be computed as it is written.
#pragma once

#include <span>

#include "base/error.h"
#include "sql/internal/ast.h"
#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

// Whether the clocks of a time zone decide where the window begins: a tumbling one of days, months or shifts.
[[nodiscard]] bool has_calendar(const WindowSpec& spec);
// SqlInvalidWindow.
[[nodiscard]] Result<> check_window(const WindowCall& call);
// Sessions are kept by what they are partitioned by, so they are grouped by that and nothing else. SqlInvalidGrouping.
[[nodiscard]] Result<> check_session_keys(std::span<const Expression> keys, std::span<const size_t> partition,
                                          const columnar::Schema& input, TextPosition position);
// Slots of expected readings must not straddle a window's edge, nor be too many. SqlInvalidWindow.
[[nodiscard]] Result<> check_coverage(std::span<const BoundAggregate> aggregates, const WindowSpec& window);

}  // namespace tidegate::sql
