// EmbeddedLog: the log in the embedded store, for one machine. On disk: docs/formats/log.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "columnar/string_pool.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/log.h"
#include "store/store.h"

namespace tidegate::log {

struct EmbeddedLogOptions {
  // No threads: every append and epoch commits on the caller's thread before the call returns, and nothing is
  // re-batched or expired but by maintain(). For deterministic tests.
  bool manual = false;
  // Recent batches kept in memory for readers near the end; one reader a few seconds behind a full load needs this.
  size_t tail_bytes = 32U << 20;
  // Small batches younger than this wait for more rows before they are re-batched.
  int64_t rebatch_age_us = 600 * kMicrosPerSecond;
};

struct OffsetRange {
  Offset first;
  Offset end;
  bool operator==(const OffsetRange&) const = default;
};

struct StreamStats {
  StreamId stream;
  std::string name;
  Offset begin;
  Offset end;
  uint64_t stored_bytes = 0;  // sealed, of what the log still holds
  uint64_t batches = 0;       // write-ahead batches not yet re-batched
  uint64_t segments = 0;
  std::vector<OffsetRange> quarantined;
};

struct LogStats {
  std::vector<StreamStats> streams;
  uint64_t commits = 0;  // group commits, each with one fsync
  uint64_t failed_commits = 0;
  uint64_t fsyncs = 0;
  uint64_t rows = 0;              // committed since the start
  uint64_t integrity_errors = 0;  // pieces found changed, moved or missing since the start
  size_t queued_bytes = 0;
  size_t tail_bytes = 0;
  // From being queued (the oldest of its group) to durable, microseconds, over the last 1024 commits.
  int64_t last_commit_us = 0;
  int64_t p50_commit_us = 0;
  int64_t p99_commit_us = 0;
};

// Any thread; callbacks and listeners run on the commit thread (in manual mode on the caller's).
class EmbeddedLog : public Log {
 public:
  // The arguments must outlive the log. `random` must be fit for any thread unless options.manual.
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedLog>> open(store::Store& store, crypto::KeyRing& keys,
                                                                 io::Random& random, const io::Clock& clock,
                                                                 columnar::StringPool& devices,
                                                                 EmbeddedLogOptions options);
  [[nodiscard]] virtual LogStats stats() const = 0;
  // Re-batches whatever is complete or old enough, and drops what is past its stream's 'retention'. The log's own
  // thread does this by itself unless options.manual.
  virtual Result<> maintain() = 0;
};

// '7 d', '12 h', '30 min', '45 s' in microseconds; SqlInvalidOption.
[[nodiscard]] Result<int64_t> parse_retention(std::string_view text);

}  // namespace tidegate::log
