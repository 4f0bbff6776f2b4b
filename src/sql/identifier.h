// How names and texts are written in SQL by those who make statements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::sql {

// The name as SQL text, in `backticks` if it needs them.
[[nodiscard]] std::string quote_identifier(std::string_view name);
// 'text' with '' for a quote inside.
[[nodiscard]] std::string quote_string(std::string_view text);
// "INTERVAL '90' SECOND" in the greatest unit that fits.
[[nodiscard]] std::string interval_text(int64_t interval_us);

}  // namespace tidegate::sql
