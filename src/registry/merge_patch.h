// JSON merge patches (RFC 7396).
#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "base/error.h"

namespace tidegate::registry {

// RFC 7396 section 2: a null takes a member away, an object goes into the member's, anything else takes its place.
void apply_merge_patch(boost::json::object& target, const boost::json::object& patch);

// The patch that makes `to` out of `from`, where neither holds a null: empty when they are equal.
[[nodiscard]] boost::json::object merge_patch_between(const boost::json::object& from, const boost::json::object& to);

// A JSON object of at most `max_bytes`; BadRequest, RecordTooLarge.
[[nodiscard]] Result<boost::json::object> parse_document(std::string_view text, size_t max_bytes);

}  // namespace tidegate::registry
