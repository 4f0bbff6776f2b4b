#include "engine/internal/commit_slot.h"

#include <utility>

namespace tidegate::engine {

CommitSlot::CommitSlot(std::function<void()> on_answer) : state_(std::make_shared<State>()) {
  state_->on_answer = std::move(on_answer);
}

CommitSlot::~CommitSlot() {
  const std::lock_guard lock(state_->mutex);
  state_->on_answer = nullptr;
}

void CommitSlot::submit(log::Log& log, log::EpochCommit epoch) {
  log.commit(std::move(epoch), [state = state_](Result<> result) {
    const std::lock_guard lock(state->mutex);
    state->result = std::move(result);
    state->answered.notify_all();
    if (state->on_answer) state->on_answer();
  });
}

std::optional<Result<>> CommitSlot::take_result() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->result, std::nullopt);
}

Result<> CommitSlot::wait_result() {
  std::unique_lock lock(state_->mutex);
  state_->answered.wait(lock, [&] { return state_->result.has_value(); });
  return *std::exchange(state_->result, std::nullopt);
}

}  // namespace tidegate::engine
