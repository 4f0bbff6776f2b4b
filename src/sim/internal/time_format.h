// Times of data files in the formats people's exports have.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace tidegate::sim {

// `format`: "iso", "epoch_s" (fractions allowed), "epoch_ms", or literal text with %Y %m %d %H %M %S %y %f (a
// fraction of a second) %% in it; read as UTC. Microseconds since 1970; nothing when `text` is not of this form.
[[nodiscard]] std::optional<int64_t> parse_time(std::string_view text, std::string_view format);
// ConfigInvalid when the format has a letter that parse_time does not know.
[[nodiscard]] Result<> check_time_format(std::string_view format);

}  // namespace tidegate::sim
