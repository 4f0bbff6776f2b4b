#include "api/internal/values_json.h"

#include <fmt/format.h>

#include "codec/source_format.h"
#include "net/http_problem.h"

namespace tidegate::api {

namespace {

using net::json_string;

// Numbers as they were written: "0.10" says more than 0.1, and 1e3 less than 1000 would.
std::string column_json(const codec::ColumnValues& values, const columnar::Schema& schema) {
  std::string out = fmt::format("{{\"column\":{}", json_string(schema.fields[values.column].name));
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format(",\"{}\":{}", name, json_string(text));
  };
  add("unit", values.unit);
  add("unit_name", values.unit_name);
  if (values.range) {
    add("least", values.range->least_text());
    add("greatest", values.range->greatest_text());
  }
  add("resolution", values.resolution);
  return out + "}";
}

}  // namespace

std::string values_members(const catalog::StreamDefinition& stream) {
  const auto format =
      codec::parse_source_format(stream.options, {*stream.schema, stream.device_column, stream.time_column});
  if (!format || !format->values) return R"(,"values":[],"quality_column":null,"author_column":null)";
  std::string columns;
  for (const codec::ColumnValues& values : format->values->columns) {
    columns += (columns.empty() ? "" : ",") + column_json(values, *stream.schema);
  }
  const auto name = [&](std::optional<size_t> column) {
    return column ? json_string(stream.schema->fields[*column].name) : std::string("null");
  };
  return fmt::format(R"(,"values":[{}],"quality_column":{},"author_column":{})", columns, name(format->values->quality),
                     name(format->values->author));
}

}  // namespace tidegate::api
