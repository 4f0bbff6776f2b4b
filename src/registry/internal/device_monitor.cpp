#include "registry/device_monitor.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "base/logging.h"
#include "catalog/catalog.h"
#include "columnar/batch.h"
#include "io/thread.h"

namespace tidegate::registry {
namespace {

constexpr size_t kRowsPerRead = 64 * 1024;
constexpr size_t kDevicesPerPage = 10'000;

class LoggingMonitor final : public DeviceMonitor {
 public:
  LoggingMonitor(DeviceMonitorParts parts, bool manual)
      : parts_(std::move(parts)), state_(State{PresenceRules(parts_.clock.now_us()), 0, {}, false}) {
    if (parts_.events != nullptr) restore();
    if (!manual) thread_ = std::thread([this] { run(); });
  }
  ~LoggingMonitor() override {
    {
      const std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(wake_mutex_);  // the log still holds a callback into this
    wake_.wait(lock, [this] { return appends_ == 0; });
  }

  void connected(std::string_view device) override {
    state_.lock()->rules.connected(device, parts_.clock.now_us());
    write_events();
  }
  void disconnected(std::string_view device, bool properly) override {
    state_.lock()->rules.disconnected(device, properly, parts_.clock.now_us());
    write_events();
  }
  [[nodiscard]] std::optional<Presence> presence(std::string_view device) const override {
    return state_.lock()->rules.of(device);
  }
  void look() override;

 private:
  struct State {
    PresenceRules rules;
    uint64_t registry_version = 0;
    std::deque<PresenceEvent> waiting;
    bool writing = false;  // an append is under way: the next one waits, so that the order is kept
  };

  void run();
  void restore();
  void restore_from(const columnar::Batch& batch);
  void expect_devices(State& state);
  void write_events();
  void written(std::vector<PresenceEvent> events, const Result<>& outcome);
  [[nodiscard]] columnar::Batch batch_of(const std::vector<PresenceEvent>& events) const;

  const DeviceMonitorParts parts_;
  Guarded<State> state_;
  std::mutex wake_mutex_;  // with a condition variable
  std::condition_variable wake_;
  bool stopping_ = false;
  size_t appends_ = 0;  // under way; guarded by wake_mutex_
  std::thread thread_;
};

void LoggingMonitor::run() {
  io::name_this_thread("device-monitor");
  for (;;) {
    {
      std::unique_lock lock(wake_mutex_);
      if (wake_.wait_for(lock, std::chrono::milliseconds(kLookMs), [this] { return stopping_; })) return;
    }
    look();
  }
}

void LoggingMonitor::restore() {
  const StreamId id = parts_.events->id;
  const int64_t end = parts_.log.end(id).value;
  Offset next{std::max(parts_.log.begin(id).value, end - kRestoredEvents)};
  while (next.value < end) {
    const auto batches = parts_.log.read(id, next, kRowsPerRead);
    if (!batches) {
      log_warn("events of devices cannot be read", {{"error", batches.error().to_string()}});
      const Offset readable = parts_.log.next_readable(id, next);
      if (readable <= next) return;
      next = readable;
      continue;
    }
    if (batches->empty()) return;
    for (const log::LogBatchPtr& batch : *batches) {
      restore_from(batch->batch);
      next = batch->end();
    }
  }
}

void LoggingMonitor::restore_from(const columnar::Batch& batch) {
  auto state = state_.lock();
  for (size_t row = 0; row < batch.rows; ++row) {
    state->rules.restore(batch.columns[0]->string_at(row), batch.columns[2]->string_at(row) == "online",
                         batch.columns[1]->values<int64_t>()[row]);
  }
}

void LoggingMonitor::expect_devices(State& state) {
  const uint64_t version = parts_.registry.device_version();
  if (version == state.registry_version) return;
  state.registry_version = version;
  std::vector<ExpectedDevice> expected;
  std::string after;
  for (;;) {
    const DevicePage page = parts_.registry.list_devices({}, after, kDevicesPerPage);
    for (const DevicePtr& device : page.devices) {
      if (device->interval_us > 0) expected.push_back({device->name, device->interval_us, device->changed_us});
    }
    if (!page.next) break;
    after = *page.next;
  }
  state.rules.expect(expected);
}

void LoggingMonitor::look() {
  {
    auto state = state_.lock();
    expect_devices(*state);
    state->rules.look(parts_.clock.now_us(),
                      [this](std::string_view device) { return parts_.last_values.seen_us(device); });
  }
  write_events();
}

columnar::Batch LoggingMonitor::batch_of(const std::vector<PresenceEvent>& events) const {
  columnar::BatchBuilder builder(parts_.events->schema, parts_.events->device_column, &parts_.devices);
  for (const PresenceEvent& event : events) {
    const auto code = parts_.devices.intern(event.device);
    if (!code) continue;  // the limit of different devices: its records are refused as well
    builder.column(0).append<uint32_t>(code->value);
    builder.column(1).append<int64_t>(event.time_us);
    builder.column(2).append_string(event.online ? "online" : "offline");
    builder.column(3).append_string(event.reason);
    builder.end_row();
  }
  return builder.finish();
}

void LoggingMonitor::write_events() {
  std::vector<PresenceEvent> events;
  {
    auto state = state_.lock();
    for (PresenceEvent& event : state->rules.take_events()) state->waiting.push_back(std::move(event));
    if (parts_.events == nullptr) state->waiting.clear();
    if (state->writing || state->waiting.empty()) return;
    state->writing = true;
    const size_t count = std::min(state->waiting.size(), kRowsPerRead);
    events.assign(std::move_iterator(state->waiting.begin()),
                  std::move_iterator(state->waiting.begin() + static_cast<std::ptrdiff_t>(count)));
    state->waiting.erase(state->waiting.begin(), state->waiting.begin() + static_cast<std::ptrdiff_t>(count));
  }
  columnar::Batch batch = batch_of(events);
  {
    const std::lock_guard lock(wake_mutex_);
    ++appends_;
  }
  parts_.log.append(
      parts_.events->id, std::move(batch),
      [this, kept = std::move(events)](const Result<>& outcome) mutable { written(std::move(kept), outcome); });
}

// On the log's commit thread. What could not be written waits for the next look.
void LoggingMonitor::written(std::vector<PresenceEvent> events, const Result<>& outcome) {
  {
    auto state = state_.lock();
    state->writing = false;
    if (!outcome) {
      log_warn("events of devices wait for the log", {{"error", outcome.error().to_string()}});
      state->waiting.insert(state->waiting.begin(), std::move_iterator(events.begin()),
                            std::move_iterator(events.end()));
      if (state->waiting.size() > kMaxWaitingEvents) {
        const size_t lost = state->waiting.size() - kMaxWaitingEvents;
        log_error("events of devices were lost", {{"events", lost}});
        state->waiting.erase(state->waiting.begin(), state->waiting.begin() + static_cast<std::ptrdiff_t>(lost));
      }
    }
  }
  const std::lock_guard lock(wake_mutex_);
  --appends_;
  wake_.notify_all();
}

}  // namespace

catalog::StreamDefinition device_events_definition() {
  using columnar::TypeKind;
  return catalog::own_stream(std::string(kDeviceEvents),
                             {{"device", TypeKind::kString, false},
                              {"ts", TypeKind::kTimestampLtz, false},
                              {"event", TypeKind::kString, false},
                              {"reason", TypeKind::kString, false}},
                             {{"retention", "365 d"}});
}

std::unique_ptr<DeviceMonitor> DeviceMonitor::create(DeviceMonitorParts parts, bool manual) {
  return std::make_unique<LoggingMonitor>(std::move(parts), manual);
}

}  // namespace tidegate::registry
