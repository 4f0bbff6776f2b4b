// The epoch of a pipeline that is on its way into the log.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "log/log.h"

namespace tidegate::engine {

// submit(), take_result(), wait_result() from the coordinator; the log answers on its commit thread. If this is
// destroyed before the answer, the answer is dropped.
class CommitSlot {
 public:
  // `on_answer` is called on the log's commit thread.
  explicit CommitSlot(std::function<void()> on_answer);
  ~CommitSlot();
  CommitSlot(const CommitSlot&) = delete;
  CommitSlot& operator=(const CommitSlot&) = delete;

  void submit(log::Log& log, log::EpochCommit epoch);
  // The answer, once, if it is there.
  [[nodiscard]] std::optional<Result<>> take_result();
  [[nodiscard]] Result<> wait_result();

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable answered;
    std::optional<Result<>> result;
    std::function<void()> on_answer;  // empty once the slot is gone
  };
  // Shared with the log's callback, which may come after the pipeline is gone.
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::engine
