#include "sinks/sink_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "io/thread.h"
#include "sinks/internal/outlet.h"
#include "sinks/internal/sink.h"

namespace tidegate::sinks {

namespace {

// Threads: the deliverer's own, woken by the log's commit thread; callers of the face.
class SinkRunnerImpl final : public SinkRunner {
 public:
  SinkRunnerImpl(log::Log& log, const io::Clock& clock, Options options)
      : log_(log), clock_(clock), options_(std::move(options)) {
    if (options_.own_thread) {
      thread_ = std::thread([this] {
        io::name_this_thread("tg-sinks");
        run();
      });
    }
  }
  ~SinkRunnerImpl() override {
    // First, so that no listener calls into this while it goes away.
    entries_.lock()->clear();
    {
      auto wake = wake_.lock();
      wake->stop = true;
      wake->due = true;
    }
    woken_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  Result<> add_sink(std::shared_ptr<const catalog::StreamDefinition> stream) override;
  Result<> remove_sink(StreamId stream) override;
  [[nodiscard]] std::vector<SinkStatus> status() const override;
  bool run_round() override;

 private:
  // A sink and what guards its delivery; shared, because a round goes on with it while it is removed.
  struct Entry {
    explicit Entry(std::unique_ptr<Sink> owned) : sink(std::move(owned)) {}
    std::unique_ptr<Sink> sink;
    std::mutex delivering;
    bool removed = false;  // under `delivering`
    std::filesystem::path file;
    std::unique_ptr<log::Log::Subscription> subscription;
  };
  struct Wake {
    bool due = false;
    bool stop = false;
  };

  void run();
  void wait_until_due();
  void wake() {
    wake_.lock()->due = true;
    woken_.notify_one();
  }
  [[nodiscard]] bool stopping() { return wake_.lock()->stop; }
  [[nodiscard]] std::vector<std::shared_ptr<Entry>> entries() const;

  log::Log& log_;
  const io::Clock& clock_;
  Options options_;
  Guarded<std::map<StreamId, std::shared_ptr<Entry>>> entries_;
  Guarded<Wake> wake_;
  std::condition_variable woken_;
  std::thread thread_;
};

Result<> SinkRunnerImpl::add_sink(std::shared_ptr<const catalog::StreamDefinition> stream) {
  const StreamId id = stream->id;
  std::filesystem::path file;
  std::unique_ptr<Outlet> outlet;
  if (stream->connector == catalog::Connector::kFile) {
    TRY_ASSIGN(file, sink_file_path(*stream, options_.folders));
    TRY_ASSIGN(outlet, make_file_outlet(*stream, options_.folders));
  } else if (stream->connector == catalog::Connector::kMqtt) {
    TRY_ASSIGN(outlet, make_mqtt_outlet(*stream, options_.publish));
  } else {
    return fail(ErrorCode::SqlInvalidOption, fmt::format("table '{}' is no sink", stream->name));
  }
  for (const auto& other : entries()) {
    if (file.empty() || other->file != file || other->sink->stream().id == id) continue;
    return fail(ErrorCode::SqlInvalidOption,
                fmt::format("table '{}' writes {} already", other->sink->stream().name, file.string()),
                "Give each table a file of its own");
  }
  TRY_ASSIGN(auto sink, Sink::open(log_, clock_, std::move(stream), std::move(outlet)));
  auto entry = std::make_shared<Entry>(std::move(sink));
  entry->file = std::move(file);
  entry->subscription = log_.on_append(id, [this] { wake(); });
  std::shared_ptr<Entry> replaced = std::exchange((*entries_.lock())[id], std::move(entry));
  if (replaced) {
    const std::lock_guard delivering(replaced->delivering);
    replaced->removed = true;
  }
  wake();
  return {};
}

Result<> SinkRunnerImpl::remove_sink(StreamId stream) {
  std::shared_ptr<Entry> entry;
  {
    auto entries = entries_.lock();
    const auto found = entries->find(stream);
    if (found == entries->end()) return {};
    entry = std::move(found->second);
    entries->erase(found);
  }
  const std::lock_guard delivering(entry->delivering);
  entry->removed = true;
  return log_.drop_state(sink_pipeline_id(stream));
}

std::vector<std::shared_ptr<SinkRunnerImpl::Entry>> SinkRunnerImpl::entries() const {
  std::vector<std::shared_ptr<Entry>> out;
  for (const auto& [id, entry] : *entries_.lock()) out.push_back(entry);
  return out;
}

std::vector<SinkStatus> SinkRunnerImpl::status() const {
  std::vector<SinkStatus> out;
  for (const auto& entry : entries()) out.push_back(entry->sink->status());
  return out;
}

bool SinkRunnerImpl::run_round() {
  bool any = false;
  for (const auto& entry : entries()) {
    if (stopping()) return false;
    const std::lock_guard delivering(entry->delivering);
    if (!entry->removed) any = entry->sink->deliver() || any;
  }
  return any;
}

void SinkRunnerImpl::run() {
  while (!stopping()) {
    if (!run_round()) wait_until_due();
  }
}

void SinkRunnerImpl::wait_until_due() {
  std::optional<int64_t> pause_us;
  for (const auto& entry : entries()) {
    if (const auto retry = entry->sink->retry_in_us()) pause_us = std::min(pause_us.value_or(*retry), *retry);
  }
  auto wake = wake_.lock();
  const auto due = [&] { return wake->due; };
  if (pause_us) {
    woken_.wait_for(wake.unique_lock(), std::chrono::microseconds(*pause_us), due);
  } else {
    woken_.wait(wake.unique_lock(), due);
  }
  wake->due = false;
}

}  // namespace

std::unique_ptr<SinkRunner> SinkRunner::create(log::Log& log, const io::Clock& clock, Options options) {
  return std::make_unique<SinkRunnerImpl>(log, clock, std::move(options));
}

}  // namespace tidegate::sinks
