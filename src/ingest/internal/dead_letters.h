// DeadLetters: the records of one stream that did not fit, as rows of its dead-letter stream. One lane's, one thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/batch.h"

namespace tidegate::ingest {

class DeadLetters {
 public:
  // A dead letter keeps this much of its record: enough to see what is wrong with it.
  static constexpr size_t kMaxPayloadBytes = 64U << 10;
  // Of all dead letters that wait for a flush. Beyond it they are only counted, so that a flood of garbage cannot fill
  // the memory; one last dead letter says how many there were.
  static constexpr size_t kMaxWaitingBytes = 4U << 20;

  DeadLetters(std::shared_ptr<const catalog::StreamDefinition> stream, columnar::StringPool& devices);

  void add(int64_t now_us, std::optional<StringCode> device, std::string_view topic, ErrorCode code,
           std::string_view reason, std::string_view payload);
  [[nodiscard]] bool empty() const { return rows_.rows() == 0; }
  [[nodiscard]] size_t waiting() const { return rows_.rows(); }
  [[nodiscard]] StreamId stream() const { return stream_->id; }
  [[nodiscard]] columnar::Batch take(int64_t now_us);

 private:
  void append(int64_t now_us, std::optional<StringCode> device, std::string_view topic, ErrorCode code,
              std::string_view reason, std::string_view payload);

  // Shared, because the catalog may drop the definition while rows wait.
  std::shared_ptr<const catalog::StreamDefinition> stream_;
  columnar::StringPool& devices_;
  columnar::BatchBuilder rows_;
  size_t waiting_bytes_ = 0;
  uint64_t not_kept_ = 0;
};

}  // namespace tidegate::ingest
