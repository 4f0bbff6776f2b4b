// JSON values as YAML 1.2, in the block style that people write.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace tidegate::cli {

// Ends in a line break. Texts that could be read as something else are in quotes, texts of several lines in blocks.
[[nodiscard]] std::string yaml_text(const boost::json::value& value);

}  // namespace tidegate::cli
