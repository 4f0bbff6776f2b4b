// Quotas as JSON, and merge patches of them.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "base/error.h"
#include "registry/quotas.h"

namespace tidegate::api {

// {"subject":"type:flow meter","messages_per_s":10,"bytes_per_s":null,...,"revision":1}
[[nodiscard]] std::string quota_json(const registry::Quota& quota);
// {"limits":{"messages_per_s":{"value":10,"from":"type:flow meter"}},"refused":{"messages":0,...},"dropped":0,...}:
// what counts for `subject` in the end, and what was not taken of it since the start.
[[nodiscard]] std::string quota_state_json(const registry::Quotas& quotas, std::string_view subject);
// Limits by name; null takes one away. BadRequest at a member that is none of these.
[[nodiscard]] Result<> patch_limits(boost::json::object members, registry::QuotaLimits& limits);

}  // namespace tidegate::api
