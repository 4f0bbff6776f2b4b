#include <algorithm>

#include "base/logging.h"
#include "log/internal/keys.h"
#include "log/internal/log_core.h"

namespace tidegate::log::internal {

// One stream's part of a group commit; takes effect in publish().
struct StreamWork {
  StreamId id;
  Stream* stream;
  PieceShape shape;
  StreamIndex next;  // only begin, end, last_tag, manifest_tag are used, and listed pieces through listed_end
  Offset listed_end;
  IngestTime ingest;
  std::vector<columnar::Batch> rows;
  std::vector<Piece> pieces;
  std::vector<LogBatchPtr> published;

  // What was queued before the stream got another shape has the old one.
  void take(columnar::Batch batch, const columnar::StringPool& devices) {
    if (batch.rows == 0) return;
    fit_columns(batch, shape, devices);
    rows.push_back(std::move(batch));
  }
};

struct Group {
  std::map<StreamId, StreamWork> streams;
  store::WriteBatch batch;
};

namespace {

constexpr int kBatchLevel = 1;  // zstd: the commit thread's time is what limits ingest

// Joins small batches and cuts large ones, so that every piece is within its limits and order is kept.
std::vector<columnar::Batch> to_pieces(std::vector<columnar::Batch> rows) {
  std::vector<columnar::Batch> pieces;
  std::vector<columnar::Batch> open;
  size_t open_rows = 0;
  size_t open_bytes = 0;
  const auto close = [&] {
    if (!open.empty()) pieces.push_back(columnar::concatenate(open));
    open.clear();
    open_rows = open_bytes = 0;
  };
  for (columnar::Batch& batch : rows) {
    const size_t bytes = batch.memory_bytes();
    if (open_rows + batch.rows > kPieceRows || open_bytes + bytes > kPieceBytes) close();
    const size_t parts = std::max((batch.rows + kPieceRows - 1) / kPieceRows,
                                  std::min(batch.rows, (bytes + kPieceBytes - 1) / kPieceBytes));
    const size_t part_rows = (batch.rows + parts - 1) / std::max<size_t>(parts, 1);
    for (size_t first = 0; parts > 1 && first < batch.rows; first += part_rows) {
      pieces.push_back(columnar::slice(batch, first, std::min(part_rows, batch.rows - first)));
    }
    if (parts > 1) continue;
    open_rows += batch.rows;
    open_bytes += bytes;
    open.push_back(std::move(batch));
  }
  close();
  return pieces;
}

}  // namespace

void LogCore::run_commits() {
  while (true) {
    std::deque<Item> items = queue_.wait_and_take();
    if (items.empty()) return;
    commit_items(std::move(items));
  }
}

// Manual mode. A callback that submits again only queues: the loop below takes it.
void LogCore::drain_on_caller() {
  if (manual_owner_.load() == std::this_thread::get_id()) return;
  const std::scoped_lock one_caller(manual_mutex_);
  manual_owner_ = std::this_thread::get_id();
  for (std::deque<Item> items = queue_.take_now(); !items.empty(); items = queue_.take_now()) {
    commit_items(std::move(items));
  }
  manual_owner_ = std::thread::id();
}

// Appends and epochs that follow each other commit together; maintenance commits by itself, in its turn.
void LogCore::commit_items(std::deque<Item> items) {
  std::deque<Item> group;
  const auto flush = [&] {
    if (!group.empty()) commit_group(group);
    group.clear();
  };
  for (Item& item : items) {
    if (std::holds_alternative<AppendItem>(item.what) || std::holds_alternative<EpochItem>(item.what)) {
      group.push_back(std::move(item));
      continue;
    }
    flush();
    Result<> result;
    if (const auto* replace = std::get_if<ReplaceItem>(&item.what)) result = apply(*replace);
    if (const auto* expired = std::get_if<ExpireItem>(&item.what)) result = apply(*expired);
    if (const auto* dropped = std::get_if<DropItem>(&item.what)) result = apply(*dropped);
    if (const auto* redefined = std::get_if<RedefineItem>(&item.what)) result = apply(*redefined);
    if (item.done) item.done(std::move(result));
  }
  flush();
}

StreamWork* LogCore::work_for(StreamId id, Group& group) {
  if (const auto found = group.streams.find(id); found != group.streams.end()) return &found->second;
  auto shared = shared_.lock();
  const auto found = shared->streams.find(id);
  if (found == shared->streams.end()) return nullptr;
  Stream& stream = *found->second;
  StreamWork work{id, &stream, stream.shape, {}, stream.index.listed_end(), {}, {}, {}, {}};
  work.next.begin = stream.index.begin;
  work.next.end = stream.index.end;
  work.next.last_tag = stream.index.last_tag;
  work.next.manifest_tag = stream.index.manifest_tag;
  work.ingest = std::max(stream.last_ingest, IngestTime{clock_.now_us()});
  return &group.streams.emplace(id, std::move(work)).first->second;
}

void LogCore::gather_item(Item& item, Group& group) {
  if (item.error) return;
  const auto missing = [&](StreamId id) {
    return Error{ErrorCode::NotFound, "stream " + std::to_string(id.value) + " is not open", {}, std::nullopt};
  };
  if (auto* appended = std::get_if<AppendItem>(&item.what)) {
    StreamWork* const work = work_for(appended->stream, group);
    if (work == nullptr) {
      item.error = missing(appended->stream);
    } else {
      work->take(std::move(appended->rows), devices_);
    }
    return;
  }
  EpochCommit& epoch = std::get<EpochItem>(item.what).epoch;
  for (const auto& [id, rows] : epoch.outputs) {
    if (work_for(id, group) == nullptr) {
      item.error = missing(id);
      return;
    }
  }
  item.error = put_state(epoch, group.batch);
  if (item.error) return;
  for (auto& [id, rows] : epoch.outputs) {
    work_for(id, group)->take(std::move(rows), devices_);
  }
}

std::optional<Error> LogCore::put_state(const EpochCommit& epoch, store::WriteBatch& batch) {
  if (epoch.puts.empty() && epoch.deletes.empty()) return std::nullopt;
  const Result<crypto::Key> key = keys_.data_key("pipeline/" + std::to_string(epoch.pipeline.value));
  if (!key) return key.error();
  const std::string prefix = state_prefix(epoch.pipeline);
  for (const StatePut& put : epoch.puts) {
    batch.put(store::Family::kState, prefix + put.key,
              crypto::seal(*key, random_, state_place(epoch.pipeline, put.key), put.value));
  }
  for (const std::string& erased : epoch.deletes) batch.erase(store::Family::kState, prefix + erased);
  return std::nullopt;
}

void LogCore::encode_stream(StreamWork& work, store::WriteBatch& batch) {
  if (work.rows.empty()) return;
  for (columnar::Batch& rows : to_pieces(std::move(work.rows))) {
    const Offset first = work.next.end;
    const Offset end{first.value + static_cast<int64_t>(rows.rows)};
    const std::string key = range_key(kBatchKind, work.id, first, end);
    const std::string plain = encode_piece(rows, work.shape, work.next.last_tag,
                                           {{static_cast<uint32_t>(rows.rows), work.ingest}}, kBatchLevel);
    const std::string sealed = crypto::seal(work.stream->key, random_, log_place(key), plain);
    batch.put(store::Family::kLog, key, sealed);
    work.next.end = end;
    work.next.last_tag = tag_of(sealed);
    work.pieces.push_back({kBatchKind, first, end, work.ingest, work.ingest, sealed.size(), work.next.last_tag});
    // Shared: the tail and its readers.
    work.published.push_back(std::make_shared<const LogBatch>(LogBatch{std::move(rows), first, work.ingest}));
  }
  put_head(work.id, work.next, work.listed_end, work.stream->key, random_, batch);
}

void LogCore::commit_group(std::deque<Item>& items) {
  Group group;
  int64_t oldest_us = clock_.monotonic_us();
  for (Item& item : items) {
    oldest_us = std::min(oldest_us, item.queued_us);
    gather_item(item, group);
  }
  for (auto& [id, work] : group.streams) encode_stream(work, group.batch);
  Result<> written;
  if (!group.batch.empty()) {
    written = store_.write(std::move(group.batch), store::Durability::kSynced);
    if (written) {
      publish(group, oldest_us);
    } else {
      ++shared_.lock()->counters.failed_commits;
      log_error("log.commit_failed", {{"reason", written.error().to_string()}});
    }
  }
  for (Item& item : items) {
    queue_.settled(item.bytes);
    if (item.done) item.done(item.error ? Result<>(std::unexpected(*item.error)) : written);
  }
  if (!written) return;
  for (const auto& [id, work] : group.streams) {
    if (!work.published.empty()) listeners_.notify(id);
  }
}

void LogCore::publish(Group& group, int64_t oldest_us) {
  bool segment_due = false;
  {
    auto shared = shared_.lock();
    for (auto& [id, work] : group.streams) {
      if (work.pieces.empty()) continue;
      Stream& stream = *work.stream;
      for (size_t at = 0; at < work.pieces.size(); ++at) {
        stream.index.pieces.push_back(work.pieces[at]);
        stream.stored_bytes += work.pieces[at].bytes;
        stream.tail.push_back(work.published[at]);
        shared->tail_order.push_back(id);
        shared->tail_bytes += work.published[at]->batch.memory_bytes();
        shared->counters.rows += work.published[at]->batch.rows;
      }
      stream.index.end = work.next.end;
      stream.index.last_tag = work.next.last_tag;
      stream.last_ingest = work.ingest;
      segment_due =
          segment_due || stream.index.end.value - stream.index.listed_end().value >= static_cast<int64_t>(kPieceRows);
    }
    trim_tail(*shared);
    LogStats& counters = shared->counters;
    counters.last_commit_us = clock_.monotonic_us() - oldest_us;
    shared->latencies_us[counters.commits % shared->latencies_us.size()] = counters.last_commit_us;
    ++counters.commits;
    ++counters.fsyncs;
  }
  if (!segment_due || options_.manual) return;
  {
    const std::scoped_lock lock(wake_.mutex);
    wake_.work = true;
  }
  wake_.changed.notify_one();
}

void LogCore::trim_tail(Shared& shared) {
  while (shared.tail_bytes > options_.tail_bytes && !shared.tail_order.empty()) {
    const auto found = shared.streams.find(shared.tail_order.front());
    shared.tail_order.pop_front();
    if (found == shared.streams.end() || found->second->tail.empty()) continue;
    shared.tail_bytes -= found->second->tail.front()->batch.memory_bytes();
    found->second->tail.pop_front();
  }
}

// Not synced: until the next synced write a crash brings the old pieces back, which hold the same records.
Result<> LogCore::swap_index(StreamId id, Stream& stream, StreamIndex index, store::WriteBatch batch) {
  put_manifest(id, index, stream.key, random_, batch);
  put_head(id, index, index.listed_end(), stream.key, random_, batch);
  TRY(store_.write(std::move(batch), store::Durability::kBuffered));
  auto shared = shared_.lock();
  index.quarantined = stream.index.quarantined;  // readers may have added to it meanwhile
  stream.index = std::move(index);
  stream.stored_bytes = 0;
  for (const Piece& piece : stream.index.pieces) stream.stored_bytes += piece.bytes;
  return {};
}

Result<> LogCore::apply(const ReplaceItem& item) {
  Stream* stream = nullptr;
  StreamIndex index;
  {
    auto shared = shared_.lock();
    const auto found = shared->streams.find(item.stream);
    if (found == shared->streams.end()) return {};
    stream = found->second.get();
    index = stream->index;
  }
  const auto first = index.pieces.begin() + static_cast<ptrdiff_t>(index.listed);
  auto end = first;
  while (end != index.pieces.end() && end->end <= item.end) ++end;
  if (first == end || first->first != item.first) return {};  // dropped by retention meanwhile
  store::WriteBatch batch;
  if (item.segment) {
    for (auto at = first; at != end; ++at) {
      batch.erase(store::Family::kLog, range_key(at->kind, item.stream, at->first, at->end));
    }
    batch.put(store::Family::kLog, range_key(kSegmentKind, item.stream, item.first, item.end), item.sealed);
    *first = *item.segment;
    index.pieces.erase(first + 1, end);
  }
  index.list_next();
  return swap_index(item.stream, *stream, std::move(index), std::move(batch));
}

Result<> LogCore::apply(const ExpireItem& item) {
  Stream* stream = nullptr;
  StreamIndex index;
  {
    auto shared = shared_.lock();
    const auto found = shared->streams.find(item.stream);
    if (found == shared->streams.end()) return {};
    stream = found->second.get();
    index = stream->index;
  }
  store::WriteBatch batch;
  while (!index.pieces.empty() && index.pieces.front().end <= item.begin) {
    const Piece& piece = index.pieces.front();
    batch.erase(store::Family::kLog, range_key(piece.kind, item.stream, piece.first, piece.end));
    index.drop_front();
  }
  index.begin = std::max(index.begin, item.begin);
  TRY(swap_index(item.stream, *stream, std::move(index), std::move(batch)));
  auto shared = shared_.lock();
  std::erase_if(stream->index.quarantined, [&](const OffsetRange& range) { return range.end <= item.begin; });
  return {};
}

Result<> LogCore::apply(const DropItem& item) {
  store::WriteBatch batch;
  for (const char kind : kAllKinds) {
    batch.erase_range(store::Family::kLog, stream_key(kind, item.stream), stream_key_end(kind, item.stream));
  }
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto shared = shared_.lock();
  const auto found = shared->streams.find(item.stream);
  if (found == shared->streams.end()) return {};
  for (const LogBatchPtr& kept : found->second->tail) shared->tail_bytes -= kept->batch.memory_bytes();
  std::erase(shared->tail_order, item.stream);
  shared->streams.erase(found);
  return {};
}

}  // namespace tidegate::log::internal
