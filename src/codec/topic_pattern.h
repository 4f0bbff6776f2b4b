// Topic patterns: an MQTT topic filter in which {name} stands for a level and says what it is called.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "codec/record_decoder.h"

namespace tidegate::codec {

// "plant/{area}/+/{device}/#": the third level is only matched.
class TopicPattern {
 public:
  struct Capture {
    size_t level = 0;  // from 0
    std::string name;
  };
  // The message of what is wrong otherwise.
  [[nodiscard]] static std::expected<TopicPattern, std::string> parse(std::string_view text);

  // As MQTT writes it: "plant/+/+/+/#".
  [[nodiscard]] const std::string& filter() const { return filter_; }
  // In the order of their levels.
  [[nodiscard]] const std::vector<Capture>& captures() const { return captures_; }

 private:
  std::string filter_;
  std::vector<Capture> captures_;
};

// A level of a topic that fills a column.
struct TopicColumn {
  size_t level = 0;
  size_t column = 0;
};

// The level `wanted` of a topic, from 0; empty if there is none.
[[nodiscard]] std::string_view topic_level(std::string_view topic, size_t wanted);

}  // namespace tidegate::codec
