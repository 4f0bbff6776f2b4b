#include "engine/internal/bounded_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/internal/window_math.h"

namespace tidegate::engine {

namespace {

struct Span {
  int64_t least = kNever;
  int64_t newest = -kNever;

  void add(const columnar::Column& times) {
    const auto values = times.values<int64_t>();
    for (size_t row = 0; row < times.rows; ++row) {
      if (!times.valid(row) || !usable_time(values[row])) continue;
      least = std::min(least, values[row]);
      newest = std::max(newest, values[row]);
    }
  }
};

}  // namespace

BoundedSource::BoundedSource(log::Log& log, const catalog::StreamDefinition& stream, Offset from, Offset to,
                             bool by_time)
    : reader_(log, stream.id, "query"),
      name_(stream.name),
      from_(from),
      to_(std::max(from, to)),
      time_column_(by_time ? stream.time_column : std::nullopt),
      newest_time_(-kNever) {
  reader_.seek(from_);
}

Result<bool> BoundedSource::survey(size_t max_rows) {
  if (!time_column_ || surveyed_) return false;
  if (!at_end()) {
    TRY_ASSIGN(const std::vector<columnar::Batch> batches, read_some(max_rows));
    Span span;
    for (const columnar::Batch& batch : batches) span.add(*batch.columns[*time_column_]);
    if (batches.empty()) reader_.seek(to_);
    stretches_.push_back({reader_.position(), span.least});
    newest_time_ = std::max(newest_time_, span.newest);
    return true;
  }
  for (size_t at = stretches_.size(); at-- > 1;) {
    stretches_[at - 1].least_time = std::min(stretches_[at - 1].least_time, stretches_[at].least_time);
  }
  reader_.seek(from_);
  skipped_before_ = reader_.skipped();
  surveyed_ = true;
  return false;
}

Result<std::vector<columnar::Batch>> BoundedSource::read(size_t max_rows) {
  TRY_ASSIGN(std::vector<columnar::Batch> batches, read_some(max_rows));
  if (batches.empty()) reader_.seek(to_);
  return batches;
}

Result<std::vector<columnar::Batch>> BoundedSource::read_some(size_t max_rows) {
  const size_t fits = std::clamp<size_t>(kReadBytes / row_bytes_, 1, max_rows);
  auto found = reader_.read(fits, to_);
  if (!found && found.error().code == ErrorCode::NotFound) {
    return fail(ErrorCode::NotFound, fmt::format("stream '{}' was dropped meanwhile", name_));
  }
  TRY_ASSIGN(std::vector<columnar::Batch> batches, std::move(found));
  size_t rows = 0;
  size_t bytes = 0;
  for (const columnar::Batch& batch : batches) {
    rows += batch.rows;
    bytes += batch.memory_bytes();
  }
  if (rows > 0) row_bytes_ = std::max<size_t>(bytes / rows, 1);
  return batches;
}

int64_t BoundedSource::least_time_to_come() const {
  if (!time_column_) return at_end() ? kNever : -kNever;  // who knows: it is read first
  const auto stretch = std::ranges::upper_bound(stretches_, reader_.position(), {}, &Stretch::end);
  return stretch == stretches_.end() ? kNever : stretch->least_time;
}

}  // namespace tidegate::engine
