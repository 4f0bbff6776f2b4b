// Reads a stream's committed rows in order, past what the log has lost or no longer holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "columnar/batch.h"
#include "log/log.h"

namespace tidegate::engine {

// One thread at a time.
class SourceReader {
 public:
  SourceReader(log::Log& log, StreamId stream, std::string reader_name)
      : log_(log), stream_(stream), reader_name_(std::move(reader_name)) {}

  // At most about `max_rows` rows from position() on, none at or after `limit`; moves the position behind them.
  // Nothing if there are none. Quarantined and expired rows are skipped, counted and warned about.
  [[nodiscard]] Result<std::vector<columnar::Batch>> read(size_t max_rows, Offset limit);

  [[nodiscard]] Offset position() const { return position_; }
  void seek(Offset position) { position_ = position; }
  // Rows that could not be read.
  [[nodiscard]] uint64_t skipped() const { return skipped_; }

 private:
  [[nodiscard]] Result<> skip(const Error& error, Offset limit);

  log::Log& log_;
  const StreamId stream_;
  const std::string reader_name_;
  Offset position_{};
  uint64_t skipped_ = 0;
};

}  // namespace tidegate::engine
