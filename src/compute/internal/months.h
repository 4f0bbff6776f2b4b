// Calendar arithmetic by months.
#pragma once

#include <cstdint>
#include <optional>

namespace tidegate::compute {

// So many months later; a day that the month lacks becomes its last. Nothing outside of what a timestamp can be.
[[nodiscard]] std::optional<int64_t> add_months(int64_t time_us, int64_t months);
// Whole months from one time to another, negative backwards.
[[nodiscard]] int64_t months_between(int64_t from_us, int64_t to_us);

}  // namespace tidegate::compute
