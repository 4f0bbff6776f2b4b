#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/logging.h"
#include "log/internal/keys.h"
#include "log/internal/log_core.h"

namespace tidegate::log {

Result<int64_t> parse_retention(std::string_view text) {
  const auto invalid = [&] {
    return fail(ErrorCode::SqlInvalidOption, "'" + std::string(text) + "' is not a length of time",
                "Write a number and a unit: '7 d', '12 h', '30 min' or '45 s'.");
  };
  int64_t count = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit(at, static_cast<size_t>(text.data() + text.size() - at));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  while (unit.ends_with(' ')) unit.remove_suffix(1);
  int64_t seconds = 0;
  if (unit == "s") seconds = 1;
  if (unit == "min") seconds = 60;
  if (unit == "h") seconds = 3600;
  if (unit == "d") seconds = 86400;
  constexpr int64_t kMaxSeconds = int64_t{1000} * 366 * 86400;  // a thousand years: far from overflow
  if (error != std::errc() || seconds == 0 || count <= 0 || count > kMaxSeconds / seconds) return invalid();
  return count * seconds * kMicrosPerSecond;
}

namespace internal {

namespace {

constexpr int kSegmentLevel = 3;  // zstd: written once, in the background, kept for days
constexpr std::chrono::seconds kMaintenancePeriod{2};

// Write-ahead batches that become one segment: enough of them, or old enough, or followed by a hole.
std::vector<Piece> pick_run(const Stream& stream, int64_t now_us, int64_t age_us) {
  const StreamIndex& index = stream.index;
  std::vector<Piece> run;
  size_t rows = 0;
  uint64_t bytes = 0;
  bool closed = false;
  for (size_t at = index.listed; at < index.pieces.size() && !closed; ++at) {
    const Piece& piece = index.pieces[at];
    const bool hole = !run.empty() && piece.first != run.back().end;
    const bool broken = index.next_readable(piece.first) != piece.first;
    if (hole || rows + piece.rows() > kMaxPieceRows || (broken && !run.empty())) {
      closed = true;
      break;
    }
    run.push_back(piece);
    rows += piece.rows();
    bytes += piece.bytes;
    closed = broken || rows >= kPieceRows || bytes >= kPieceBytes;
  }
  const bool old = run.size() > 1 && run.front().ingest_last.value + age_us <= now_us;
  if (!closed && !old) run.clear();
  return run;
}

}  // namespace

void LogCore::run_maintenance() {
  while (true) {
    {
      std::unique_lock lock(wake_.mutex);
      wake_.changed.wait_for(lock, kMaintenancePeriod, [&] { return wake_.work || wake_.stop; });
      if (wake_.stop) return;
      wake_.work = false;
    }
    if (const Result<> done = maintain(); !done) {
      log_warn("log.maintenance_failed", {{"reason", done.error().to_string()}});
    }
  }
}

Result<> LogCore::maintain() {
  const std::scoped_lock one_round(maintain_mutex_);
  std::vector<StreamId> streams;
  {
    auto shared = shared_.lock();
    for (const auto& [id, stream] : shared->streams) streams.push_back(id);
  }
  for (const StreamId id : streams) {
    TRY(expire(id));
    while (true) {
      TRY_ASSIGN(const bool more, rebatch_one(id));
      if (!more) break;
    }
  }
  return {};
}

Result<> LogCore::expire(StreamId id) {
  Offset begin;
  {
    auto shared = shared_.lock();
    const auto found = shared->streams.find(id);
    if (found == shared->streams.end() || !found->second->retention_us) return {};
    const StreamIndex& index = found->second->index;
    const IngestTime oldest_kept{clock_.now_us() - *found->second->retention_us};
    begin = index.begin;
    for (const Piece& piece : index.pieces) {
      if (piece.ingest_last >= oldest_kept) break;
      begin = piece.end;
    }
    if (begin == index.begin) return {};
  }
  return submit_and_wait(Item{ExpireItem{id, begin}, {}, 0, 0, std::nullopt});
}

Result<bool> LogCore::rebatch_one(StreamId id) {
  std::vector<Piece> run;
  std::optional<Source> source;
  {
    auto shared = shared_.lock();
    const auto found = shared->streams.find(id);
    if (found == shared->streams.end()) return false;
    run = pick_run(*found->second, clock_.now_us(), options_.rebatch_age_us);
    source = Source{found->second->shape, found->second->key};
  }
  if (run.empty()) return false;
  ReplaceItem item{id, run.front().first, run.back().end, std::nullopt, {}};
  if (run.size() > 1) {
    std::vector<columnar::Batch> parts;
    std::vector<IngestRun> runs;
    for (const Piece& piece : run) {
      Result<std::optional<Loaded>> loaded = load_piece(id, piece, *source);
      if (loaded && !*loaded && !still_listed(id, piece)) return true;  // expired meanwhile: look again
      if (!loaded && loaded.error().code != ErrorCode::LogCorrupted) return std::unexpected(loaded.error());
      if (!loaded || !*loaded) {
        quarantine(id, {piece.first, piece.end}, loaded ? "it is missing" : loaded.error().message);
        return true;
      }
      parts.push_back((*loaded)->batch->batch);
      runs.insert(runs.end(), (*loaded)->header.runs.begin(), (*loaded)->header.runs.end());
    }
    const std::string key = range_key(kSegmentKind, id, item.first, item.end);
    const std::string plain = encode_piece(columnar::concatenate(parts), source->shape, Tag{}, runs, kSegmentLevel);
    item.sealed = crypto::seal(source->key, random_, log_place(key), plain);
    item.segment = Piece{kSegmentKind,     item.first,         item.end,           runs.front().time,
                         runs.back().time, item.sealed.size(), tag_of(item.sealed)};
  }
  TRY(submit_and_wait(Item{std::move(item), {}, 0, 0, std::nullopt}));
  return true;
}

}  // namespace internal
}  // namespace tidegate::log
