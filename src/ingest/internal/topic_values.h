// TopicValues: what the topics of a stream's messages say about its columns. One lane's, one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/source_format.h"
#include "columnar/string_pool.h"

namespace tidegate::ingest {

class TopicValues {
 public:
  // `topic_columns` lives as long.
  TopicValues(const std::vector<codec::TopicColumn>& topic_columns, std::optional<size_t> device_column,
              columnar::StringPool& devices)
      : columns_(topic_columns), device_column_(device_column), devices_(devices) {}

  // Valid until the next call; levels that the topic lacks, or that are empty, say nothing. LimitReached when the topic
  // names a new device and no more can be taken.
  [[nodiscard]] Result<std::span<const codec::TopicValue>> of(std::string_view topic);

 private:
  const std::vector<codec::TopicColumn>& columns_;
  std::optional<size_t> device_column_;
  columnar::StringPool& devices_;
  // The last topic: messages of one device tend to come together.
  std::string topic_;
  std::vector<codec::TopicValue> values_;
};

}  // namespace tidegate::ingest
