// The stream in which the server keeps what people have corrected: one record per value.
#pragma once

#include "catalog/definitions.h"

namespace tidegate::api {

inline constexpr const char* kCorrections = "corrections";
[[nodiscard]] catalog::StreamDefinition corrections_definition();

}  // namespace tidegate::api
