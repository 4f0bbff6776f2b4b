// Pipeline: its state from the last snapshot, and the epochs since then computed again.
#include <algorithm>
#include <unordered_set>

#include "base/logging.h"
#include "engine/internal/pipeline.h"

namespace tidegate::engine {

namespace {

void add_page_keys(const Manifest& manifest, std::unordered_set<std::string>& keys) {
  for (const OperatorPages& pages : manifest.operators) {
    for (const auto& [number, runs] : pages.places) {
      for (const PageRun& run : runs) {
        for (uint32_t page = 0; page < run.pages; ++page) {
          keys.insert(page_key(pages.operator_id, Place::of_number(number), run.bank, page));
        }
      }
    }
  }
}

}  // namespace

Result<> Pipeline::recover(WorkerPool& pool) {
  const PipelineId pipeline = spec_.definition.id;
  for (size_t at = 0; at < readers_.size(); ++at) readers_[at].seek(first_of(source(at).id));
  snapshot_at_us_ = context_.clock.now_us();
  TRY_ASSIGN(const std::optional<std::string> stored, context_.log.get_state(pipeline, kManifestKey));
  bool same_state = true;
  std::optional<Manifest> manifest;
  if (stored) {
    TRY_ASSIGN(manifest, decode_manifest(*stored));
    same_state = snapshots_.fits(*manifest);
    adopt(manifest->epoch);
    snapshot_epoch_ = manifest->epoch.id;
    snapshot_at_us_ = manifest->epoch.clock_us;
    if (same_state) TRY(restore(*manifest, pool));
  }
  TRY(forget_pages_ahead(manifest));
  TRY(tables_.restore());
  TRY_ASSIGN(const std::vector<EpochRecord> records, records_after(snapshot_epoch_));
  for (const EpochRecord& record : records) {
    if (same_state) TRY(replay(record, pool));
    adopt(record);
    stale_.push_back(epoch_key(record.id));
  }
  tables_.restored();
  // What waits since the stop comes first: a large snapshot would hold it back for seconds. State that has moved to
  // other workers is stored at once, though.
  if (!snapshots_.moved()) snapshot_at_us_ = std::max(snapshot_at_us_, context_.clock.now_us());
  if (!same_state) {
    log_warn("engine.state_dropped", {{"pipeline", spec_.definition.name},
                                      {"reason", "its query means something else now; it starts with empty windows"}});
    TRY_ASSIGN(const std::vector<std::string> pages, context_.log.state_keys(pipeline, kPagePrefix));
    stale_.insert(stale_.end(), pages.begin(), pages.end());
    // Copies of tables go with the first snapshot that does not need them.
  }
  publish();
  return {};
}

// Where a pipeline without a stored epoch begins.
Offset Pipeline::first_of(StreamId stream) const {
  const Offset oldest = context_.log.begin(stream);
  for (const auto& [chosen, from] : spec_.definition.starts) {
    if (chosen == stream) return std::max(from, oldest);
  }
  return oldest;
}

Result<> Pipeline::forget_pages_ahead(const std::optional<Manifest>& manifest) {
  const PipelineId pipeline = spec_.definition.id;
  TRY_ASSIGN(const std::optional<std::string> ahead, context_.log.get_state(pipeline, kPagesAheadKey));
  if (!ahead) return {};
  std::unordered_set<std::string> named;
  if (manifest) add_page_keys(*manifest, named);
  TRY_ASSIGN(std::vector<std::string> pages, context_.log.state_keys(pipeline, kPagePrefix));
  for (std::string& key : pages) {
    if (!named.contains(key)) stale_.push_back(std::move(key));
  }
  stale_.emplace_back(kPagesAheadKey);
  return {};
}

Result<> Pipeline::restore(const Manifest& manifest, WorkerPool& pool) {
  execution_.watermarks() = {manifest.epoch.shared_watermark, manifest.scanned_at_us, stage_watermarks(manifest.epoch)};
  return snapshots_.load(manifest, pool, context_.options.spill_state_bytes / 2);
}

std::vector<int64_t> Pipeline::stage_watermarks(const EpochRecord& record) const {
  std::vector<int64_t> all = record.stage_watermarks;
  all.resize(execution_.graph().shared_stages(), record.shared_watermark);
  return all;
}

Result<std::vector<EpochRecord>> Pipeline::records_after(EpochId snapshot) {
  TRY_ASSIGN(const std::vector<log::StatePut> stored, context_.log.scan_state(spec_.definition.id, kEpochPrefix));
  std::vector<EpochRecord> records;
  for (const log::StatePut& put : stored) {
    TRY_ASSIGN(EpochRecord record, decode_epoch_record(put.value));
    if (record.id > snapshot) records.push_back(std::move(record));
  }
  return records;
}

// The same rows, the same tables, the same clock: the same state. What came out is in the log already.
Result<> Pipeline::replay(const EpochRecord& record, WorkerPool& pool) {
  TRY_ASSIGN(const PipelineTables::Versions versions, tables_.of_epoch(record));
  execution_.use_tables(versions);
  execution_.begin(record.clock_us);
  TRY(replay_rows(record, pool));
  const bool had_input =
      std::ranges::any_of(record.sources, [](const SourceRange& range) { return range.to > range.from; });
  TRY(execution_.finish(had_input, record.behind));
  (void)execution_.take_outputs();
  (void)execution_.take_late();
  Watermarks& reached = execution_.watermarks();
  const std::vector<int64_t> stages = stage_watermarks(record);
  if (reached.least != record.shared_watermark || reached.stages != stages) {
    log_warn("engine.replay_differs", {{"pipeline", spec_.definition.name}, {"epoch", record.id.value}});
    reached.least = record.shared_watermark;
    reached.stages = stages;
  }
  return {};
}

// One source after the other: nothing depends on how they were interleaved.
Result<> Pipeline::replay_rows(const EpochRecord& record, WorkerPool& pool) {
  for (const SourceRange& range : record.sources) {
    size_t at = 0;
    while (at < readers_.size() && source(at).id != range.stream) ++at;
    if (at == readers_.size()) {
      return fail(ErrorCode::StateIncompatible, "the pipeline reads another stream than when it was stored");
    }
    readers_[at].seek(range.from);
    while (readers_[at].position() < range.to) {
      TRY_ASSIGN(const std::vector<columnar::Batch> batches, readers_[at].read(kRoundRows, range.to));
      if (batches.empty()) break;
      execution_.process(at, batches, pool);
      (void)execution_.take_outputs();
    }
  }
  return {};
}

void Pipeline::adopt(const EpochRecord& record) {
  last_ = record;
  for (const SourceRange& range : record.sources) {
    for (size_t at = 0; at < readers_.size(); ++at) {
      if (source(at).id == range.stream) readers_[at].seek(range.to);
    }
  }
  publish_position();
}

}  // namespace tidegate::engine
