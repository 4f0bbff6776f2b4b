#include "net/internal/mqtt_journal.h"

#include <chrono>

#include "base/logging.h"
#include "io/thread.h"

namespace tidegate::net {

MqttJournal::MqttJournal(MqttPersistence* persistence) : persistence_(persistence) {
  if (persistence_ != nullptr) {
    thread_ = std::thread([this] {
      io::name_this_thread("tg-mqtt-store");
      run();
    });
  }
}

MqttJournal::~MqttJournal() {
  if (persistence_ == nullptr) return;
  state_.lock()->stopping = true;
  wake_.notify_one();
  thread_.join();
}

void MqttJournal::put(std::string key, std::string value) { add({std::move(key), std::move(value)}); }

void MqttJournal::erase(std::string key) { add({std::move(key), std::nullopt}); }

void MqttJournal::add(MqttChange change) {
  if (persistence_ == nullptr) return;
  auto state = state_.lock();
  state->bytes += change.key.size() + (change.value ? change.value->size() : 0);
  state->changes.push_back(std::move(change));
}

bool MqttJournal::flush(std::function<void(Result<>)> done) {
  if (persistence_ == nullptr) return false;
  auto state = state_.lock();
  if (state->changes.empty() && !state->writing) return false;
  state->waiting.push_back(std::move(done));
  wake_.notify_one();
  return true;
}

bool MqttJournal::overloaded() const { return state_.lock()->bytes > kMaxJournalBytes; }

void MqttJournal::run() {
  while (true) {
    std::vector<MqttChange> changes;
    std::vector<std::function<void(Result<>)>> waiting;
    {
      auto state = state_.lock();
      wake_.wait_for(state.unique_lock(), std::chrono::milliseconds(kJournalPauseMs),
                     [&] { return state->stopping || !state->waiting.empty(); });
      const bool nothing = state->changes.empty() && state->waiting.empty();
      if (nothing && state->stopping) return;
      if (nothing) continue;
      changes.swap(state->changes);
      waiting.swap(state->waiting);
      state->writing = true;
    }
    const Result<> result = changes.empty() ? Result<>{} : persistence_->write(changes);
    if (!result) log_error("MQTT sessions could not be stored", {{"error", result.error().to_string()}});
    {
      auto state = state_.lock();
      state->writing = false;
      for (const auto& change : changes) state->bytes -= change.key.size() + (change.value ? change.value->size() : 0);
    }
    for (const auto& done : waiting) done(result);
  }
}

}  // namespace tidegate::net
