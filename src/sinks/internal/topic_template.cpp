#include "sinks/internal/topic_template.h"

#include <fmt/format.h>

#include "codec/json_encoder.h"

namespace tidegate::sinks {

namespace {

std::unexpected<Error> bad_topic(std::string_view text, std::string_view what) {
  return fail(ErrorCode::SqlInvalidOption, fmt::format("the topic '{}' cannot be published to: {}", text, what),
              "Write it like 'alerts/{device}'");
}

}  // namespace

Result<TopicTemplate> TopicTemplate::parse(std::string_view text, const columnar::Schema& schema) {
  if (text.empty()) return bad_topic(text, "it is empty");
  if (text.find_first_of(std::string_view("+#\0", 3)) != std::string_view::npos)
    return bad_topic(text, "it has a wildcard");
  TopicTemplate out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t open = std::min(rest.find_first_of("{}"), rest.size());
    Part part{std::string(rest.substr(0, open)), std::nullopt};
    rest.remove_prefix(open);
    if (!rest.empty()) {
      const size_t close = rest.find('}');
      if (rest.front() == '}' || close == std::string_view::npos) return bad_topic(text, "a brace has no partner");
      const std::string_view name = rest.substr(1, close - 1);
      part.column = schema.index_of(name);
      if (!part.column) return bad_topic(text, fmt::format("there is no column '{}'", name));
      rest.remove_prefix(close + 1);
    }
    out.parts_.push_back(std::move(part));
  }
  return out;
}

void TopicTemplate::append(const columnar::Batch& batch, size_t row, std::string& out) const {
  for (const Part& part : parts_) {
    out += part.text;
    if (!part.column) continue;
    const columnar::Column& column = *batch.columns[*part.column];
    const size_t start = out.size();
    if (column.valid(row) && column.type == columnar::TypeKind::kString) {
      out += column.string_at(row);
    } else {
      codec::append_json_value(column, row, out);
    }
    for (size_t at = start; at < out.size(); ++at) {
      const char c = out[at];
      if (c == '/' || c == '+' || c == '#' || c == '"' || static_cast<uint8_t>(c) < 0x20 || c == 0x7F) out[at] = '_';
    }
  }
}

}  // namespace tidegate::sinks
