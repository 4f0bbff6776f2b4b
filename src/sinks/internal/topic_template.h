// TopicTemplate: an MQTT topic with columns in it, such as "alerts/{site}/{device}".
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "columnar/batch.h"
#include "sinks/internal/row_template.h"

namespace tidegate::sinks {

class TopicTemplate {
 public:
  // SqlInvalidOption: an unknown column, a brace without its partner, a wildcard, an empty topic.
  [[nodiscard]] static Result<TopicTemplate> parse(std::string_view text, const columnar::Schema& schema);
  // Characters of a value that mean something in topics ('/', '+', '#', control characters) become '_'; NULL is "null".
  void append(const columnar::Batch& batch, size_t row, std::string& out) const;

 private:
  explicit TopicTemplate(RowTemplate text) : text_(std::move(text)) {}
  RowTemplate text_;
};

}  // namespace tidegate::sinks
