// Ingest: from a payload to durable records. Decodes at the door; what does not fit becomes a dead letter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/string_pool.h"
#include "ingest/message_capture.h"
#include "io/clock.h"
#include "log/log.h"
#include "security/principal.h"

namespace tidegate::ingest {

// One message from a device. The views need to live only for the call.
struct Arrival {
  std::string_view payload;  // of the stream's format
  std::string_view topic;    // for dead letters; empty over HTTP
  const security::Principal* principal = nullptr;
  // The bytes up to payload.data() + payload.size() + kPayloadPadding are readable (any content): spares a copy.
  bool padded = false;
};
inline constexpr size_t kPayloadPadding = 64;

// What became of one Arrival.
struct Accepted {
  uint32_t good = 0;
  uint32_t dead = 0;
  std::string first_reason;  // of the first dead letter; empty if none
};

// How many records a stream took; all monotonic.
struct StreamCounters {
  std::string stream;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t dead_letters = 0;
};

// One network thread's way in: batches rows of many messages and streams, without locks. Not thread-safe.
class Lane {
 public:
  virtual ~Lane() = default;
  // NotFound when there is no such stream. Rows wait in the lane until flush().
  [[nodiscard]] virtual Result<Accepted> accept(StreamId stream, const Arrival& arrival) = 0;
  // A message that is not taken and whose sender cannot be told: kept as a dead letter, with the reason. True if it
  // waits for the flush, false if the stream keeps no dead letters. NotFound.
  [[nodiscard]] virtual Result<bool> refuse(StreamId stream, const Arrival& arrival, const Error& reason) = 0;
  // Hands everything accepted so far to the log; `done` is called once, on the log's commit thread, when all of it
  // (dead letters too) is durable or failed. Returns false (and does not take `done`) if nothing waits.
  virtual bool flush(log::Committed done) = 0;
  // Rows waiting; the owner flushes after each round of reads, or earlier when this gets large.
  [[nodiscard]] virtual size_t waiting_rows() const = 0;
};

class Ingest {
 public:
  [[nodiscard]] static std::unique_ptr<Ingest> create(log::Log& log, const io::Clock& clock,
                                                      columnar::StringPool& devices);
  virtual ~Ingest() = default;
  // Must precede accept(); the definitions are shared with the catalog. `dead_letters` is the stream for what does not
  // fit. Again with columns more: from the next message on, also of open connections, lanes decode into those. Any
  // thread.
  virtual void add_stream(std::shared_ptr<const catalog::StreamDefinition> stream,
                          std::shared_ptr<const catalog::StreamDefinition> dead_letters) = 0;
  virtual void remove_stream(StreamId stream) = 0;
  // The stream whose 'mqtt.topic' filter matches, the first by name if several do. Any thread; quick (cached).
  [[nodiscard]] virtual std::optional<StreamId> route(std::string_view topic) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Lane> open_lane() = 0;
  // Lives as long. Whoever takes messages from senders offers them all to it.
  [[nodiscard]] virtual MessageCapture& capture() = 0;
  // The log's queue is full: stop reading from sockets for now.
  [[nodiscard]] virtual bool overloaded() const = 0;
  [[nodiscard]] virtual std::vector<StreamCounters> counters() const = 0;
};

}  // namespace tidegate::ingest
