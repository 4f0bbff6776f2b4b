// SinkRunner: carries the records of sink tables (connector 'mqtt', 'file' or 'webhook') out of the platform, at least
// once.
//
// A sink table is a durable stream; its deliverer reads it from a stored position. The position moves only after the
// records are out (published, synced to the file, taken by the receiver), so that a crash repeats records but loses
// none.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/string_pool.h"
#include "egress/egress_client.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/log.h"
#include "security/policy_gate.h"

namespace tidegate::sinks {

// Hands one message to the broker; called on the deliverer's thread. What fails is tried again.
using Publish = std::function<Result<>(std::string_view topic, std::string_view payload)>;

// Where file sinks may write: whoever may create tables could else make the server write anywhere.
struct FileSinkFolders {
  std::filesystem::path home;                  // relative paths are below it
  std::vector<std::filesystem::path> allowed;  // absolute paths must be below one of these
};

enum class SinkState : uint8_t {
  kIdle,        // everything is out
  kDelivering,  // records are on their way
  kWaiting,     // records wait for their time (a digest, a rate)
  kRetrying,    // the last attempt failed
  kFailed,      // it could not be started at all, and is not tried again before the next start of the server
};
[[nodiscard]] std::string_view sink_state_name(
    SinkState state);  // "idle", "delivering", "waiting", "retrying", "failed"

// The value of a secret by its name; NotFound.
using ReadSecret = std::function<Result<std::string>(std::string_view name)>;
using MakeClient = std::function<Result<std::unique_ptr<egress::EgressClient>>(egress::EgressOptions)>;

struct SinkStatus {
  std::string stream;
  catalog::Connector connector = catalog::Connector::kFile;
  SinkState state = SinkState::kIdle;
  Offset position;               // the next record to go out
  int64_t lag_rows = 0;          // committed records that have not gone out
  uint64_t delivered = 0;        // since the start of the program, as `retries`
  uint64_t retries = 0;          // attempts that failed
  uint64_t dead_letters = 0;     // records that the receiver refused for good
  std::string last_error;        // of the last attempt; empty when it went well
  int64_t failing_since_us = 0;  // wall clock; 0: the last attempt went well
  int64_t due_in_us = 0;         // until the next attempt, while waiting or retrying
};

// Where the log keeps a sink's position: ids of pipelines are below this, a sink's is this plus its stream's id.
inline constexpr uint32_t kFirstSinkPipelineId = 0x8000'0000;
[[nodiscard]] constexpr PipelineId sink_pipeline_id(StreamId stream) {
  return PipelineId{kFirstSinkPipelineId + stream.value};
}

class SinkRunner {
 public:
  // Each has a thread and a connection; a site has a few receivers.
  static constexpr size_t kMaxRemoteSinks = 64;

  struct Options {
    FileSinkFolders folders{};
    Publish publish{};
    egress::EgressRules rules{};  // where webhooks may go
    ReadSecret read_secret{};
    MakeClient make_client = &egress::EgressClient::create;
    // False: no thread is started and the owner calls run_round(); for tests and simulations.
    bool own_thread = true;
  };
  // `devices` is the log's.
  [[nodiscard]] static std::unique_ptr<SinkRunner> create(log::Log& log, const io::Clock& clock, io::Random& random,
                                                          const columnar::StringPool& devices, Options options);
  // Stops; ends calls of other machines that are under way, and waits for any other delivery.
  virtual ~SinkRunner() = default;

  // Whether a table that is about to be made can be a sink: SqlInvalidOption, NotAuthorized (its target is not on the
  // server's list), NotFound (a secret). Does nothing for other streams.
  [[nodiscard]] virtual Result<> check(const catalog::StreamDefinition& stream) const = 0;

  using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // shared with the catalog
  // `stream` must be open in the log. Goes on from the stored position, else from the first record. What a receiver
  // refuses for good is appended to `dead_letters`; null: nothing is given up. SqlInvalidOption when an option cannot
  // be used, LimitReached; status() shows it as failed then. Any thread, as everything below.
  virtual Result<> add_sink(StreamPtr stream, StreamPtr dead_letters) = 0;
  // Forgets the position; what is out stays. Does nothing for other streams.
  virtual Result<> remove_sink(StreamId stream) = 0;
  [[nodiscard]] virtual std::vector<SinkStatus> status() const = 0;

  // Delivers what is due, about one delivery for each sink; true if any record went out.
  virtual bool run_round() = 0;
};

}  // namespace tidegate::sinks
