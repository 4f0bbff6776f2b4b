#include "engine/internal/source_reader.h"

#include <algorithm>

#include "base/logging.h"

namespace tidegate::engine {

Result<std::vector<columnar::Batch>> SourceReader::read(size_t max_rows, Offset limit) {
  std::vector<columnar::Batch> batches;
  while (batches.empty() && position_ < limit) {
    // No more than is wanted: a replay of many small epochs would otherwise open the same pieces again and again.
    const auto wanted = static_cast<size_t>(limit.value - position_.value);
    auto found = log_.read(stream_, position_, std::min(max_rows, wanted));
    if (!found) {
      TRY(skip(found.error(), limit));
      continue;
    }
    if (found->empty()) break;
    for (const log::LogBatchPtr& part : *found) {
      if (part->end() <= position_ || part->first >= limit) continue;
      const int64_t first = std::max(position_.value - part->first.value, int64_t{0});
      const int64_t last = std::min(part->end().value, limit.value) - part->first.value;
      batches.push_back(columnar::slice(part->batch, static_cast<size_t>(first), static_cast<size_t>(last - first)));
      position_ = Offset{part->first.value + last};
    }
    if (batches.empty()) break;
  }
  return batches;
}

Result<> SourceReader::skip(const Error& error, Offset limit) {
  Offset next = position_;
  if (error.code == ErrorCode::LogCorrupted) {
    next = log_.next_readable(stream_, position_);
  } else if (error.code == ErrorCode::OffsetOutOfRange) {
    next = log_.begin(stream_);
  }
  if (next <= position_) return fail(error);
  next = std::min(next, limit);
  log_warn("engine.rows_skipped",
           {{"reader", reader_name_}, {"from", position_.value}, {"to", next.value}, {"reason", error.to_string()}});
  skipped_ += static_cast<uint64_t>(next.value - position_.value);
  position_ = next;
  return {};
}

}  // namespace tidegate::engine
