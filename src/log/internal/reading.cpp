#include <algorithm>

#include "base/logging.h"
#include "log/internal/keys.h"
#include "log/internal/log_core.h"

namespace tidegate::log::internal {

LogBatchPtr cut_before(const LogBatchPtr& batch, Offset from) {
  if (from <= batch->first) return batch;
  const auto skipped = static_cast<size_t>(from.value - batch->first.value);
  // Shared as every LogBatch: readers keep it as long as they like.
  return std::make_shared<const LogBatch>(
      LogBatch{columnar::slice(batch->batch, skipped, batch->batch.rows - skipped), from, batch->ingest_time});
}

namespace {

std::unexpected<Error> not_open(StreamId stream) {
  return fail(ErrorCode::NotFound, "stream " + std::to_string(stream.value) + " is not open");
}

std::string text_of(OffsetRange range) {
  return std::to_string(range.first.value) + " to " + std::to_string(range.end.value - 1);
}

std::vector<LogBatchPtr> from_tail(const Stream& stream, Offset from, size_t max_rows) {
  std::vector<LogBatchPtr> out;
  auto at = std::ranges::partition_point(stream.tail, [&](const LogBatchPtr& batch) { return batch->end() <= from; });
  size_t rows = 0;
  for (; at != stream.tail.end() && (out.empty() || rows < max_rows); ++at) {
    out.push_back(out.empty() ? cut_before(*at, from) : *at);
    rows += out.back()->batch.rows;
  }
  return out;
}

// The stored pieces to read, without gaps or quarantined ones.
std::vector<Piece> plan_pieces(const Stream& stream, Offset from, size_t max_rows) {
  std::vector<Piece> plan;
  size_t rows = 0;
  Offset next = from;
  for (size_t at = stream.index.find(from); at < stream.index.pieces.size() && (plan.empty() || rows < max_rows);
       ++at) {
    const Piece& piece = stream.index.pieces[at];
    if (piece.first > next || stream.index.next_readable(std::max(piece.first, from)) != std::max(piece.first, from)) {
      break;
    }
    plan.push_back(piece);
    rows += static_cast<size_t>(piece.end.value - std::max(piece.first, from).value);
    next = piece.end;
  }
  return plan;
}

}  // namespace

Result<std::vector<LogBatchPtr>> LogCore::read(StreamId id, Offset from, size_t max_rows) {
  while (true) {
    std::vector<Piece> plan;
    std::optional<Source> source;
    std::optional<OffsetRange> hole;
    {
      auto shared = shared_.lock();
      const auto found = shared->streams.find(id);
      if (found == shared->streams.end()) return not_open(id);
      const Stream& stream = *found->second;
      if (from < stream.index.begin) {
        return fail(ErrorCode::OffsetOutOfRange, "the log no longer holds offset " + std::to_string(from.value),
                    "The first one held is " + std::to_string(stream.index.begin.value) + ".");
      }
      if (from >= stream.index.end) return std::vector<LogBatchPtr>();
      if (const Offset next = stream.index.next_readable(from); next != from) {
        return fail(ErrorCode::LogCorrupted,
                    "offsets " + text_of({from, next}) + " of stream '" + stream.definition->name +
                        "' failed their integrity check and are lost",
                    "Read on from offset " + std::to_string(next.value) + ".");
      }
      if (!stream.tail.empty() && stream.tail.front()->first <= from) return from_tail(stream, from, max_rows);
      plan = plan_pieces(stream, from, max_rows);
      source = Source{stream.shape, stream.key};
      if (plan.empty()) {  // neither stored nor known to be lost
        const size_t at = stream.index.find(from);
        hole = {from, at < stream.index.pieces.size() ? stream.index.pieces[at].first : stream.index.end};
      }
    }
    if (hole) return fail(quarantine(id, *hole, "it is missing"));
    std::vector<LogBatchPtr> out;
    for (const Piece& piece : plan) {
      Result<std::optional<Loaded>> loaded = load_piece(id, piece, *source);
      if (loaded && *loaded) {
        out.push_back(out.empty() ? cut_before((*loaded)->batch, from) : (*loaded)->batch);
        continue;
      }
      if (!out.empty()) break;
      if (loaded && !still_listed(id, piece)) break;  // re-batched meanwhile: look again
      if (loaded || loaded.error().code == ErrorCode::LogCorrupted) {
        return fail(quarantine(id, {piece.first, piece.end}, loaded ? "it is missing" : loaded.error().message));
      }
      return std::unexpected(std::move(loaded.error()));
    }
    if (!out.empty()) return out;
  }
}

// Nothing when the store does not hold the piece (any more).
Result<std::optional<LogCore::Loaded>> LogCore::load_piece(StreamId id, const Piece& piece,
                                                           const Source& source) const {
  const std::string key = range_key(piece.kind, id, piece.first, piece.end);
  TRY_ASSIGN(const std::optional<std::string> sealed, store_.get(store::Family::kLog, key));
  if (!sealed) return std::optional<Loaded>();
  if (tag_of(*sealed) != piece.tag) {
    return fail(ErrorCode::LogCorrupted, "it was replaced: its tag is not the one that is listed");
  }
  const Result<std::string> plain = crypto::open_seal(source.key, log_place(key), *sealed);
  if (!plain) return fail(ErrorCode::LogCorrupted, plain.error().message);
  TRY_ASSIGN(DecodedPiece decoded, decode_piece(*plain, source.shape, devices_));
  if (decoded.header.rows != piece.rows() || decoded.header.runs.empty()) {
    return fail(ErrorCode::LogCorrupted, "it does not have the rows that are listed");
  }
  const IngestTime newest = decoded.header.runs.back().time;
  // Shared as every LogBatch.
  auto batch = std::make_shared<const LogBatch>(LogBatch{std::move(decoded.rows), piece.first, newest});
  return std::optional<Loaded>(Loaded{std::move(decoded.header), std::move(batch)});
}

bool LogCore::still_listed(StreamId id, const Piece& piece) const {
  auto shared = shared_.lock();
  const auto found = shared->streams.find(id);
  if (found == shared->streams.end()) return false;
  const StreamIndex& index = found->second->index;
  const size_t at = index.find(piece.first);
  return at < index.pieces.size() && index.pieces[at].tag == piece.tag;
}

Error LogCore::quarantine(StreamId id, OffsetRange range, std::string_view reason) {
  std::string name;
  std::optional<crypto::Key> key;
  {
    auto shared = shared_.lock();
    if (const auto found = shared->streams.find(id); found != shared->streams.end()) {
      found->second->index.quarantine(range);
      name = found->second->definition->name;
      key = found->second->key;
    }
    ++shared->counters.integrity_errors;
  }
  log_error("log.quarantined",
            {{"stream", name}, {"first", range.first.value}, {"end", range.end.value}, {"reason", reason}});
  if (key) {
    store::WriteBatch batch;
    put_quarantine(id, range, *key, random_, batch);
    if (const Result<> noted = store_.write(std::move(batch), store::Durability::kSynced); !noted) {
      log_warn("log.quarantine_not_stored", {{"reason", noted.error().to_string()}});  // it will be found again
    }
  }
  return Error{ErrorCode::LogCorrupted,
               "offsets " + text_of(range) + " of stream '" + name + "' failed their integrity check and are lost",
               "Read on from offset " + std::to_string(range.end.value) + ". Check the disk.", std::nullopt};
}

Offset LogCore::next_readable(StreamId id, Offset from) const {
  auto shared = shared_.lock();
  const auto found = shared->streams.find(id);
  if (found == shared->streams.end()) return from;
  return found->second->index.next_readable(std::max(from, found->second->index.begin));
}

Result<Offset> LogCore::offset_at(StreamId id, IngestTime time) const {
  while (true) {
    std::optional<Source> source;
    std::optional<Piece> piece;
    {
      auto shared = shared_.lock();
      const auto found = shared->streams.find(id);
      if (found == shared->streams.end()) return not_open(id);
      const StreamIndex& index = found->second->index;
      const auto at = std::ranges::partition_point(
          index.pieces, [&](const Piece& candidate) { return candidate.ingest_last < time; });
      if (at == index.pieces.end()) return index.end;
      if (at->ingest_first >= time || index.next_readable(at->first) != at->first) return at->first;
      piece = *at;
      source = Source{found->second->shape, found->second->key};
    }
    const Result<std::optional<Loaded>> loaded = load_piece(id, *piece, *source);
    if (loaded && !*loaded && !still_listed(id, *piece)) continue;  // re-batched meanwhile
    if (!loaded || !*loaded) return piece->first;                   // broken: reading will say so
    Offset offset = piece->first;
    for (const IngestRun& run : (*loaded)->header.runs) {
      if (run.time >= time) break;
      offset.value += run.rows;
    }
    return offset;
  }
}

}  // namespace tidegate::log::internal
