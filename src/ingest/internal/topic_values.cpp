#include "ingest/internal/topic_values.h"

#include <fmt/format.h>

#include "codec/utf8.h"

namespace tidegate::ingest {

Result<std::span<const codec::TopicValue>> TopicValues::of(std::string_view topic) {
  if (columns_.empty() || topic.empty()) return std::span<const codec::TopicValue>();
  if (topic == topic_) return std::span<const codec::TopicValue>(values_);
  values_.clear();
  topic_ = topic;
  for (const codec::TopicColumn& wanted : columns_) {
    const std::string_view text = codec::topic_level(topic_, wanted.level);
    if (text.empty()) continue;
    codec::TopicValue value{wanted.column, text, {}};
    if (wanted.column == device_column_) {
      value.code = devices_.intern(text);
      if (!value.code) {
        topic_.clear();
        return fail(ErrorCode::LimitReached,
                    fmt::format("device '{}' cannot be taken: the limit of different devices is reached",
                                codec::valid_utf8(text, 60)));
      }
    }
    values_.push_back(value);
  }
  return std::span<const codec::TopicValue>(values_);
}

}  // namespace tidegate::ingest
