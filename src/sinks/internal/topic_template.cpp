#include "sinks/internal/topic_template.h"

#include <fmt/format.h>

namespace tidegate::sinks {

namespace {

std::unexpected<Error> bad_topic(std::string_view text, std::string_view what) {
  return fail(ErrorCode::SqlInvalidOption, fmt::format("the topic '{}' cannot be published to: {}", text, what),
              "Write it like 'alerts/{device}'");
}

void clean_level(std::string& out, size_t start) {
  for (size_t at = start; at < out.size(); ++at) {
    const char c = out[at];
    if (c == '/' || c == '+' || c == '#' || c == '"' || static_cast<uint8_t>(c) < 0x20 || c == 0x7F) out[at] = '_';
  }
}

}  // namespace

Result<TopicTemplate> TopicTemplate::parse(std::string_view text, const columnar::Schema& schema) {
  if (text.empty()) return bad_topic(text, "it is empty");
  if (text.find_first_of(std::string_view("+#\0", 3)) != std::string_view::npos)
    return bad_topic(text, "it has a wildcard");
  TRY_ASSIGN(RowTemplate parsed, RowTemplate::parse(text, schema));
  return TopicTemplate(std::move(parsed));
}

void TopicTemplate::append(const columnar::Batch& batch, size_t row, std::string& out) const {
  text_.append(batch, row, out, &clean_level);
}

}  // namespace tidegate::sinks
