// Sink: one sink table's reader, position and outlet.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/guarded.h"
#include "columnar/string_pool.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/log.h"
#include "security/policy_gate.h"
#include "sinks/internal/outlet.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

struct SinkParts {
  log::Log& log;
  const io::Clock& clock;
  io::Random& random;
  const columnar::StringPool& devices;
};

// deliver() on one thread at a time; status() and cancel() from any.
class Sink {
 public:
  using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;
  // Reads the stored position. `dead_letters` takes what the receiver refuses for good; null: nothing is given up.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(SinkParts parts, StreamPtr stream, StreamPtr dead_letters,
                                                          std::unique_ptr<Outlet> outlet);
  // One delivery, unless there is nothing to do or it is too soon. True if another may follow at once.
  bool deliver();
  // Microseconds of the monotonic clock until the next attempt is due; nothing while none is planned.
  [[nodiscard]] std::optional<int64_t> due_in_us() const;
  [[nodiscard]] SinkStatus status() const;
  [[nodiscard]] const catalog::StreamDefinition& stream() const { return *stream_; }
  void cancel() { outlet_->cancel(); }

 private:
  // A receiver that asks for more may have lost its clock.
  static constexpr int64_t kLongestRetryAfterUs = 3600 * kMicrosPerSecond;
  struct Shared {
    Offset position;
    uint64_t delivered = 0;
    uint64_t retries = 0;
    uint64_t dead_letters = 0;
    std::string last_error;
    int64_t failing_since_us = 0;  // wall clock; 0: not failing
    int64_t due_us = 0;            // monotonic; 0: no attempt is planned
  };
  enum class Step : uint8_t {
    kNothing,  // there is nothing to deliver, or not yet
    kMoved,    // records are out or were given up
    kAgain,    // the next attempt is another one and needs no pause
  };

  Sink(SinkParts parts, StreamPtr stream, StreamPtr dead_letters, std::unique_ptr<Outlet> outlet)
      : parts_(parts), stream_(std::move(stream)), dead_letters_(std::move(dead_letters)), outlet_(std::move(outlet)) {}

  Result<Step> deliver_next();
  Result<> store_flight(Offset end);
  Result<> resume_outlet();
  Result<std::optional<Delivery>> next_delivery();
  Result<Step> after_failure(const Delivery& delivery, Delivered delivered);
  Result<Step> give_up(const Delivery& delivery, const Error& error);
  Result<Step> skip_unreadable(const Error& error);
  Result<> store(Offset position, std::vector<std::pair<StreamId, columnar::Batch>> outputs = {});
  void note_success();
  void note_failure(const Error& error);
  void wait_for(int64_t pause_us) { shared_.lock()->due_us = parts_.clock.monotonic_us() + pause_us; }

  SinkParts parts_;
  // Shared with the catalog, which may drop them meanwhile.
  StreamPtr stream_;
  StreamPtr dead_letters_;
  std::unique_ptr<Outlet> outlet_;
  security::PolicyGate gate_;
  std::string mark_;
  bool resumed_ = false;
  Offset position_;
  Offset flight_end_;           // behind the delivery under way, where deliveries are kept together
  size_t row_limit_ = 0;        // smaller deliveries while a refused record is singled out; 0: as the outlet likes
  int refusals_ = 0;            // of the one record at position_
  int64_t retry_us_ = 0;        // the pause after the last failure
  int64_t retry_after_us_ = 0;  // the receiver's own wish
  Guarded<Shared> shared_;
};

}  // namespace tidegate::sinks
