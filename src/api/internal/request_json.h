// Reads the small JSON objects that requests carry.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::api {

// The members of a flat object of strings. BadRequest, which names what is wrong, if the text is not JSON, a member is
// none of `allowed`, is no string, or one of `required` is missing.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_members(
    std::string_view json, std::initializer_list<std::string_view> required,
    std::initializer_list<std::string_view> optional);

}  // namespace tidegate::api
