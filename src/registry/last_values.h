// When each device was last heard, and the last value of each column that it sent: from memory, fed from the log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/string_pool.h"
#include "log/log.h"

namespace tidegate::registry {

// Everything kept, of all streams. 100,000 devices with five columns take about 12 MB; a device that finds no room is
// told apart from one that never spoke (StreamState::current).
inline constexpr size_t kMaxLastValueBytes = 64U << 20;
// Read again of each stream after a start: what came before is unknown until the device speaks again.
inline constexpr int64_t kRebuildRows = 1'000'000;
// A reader further behind than this goes on near the end instead: it would read from the disk what the memory has
// given away, and take the machine from those who bring new records.
inline constexpr int64_t kMaxLagRows = 1'000'000;
inline constexpr size_t kMaxKeptTextBytes = 256;  // longer texts are cut
// Rounds are at least this far apart: many commits are looked at together, and ingest is not woken against.
inline constexpr int64_t kRoundMs = 50;

// What one stream knows of one device.
struct StreamState {
  std::shared_ptr<const catalog::StreamDefinition> stream;  // shared with the catalog
  // No record of the device is known to be missing here; otherwise there may be newer ones, or older ones of columns
  // without a value, in the part of the stream that was not read.
  bool current = false;
  bool reading = false;          // the part that is read after a start is not through yet
  std::optional<Offset> offset;  // of its last record
  int64_t seen_us = 0;           // ingest time of that record
  // One row of the stream's schema: the last value of each column, whichever records they are from. It goes out
  // through the policy like any other.
  columnar::Batch row;
  // Of each column, the event time of the record it is from (its ingest time where the stream has none); nothing:
  // unknown, the row's NULL says nothing.
  std::vector<std::optional<int64_t>> times_us;
};

struct LastValueOptions {
  bool manual = false;  // no thread: catch_up() does a round
  int64_t rebuild_rows = kRebuildRows;
  int64_t max_lag_rows = kMaxLagRows;
  size_t max_bytes = kMaxLastValueBytes;
};

struct LastValueStats {
  size_t bytes = 0;
  size_t devices = 0;         // rows of devices, over all streams
  uint64_t skipped_rows = 0;  // not read, since the reader was too far behind
  uint64_t refused = 0;       // records of devices that found no room
};

// A value is the last by event time, and by offset where times are equal: what a device sends late does not replace
// what it sent on time. Any thread; a listener on the log's commit thread only raises a flag.
class LastValues {
 public:
  // `log` and `devices` outlive it.
  [[nodiscard]] static std::unique_ptr<LastValues> create(log::Log& log, columnar::StringPool& devices,
                                                          LastValueOptions options);
  virtual ~LastValues() = default;

  // Of a stream that takes records from outside and is open in the log; others are passed over.
  // Of a stream that is followed: it got columns, and what is known of the others stays.
  virtual void follow(std::shared_ptr<const catalog::StreamDefinition> stream) = 0;
  virtual void forget(StreamId stream) = 0;

  // One entry for each followed stream, by name.
  [[nodiscard]] virtual std::vector<StreamState> state(std::string_view device) const = 0;
  // Ingest time of its last record in any stream.
  [[nodiscard]] virtual std::optional<int64_t> seen_us(std::string_view device) const = 0;
  [[nodiscard]] virtual LastValueStats stats() const = 0;
  virtual void catch_up() = 0;
};

}  // namespace tidegate::registry
