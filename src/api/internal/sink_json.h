// Sinks in answers of the API.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/definitions.h"
#include "sinks/sink_runner.h"

namespace tidegate::api {

[[nodiscard]] std::string_view connector_name(catalog::Connector connector);
// A JSON array, one object a sink.
[[nodiscard]] std::string sinks_json(const std::vector<sinks::SinkStatus>& sinks);

}  // namespace tidegate::api
