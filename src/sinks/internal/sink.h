// Sink: one sink table's reader, position and outlet.
#pragma once

#include <memory>
#include <string>

#include "base/guarded.h"
#include "io/clock.h"
#include "log/log.h"
#include "security/policy_gate.h"
#include "sinks/internal/outlet.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

// deliver() on one thread at a time; status() from any.
class Sink {
 public:
  // Reads the stored position.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(log::Log& log, const io::Clock& clock,
                                                          std::shared_ptr<const catalog::StreamDefinition> stream,
                                                          std::unique_ptr<Outlet> outlet);
  // One chunk, unless there is nothing to do or the last failure is too recent. True if records went out.
  bool deliver();
  // Microseconds of the monotonic clock until the next attempt after a failure is due; nothing when there was none.
  [[nodiscard]] std::optional<int64_t> retry_in_us() const;
  [[nodiscard]] SinkStatus status() const;
  [[nodiscard]] const catalog::StreamDefinition& stream() const { return *stream_; }

 private:
  // One read: enough to make a file's fsync cheap per row, little enough to keep memory and repetition small.
  static constexpr size_t kRowsPerChunk = 8192;
  static constexpr int64_t kFirstRetryUs = 100'000;
  static constexpr int64_t kLongestRetryUs = 30 * kMicrosPerSecond;
  struct Shared {
    Offset position;
    uint64_t delivered = 0;
    std::string last_error;
    int64_t retry_at_us = 0;  // monotonic; 0: no failure
  };

  Sink(log::Log& log, const io::Clock& clock, std::shared_ptr<const catalog::StreamDefinition> stream,
       std::unique_ptr<Outlet> outlet)
      : log_(log), clock_(clock), stream_(std::move(stream)), outlet_(std::move(outlet)) {}

  Result<bool> deliver_chunk();
  Result<bool> skip_unreadable(const Error& error);
  Result<> store(Offset position);
  void note_failure(const Error& error);

  log::Log& log_;
  const io::Clock& clock_;
  // Shared with the catalog, which may drop it meanwhile.
  std::shared_ptr<const catalog::StreamDefinition> stream_;
  std::unique_ptr<Outlet> outlet_;
  security::PolicyGate gate_;
  std::string mark_;
  bool resumed_ = false;
  Offset position_;
  int64_t retry_us_ = 0;  // the pause after the last failure
  Guarded<Shared> shared_;
};

}  // namespace tidegate::sinks
