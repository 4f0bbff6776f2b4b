#include "sinks/sink_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "base/guarded.h"
#include "catalog/remote_connectors.h"
#include "sinks/internal/deliverer.h"
#include "sinks/internal/make_outlet.h"
#include "sinks/internal/outlet.h"
#include "sinks/internal/sink.h"

namespace tidegate::sinks {

namespace {

// A sink and what guards its delivery; shared, because a round goes on with it while it is removed.
struct Entry {
  explicit Entry(std::unique_ptr<Sink> owned) : sink(std::move(owned)) {}
  bool deliver() {
    const std::lock_guard one_at_a_time(delivering);
    return !removed && sink->deliver();
  }
  // Afterwards nothing is delivered any more.
  void remove() {
    sink->cancel();
    const std::lock_guard one_at_a_time(delivering);
    removed = true;
  }

  std::unique_ptr<Sink> sink;
  std::mutex delivering;
  bool removed = false;  // under `delivering`
  std::filesystem::path file;
  std::unique_ptr<Deliverer> deliverer;  // of a remote sink; goes before the sink
  std::unique_ptr<log::Log::Subscription> subscription;
};

// Threads: one for all local sinks, one for each remote one, woken by the log's commit thread; callers of the face.
class SinkRunnerImpl final : public SinkRunner {
 public:
  SinkRunnerImpl(log::Log& log, const io::Clock& clock, io::Random& random, const columnar::StringPool& devices,
                 Options options)
      : parts_{log, clock, random, devices}, options_(std::move(options)) {
    if (!options_.own_thread) return;
    local_ = std::make_unique<Deliverer>(
        "tg-sinks", [this] { return deliver_local(); }, [this] { return local_due_in_us(); });
  }
  ~SinkRunnerImpl() override {
    stopping_ = true;
    for (const auto& entry : entries()) entry->sink->cancel();
    // First, so that no listener calls into this while it goes away.
    entries_.lock()->clear();
  }

  Result<> check(const catalog::StreamDefinition& stream) const override;
  Result<> add_sink(StreamPtr stream, StreamPtr dead_letters) override;
  Result<> remove_sink(StreamId stream) override;
  [[nodiscard]] std::vector<SinkStatus> status() const override;
  bool run_round() override;

 private:
  Result<> start_sink(StreamPtr stream, StreamPtr dead_letters);
  [[nodiscard]] std::shared_ptr<Entry> take_out(StreamId stream);
  [[nodiscard]] std::vector<std::shared_ptr<Entry>> entries() const;
  Result<std::filesystem::path> own_file(const catalog::StreamDefinition& stream) const;
  Result<> check_room(const catalog::StreamDefinition& stream) const;
  void start(const std::shared_ptr<Entry>& entry);
  bool deliver_local();
  std::optional<int64_t> local_due_in_us() const;

  SinkParts parts_;
  Options options_;
  Guarded<std::map<StreamId, std::shared_ptr<Entry>>> entries_;
  Guarded<std::map<StreamId, SinkStatus>> failed_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Deliverer> local_;
};

Result<> SinkRunnerImpl::check(const catalog::StreamDefinition& stream) const {
  if (stream.connector == catalog::Connector::kStream) return {};
  TRY(make_outlet(stream, options_, parts_.clock));
  TRY(check_room(stream));
  return check_target(stream, options_);
}

// Two tables never write one file. Empty for sinks that write none.
Result<std::filesystem::path> SinkRunnerImpl::own_file(const catalog::StreamDefinition& stream) const {
  if (stream.connector != catalog::Connector::kFile) return std::filesystem::path();
  TRY_ASSIGN(auto file, sink_file_path(stream, options_.folders));
  for (const auto& other : entries()) {
    if (other->file != file || other->sink->stream().id == stream.id) continue;
    return fail(ErrorCode::SqlInvalidOption,
                fmt::format("table '{}' writes {} already", other->sink->stream().name, file.string()),
                "Give each table a file of its own");
  }
  return file;
}

Result<> SinkRunnerImpl::check_room(const catalog::StreamDefinition& stream) const {
  if (!catalog::is_remote(stream.connector)) return {};
  size_t others = 0;
  for (const auto& other : entries()) {
    others += catalog::is_remote(other->sink->stream().connector) && other->sink->stream().id != stream.id ? 1 : 0;
  }
  if (others < kMaxRemoteSinks) return {};
  return fail(ErrorCode::LimitReached, fmt::format("there are {} sinks to other machines already", kMaxRemoteSinks),
              "drop one, or send to an MQTT topic that several programs hear");
}

Result<> SinkRunnerImpl::add_sink(StreamPtr stream, StreamPtr dead_letters) {
  SinkStatus status;
  status.stream = stream->name;
  status.connector = stream->connector;
  const StreamId id = stream->id;
  auto started = start_sink(std::move(stream), std::move(dead_letters));
  auto failed = failed_.lock();
  failed->erase(id);
  if (!started) {
    status.state = SinkState::kFailed;
    status.last_error = started.error().to_string();
    status.failing_since_us = parts_.clock.now_us();
    (*failed)[id] = std::move(status);
  }
  return started;
}

Result<> SinkRunnerImpl::start_sink(StreamPtr stream, StreamPtr dead_letters) {
  const StreamId id = stream->id;
  TRY_ASSIGN(auto outlet, make_outlet(*stream, options_, parts_.clock));
  TRY_ASSIGN(auto file, own_file(*stream));
  TRY(check_room(*stream));
  // One that is there ends first: its successor goes on from the position that it leaves.
  if (const auto before = take_out(id)) before->remove();
  TRY_ASSIGN(auto sink, Sink::open(parts_, std::move(stream), std::move(dead_letters), std::move(outlet)));
  auto entry = std::make_shared<Entry>(std::move(sink));
  entry->file = std::move(file);
  start(entry);
  (*entries_.lock())[id] = std::move(entry);
  if (local_) local_->wake();
  return {};
}

void SinkRunnerImpl::start(const std::shared_ptr<Entry>& entry) {
  const StreamId id = entry->sink->stream().id;
  if (!options_.own_thread) return;
  Deliverer* deliverer = local_.get();
  if (catalog::is_remote(entry->sink->stream().connector)) {
    Entry* own = entry.get();  // outlives its thread
    entry->deliverer = std::make_unique<Deliverer>(
        "tg-sink-out", [own] { return own->deliver(); }, [own] { return own->sink->due_in_us(); });
    deliverer = entry->deliverer.get();
  }
  entry->subscription = parts_.log.on_append(id, [deliverer] { deliverer->wake(); });
  deliverer->wake();
}

// Null if there is none.
std::shared_ptr<Entry> SinkRunnerImpl::take_out(StreamId stream) {
  auto entries = entries_.lock();
  const auto found = entries->find(stream);
  if (found == entries->end()) return nullptr;
  std::shared_ptr<Entry> entry = std::move(found->second);
  entries->erase(found);
  return entry;
}

Result<> SinkRunnerImpl::remove_sink(StreamId stream) {
  failed_.lock()->erase(stream);
  const std::shared_ptr<Entry> entry = take_out(stream);
  if (entry == nullptr) return {};
  entry->remove();
  return parts_.log.drop_state(sink_pipeline_id(stream));
}

std::vector<std::shared_ptr<Entry>> SinkRunnerImpl::entries() const {
  std::vector<std::shared_ptr<Entry>> out;
  for (const auto& [id, entry] : *entries_.lock()) out.push_back(entry);
  return out;
}

std::vector<SinkStatus> SinkRunnerImpl::status() const {
  std::vector<SinkStatus> out;
  for (const auto& entry : entries()) out.push_back(entry->sink->status());
  for (const auto& [id, status] : *failed_.lock()) out.push_back(status);
  return out;
}

bool SinkRunnerImpl::run_round() {
  bool any = false;
  for (const auto& entry : entries()) any = entry->deliver() || any;
  return any;
}

bool SinkRunnerImpl::deliver_local() {
  bool any = false;
  for (const auto& entry : entries()) {
    if (stopping_) return false;
    if (!entry->deliverer) any = entry->deliver() || any;
  }
  return any;
}

std::optional<int64_t> SinkRunnerImpl::local_due_in_us() const {
  std::optional<int64_t> first;
  for (const auto& entry : entries()) {
    if (entry->deliverer) continue;
    if (const auto due = entry->sink->due_in_us()) first = std::min(first.value_or(*due), *due);
  }
  return first;
}

}  // namespace

std::string_view sink_state_name(SinkState state) {
  switch (state) {
    case SinkState::kIdle: return "idle";
    case SinkState::kDelivering: return "delivering";
    case SinkState::kWaiting: return "waiting";
    case SinkState::kRetrying: return "retrying";
    case SinkState::kFailed: break;
  }
  return "failed";
}

std::unique_ptr<SinkRunner> SinkRunner::create(log::Log& log, const io::Clock& clock, io::Random& random,
                                               const columnar::StringPool& devices, Options options) {
  return std::make_unique<SinkRunnerImpl>(log, clock, random, devices, std::move(options));
}

}  // namespace tidegate::sinks
