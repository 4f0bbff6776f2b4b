// A stream as a query over what is stored reads it: a range of offsets, and what is known of the times to come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/internal/source_reader.h"

namespace tidegate::engine {

// One thread at a time.
class BoundedSource {
 public:
  // `by_time`: time plays a part in the query.
  BoundedSource(log::Log& log, const catalog::StreamDefinition& stream, Offset from, Offset to, bool by_time);

  // First pass: notes the least event time of each stretch of rows, and the newest of all. True while there is more to
  // look at. Reading all twice costs less than keeping every window open until the end: a window that nothing can come
  // for is let go.
  [[nodiscard]] Result<bool> survey(size_t max_rows);
  // Second pass. Nothing at the end.
  [[nodiscard]] Result<std::vector<columnar::Batch>> read(size_t max_rows);

  [[nodiscard]] bool at_end() const { return reader_.position() >= to_; }
  // No row that is still to be read has a lesser event time; kNever: none has one; -kNever: the stream has
  // no event times, and there are rows still to be read.
  [[nodiscard]] int64_t least_time_to_come() const;
  // Of any row, once surveyed; -kNever: none has one.
  [[nodiscard]] int64_t newest_time() const { return newest_time_; }
  [[nodiscard]] uint64_t rows() const { return static_cast<uint64_t>(to_.value - from_.value); }
  [[nodiscard]] uint64_t rows_passed() const { return static_cast<uint64_t>(reader_.position().value - from_.value); }
  [[nodiscard]] uint64_t skipped() const { return reader_.skipped() - skipped_before_; }

 private:
  // Read at once, about: rows may be large.
  static constexpr size_t kReadBytes = 16U << 20;

  [[nodiscard]] Result<std::vector<columnar::Batch>> read_some(size_t max_rows);

  struct Stretch {
    Offset end;
    int64_t least_time;  // of this and all later ones, once surveyed
  };

  SourceReader reader_;
  std::string name_;  // of the stream
  Offset from_;
  Offset to_;
  std::optional<size_t> time_column_;
  std::vector<Stretch> stretches_;
  int64_t newest_time_;
  bool surveyed_ = false;
  size_t row_bytes_ = kReadBytes / 1024;  // of what was read last; not known yet
  uint64_t skipped_before_ = 0;           // in the first pass: they will be met again
};

}  // namespace tidegate::engine
