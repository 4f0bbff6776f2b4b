// Quotas as the command line writes and reads them.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::cli {

// "500", "0.5", "10k", "4kB", "1MB"; k is 1000. UsageError.
[[nodiscard]] Result<double> parse_quantity(std::string_view text);
// "10", "4kB", "2.5s" by the limit's name; "-" for null.
[[nodiscard]] std::string limit_text(std::string_view name, const boost::json::value& value);
// Of a device's state: what counts for it and from where; what was not taken.
[[nodiscard]] std::string quota_text(const boost::json::value& state);
[[nodiscard]] std::string over_quota_text(const boost::json::value& state);

}  // namespace tidegate::cli
