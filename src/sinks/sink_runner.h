// SinkRunner: carries the records of sink tables (connector 'mqtt' or 'file') out of the platform, at least once.
//
// A sink table is a durable stream; its deliverer reads it from a stored position. The position moves only after the
// records are out (published, or synced to the file), so that a crash repeats records but loses none.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "io/clock.h"
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

struct SinkStatus {
  std::string stream;
  Offset position;         // the next record to go out
  int64_t lag_rows = 0;    // committed records that have not gone out
  uint64_t delivered = 0;  // since the start of the program
  std::string last_error;  // of the last attempt; empty when it went well
};

// Where the log keeps a sink's position: ids of pipelines are below this, a sink's is this plus its stream's id.
inline constexpr uint32_t kFirstSinkPipelineId = 0x8000'0000;
[[nodiscard]] constexpr PipelineId sink_pipeline_id(StreamId stream) {
  return PipelineId{kFirstSinkPipelineId + stream.value};
}

class SinkRunner {
 public:
  struct Options {
    FileSinkFolders folders;
    Publish publish;
    // False: no thread is started and the owner calls run_round(); for tests and simulations.
    bool own_thread = true;
  };
  [[nodiscard]] static std::unique_ptr<SinkRunner> create(log::Log& log, const io::Clock& clock, Options options);
  // Stops; waits for a delivery under way.
  virtual ~SinkRunner() = default;

  // `stream` (shared with the catalog) must be open in the log. Goes on from the stored position, else from the first
  // record. SqlInvalidOption when its path or topic cannot be used. Any thread, as everything below.
  virtual Result<> add_sink(std::shared_ptr<const catalog::StreamDefinition> stream) = 0;
  // Forgets the position; the file stays. Does nothing for other streams.
  virtual Result<> remove_sink(StreamId stream) = 0;
  [[nodiscard]] virtual std::vector<SinkStatus> status() const = 0;

  // Delivers what is due, about one chunk for each sink; true if any record went out.
  virtual bool run_round() = 0;
};

}  // namespace tidegate::sinks
