#include "log/internal/log_core.h"

#include <algorithm>
#include <future>

#include "base/logging.h"
#include "io/thread.h"
#include "log/internal/keys.h"

namespace tidegate::log {

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                                       const io::Clock& clock, columnar::StringPool& devices,
                                                       EmbeddedLogOptions options) {
  return std::make_unique<internal::LogCore>(store, keys, random, clock, devices, options);
}

namespace internal {

LogCore::LogCore(store::Store& store, crypto::KeyRing& keys, io::Random& random, const io::Clock& clock,
                 columnar::StringPool& devices, EmbeddedLogOptions options)
    : store_(store), keys_(keys), random_(random), clock_(clock), devices_(devices), options_(options) {
  if (options_.manual) return;
  committer_ = std::thread([this] {
    io::name_this_thread("tg-commit");
    run_commits();
  });
  maintainer_ = std::thread([this] {
    io::name_this_thread("tg-rebatch");
    io::lower_this_thread_priority();
    run_maintenance();
  });
}

// What is queued is still committed.
LogCore::~LogCore() {
  if (options_.manual) return;
  {
    const std::scoped_lock lock(wake_.mutex);
    wake_.stop = true;
  }
  wake_.changed.notify_one();
  maintainer_.join();
  queue_.stop();
  committer_.join();
}

void LogCore::submit(Item item) {
  item.queued_us = clock_.monotonic_us();
  queue_.push(std::move(item));
  if (options_.manual) drain_on_caller();
}

Result<> LogCore::submit_and_wait(Item item) {
  std::promise<Result<>> settled;
  std::future<Result<>> result = settled.get_future();
  item.done = [&settled](Result<> outcome) { settled.set_value(std::move(outcome)); };
  submit(std::move(item));
  return result.get();
}

Result<> LogCore::open_stream(std::shared_ptr<const catalog::StreamDefinition> definition) {
  const StreamId id = definition->id;
  PieceShape shape{definition->schema, definition->time_column, definition->device_column};
  std::optional<int64_t> retention_us;
  if (const auto found = definition->options.find("retention"); found != definition->options.end()) {
    TRY_ASSIGN(retention_us, parse_retention(found->second));
  }
  // On the commit thread, so that what is being committed has one shape.
  if (shared_.lock()->streams.contains(id)) {
    return submit_and_wait(Item{RedefineItem{std::move(definition), retention_us}, {}, 0, 0, std::nullopt});
  }
  TRY_ASSIGN(const crypto::Key key, keys_.data_key("stream/" + std::to_string(id.value)));
  TRY_ASSIGN(LoadedIndex loaded, load_index(store_, id, key));
  if (!loaded.reason.empty() || !loaded.found_broken.empty()) {
    store::WriteBatch batch;
    for (const OffsetRange& range : loaded.found_broken) {
      put_quarantine(id, range, key, random_, batch);
      log_error("log.quarantined", {{"stream", definition->name},
                                    {"first", range.first.value},
                                    {"end", range.end.value},
                                    {"reason", "missing or broken at the start"}});
    }
    if (!loaded.reason.empty()) {
      log_error("log.index_rebuilt", {{"stream", definition->name}, {"reason", loaded.reason}});
      put_manifest(id, loaded.index, key, random_, batch);
      put_head(id, loaded.index, loaded.index.listed_end(), key, random_, batch);
    }
    TRY(store_.write(std::move(batch), store::Durability::kSynced));
  }
  auto stream = std::make_unique<Stream>(
      Stream{std::move(definition), std::move(shape), key, retention_us, std::move(loaded.index), {}, {}, 0});
  for (const Piece& piece : stream->index.pieces) {
    stream->stored_bytes += piece.bytes;
    stream->last_ingest = std::max(stream->last_ingest, piece.ingest_last);
  }
  auto shared = shared_.lock();
  shared->counters.integrity_errors += loaded.found_broken.size() + (loaded.reason.empty() ? 0 : 1);
  shared->streams.emplace(id, std::move(stream));
  return {};
}

Result<> LogCore::drop_stream(StreamId stream) {
  return submit_and_wait(Item{DropItem{stream}, {}, 0, 0, std::nullopt});
}

// Checks the rows against the stream and puts its device column into the pool, on the caller's thread.
std::optional<Error> LogCore::prepare(StreamId id, columnar::Batch& rows) {
  const auto error = [&](ErrorCode code, std::string what) { return Error{code, std::move(what), {}, std::nullopt}; };
  PieceShape shape;
  {
    auto shared = shared_.lock();
    const auto found = shared->streams.find(id);
    if (found == shared->streams.end()) {
      return error(ErrorCode::NotFound, "stream " + std::to_string(id.value) + " is not open");
    }
    shape = found->second->shape;
  }
  const std::vector<columnar::Field>& fields = shape.schema->fields;
  // Its writer may not know the newest columns.
  bool fits = rows.columns.size() <= fields.size() && (rows.kinds.empty() || rows.kinds.size() == rows.rows) &&
              std::ranges::all_of(fields.begin() + static_cast<ptrdiff_t>(std::min(rows.columns.size(), fields.size())),
                                  fields.end(), &columnar::Field::nullable);
  for (size_t at = 0; fits && at < rows.columns.size(); ++at) {
    fits = rows.columns[at]->type == fields[at].type && rows.columns[at]->rows == rows.rows;
  }
  if (!fits) return error(ErrorCode::RecordDoesNotFit, "a batch does not have its stream's columns");
  if (rows.memory_bytes() > kMaxQueuedBytes) {
    return error(ErrorCode::RecordTooLarge, "a batch has more than 64 MB; append it in parts");
  }
  fit_columns(rows, shape, devices_);
  if (!shape.device_column) return std::nullopt;
  columnar::ColumnPtr& device = rows.columns[*shape.device_column];
  if (device->pool == &devices_) return std::nullopt;
  device = to_dictionary(*device, devices_);
  if (device == nullptr) return error(ErrorCode::LimitReached, "too many different devices are known");
  return std::nullopt;
}

void LogCore::append(StreamId stream, columnar::Batch rows, Committed done) {
  Item item{AppendItem{stream, {}}, std::move(done), 0, 0, prepare(stream, rows)};
  item.bytes = rows.memory_bytes();
  std::get<AppendItem>(item.what).rows = std::move(rows);
  submit(std::move(item));
}

void LogCore::commit(EpochCommit epoch, Committed done) {
  Item item{EpochItem{}, std::move(done), 0, 0, std::nullopt};
  for (auto& [stream, rows] : epoch.outputs) {
    if (!item.error) item.error = prepare(stream, rows);
    item.bytes += rows.memory_bytes();
  }
  for (const StatePut& put : epoch.puts) item.bytes += put.key.size() + put.value.size();
  std::get<EpochItem>(item.what).epoch = std::move(epoch);
  submit(std::move(item));
}

Offset LogCore::end(StreamId stream) const {
  auto shared = shared_.lock();
  const auto found = shared->streams.find(stream);
  return found == shared->streams.end() ? Offset{0} : found->second->index.end;
}

Offset LogCore::begin(StreamId stream) const {
  auto shared = shared_.lock();
  const auto found = shared->streams.find(stream);
  return found == shared->streams.end() ? Offset{0} : found->second->index.begin;
}

Result<std::optional<std::string>> LogCore::get_state(PipelineId pipeline, std::string_view key) {
  TRY_ASSIGN(const std::optional<std::string> sealed,
             store_.get(store::Family::kState, state_prefix(pipeline) + std::string(key)));
  if (!sealed) return std::optional<std::string>();
  TRY_ASSIGN(const crypto::Key data_key, keys_.data_key("pipeline/" + std::to_string(pipeline.value)));
  TRY_ASSIGN(std::string value, crypto::open_seal(data_key, state_place(pipeline, key), *sealed));
  return std::optional(std::move(value));
}

Result<std::vector<StatePut>> LogCore::scan_state(PipelineId pipeline, std::string_view prefix) {
  std::vector<StatePut> found;
  TRY(scan_sealed(pipeline, prefix, [&](std::string_view key, std::string_view sealed) {
    found.push_back({std::string(key), std::string(sealed)});
  }));
  if (found.empty()) return found;
  TRY_ASSIGN(const crypto::Key data_key, keys_.data_key("pipeline/" + std::to_string(pipeline.value)));
  for (StatePut& put : found) {
    TRY_ASSIGN(put.value, crypto::open_seal(data_key, state_place(pipeline, put.key), put.value));
  }
  return found;
}

Result<std::vector<std::string>> LogCore::state_keys(PipelineId pipeline, std::string_view prefix) {
  std::vector<std::string> found;
  TRY(scan_sealed(pipeline, prefix, [&](std::string_view key, std::string_view) { found.emplace_back(key); }));
  return found;
}

Result<> LogCore::scan_sealed(PipelineId pipeline, std::string_view prefix,
                              const std::function<void(std::string_view, std::string_view)>& visit) {
  const std::string all = state_prefix(pipeline);
  return store_.scan(store::Family::kState, all + std::string(prefix), state_prefix(PipelineId{pipeline.value + 1}),
                     [&](std::string_view key, std::string_view sealed) {
                       key.remove_prefix(all.size());
                       if (!key.starts_with(prefix)) return false;
                       visit(key, sealed);
                       return true;
                     });
}

Result<> LogCore::drop_state(PipelineId pipeline) {
  store::WriteBatch batch;
  batch.erase_range(store::Family::kState, state_prefix(pipeline), state_prefix(PipelineId{pipeline.value + 1}));
  return store_.write(std::move(batch), store::Durability::kSynced);
}

std::unique_ptr<Log::Subscription> LogCore::on_append(StreamId stream, std::function<void()> listener) {
  return listeners_.add(stream, std::move(listener));
}

LogStats LogCore::stats() const {
  auto shared = shared_.lock();
  LogStats stats = shared->counters;
  stats.queued_bytes = queue_.bytes();
  stats.tail_bytes = shared->tail_bytes;
  const size_t window = std::min<size_t>(stats.commits, shared->latencies_us.size());
  if (window > 0) {
    std::vector<int64_t> sorted(shared->latencies_us.begin(),
                                shared->latencies_us.begin() + static_cast<ptrdiff_t>(window));
    std::ranges::sort(sorted);
    stats.p50_commit_us = sorted[window / 2];
    stats.p99_commit_us = sorted[window * 99 / 100];
  }
  for (const auto& [id, stream] : shared->streams) {
    const StreamIndex& index = stream->index;
    stats.streams.push_back({id, stream->definition->name, index.begin, index.end, stream->stored_bytes,
                             index.pieces.size() - index.listed, index.listed, index.quarantined});
  }
  return stats;
}

}  // namespace internal
}  // namespace tidegate::log
