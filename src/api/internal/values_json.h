// What a stream says about the values of its columns, as JSON.
#pragma once

#include <string>

#include "catalog/definitions.h"

namespace tidegate::api {

// Members to follow others: `,"values":[{"column":...,"unit":...},...],"quality_column":...,"author_column":...`. What
// is not said is left out, the limit of a range that is open too.
[[nodiscard]] std::string values_members(const catalog::StreamDefinition& stream);

}  // namespace tidegate::api
