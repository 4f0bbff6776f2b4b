// Pipeline: its state from the last snapshot, and the epochs since then computed again.
#include <fmt/format.h>

#include "base/logging.h"
#include "engine/internal/pipeline.h"

namespace tidegate::engine {

Result<> Pipeline::recover(WorkerPool& pool) {
  const PipelineId pipeline = spec_.definition.id;
  reader_.seek(context_.log.begin(execution_.chain().source().id));
  snapshot_at_us_ = context_.clock.now_us();
  TRY_ASSIGN(const std::optional<std::string> stored, context_.log.get_state(pipeline, kManifestKey));
  bool same_state = true;
  if (stored) {
    TRY_ASSIGN(const Manifest manifest, decode_manifest(*stored));
    same_state = manifest.operator_id == execution_.chain().state_id();
    adopt(manifest.epoch);
    snapshot_epoch_ = manifest.epoch.id;
    snapshot_at_us_ = manifest.epoch.clock_us;
    if (same_state) TRY(restore(manifest));
  }
  TRY_ASSIGN(const std::vector<EpochRecord> records, records_after(snapshot_epoch_));
  for (const EpochRecord& record : records) {
    if (same_state) TRY(replay(record, pool));
    adopt(record);
    stale_.push_back(epoch_key(record.id));
  }
  if (!same_state) {
    log_warn("engine.state_dropped", {{"pipeline", spec_.definition.name},
                                      {"reason", "its query means something else now; it starts with empty windows"}});
    TRY_ASSIGN(const std::vector<log::StatePut> pages, context_.log.scan_state(pipeline, "page/"));
    for (const log::StatePut& page : pages) stale_.push_back(page.key);
  }
  publish();
  return {};
}

Result<> Pipeline::restore(const Manifest& manifest) {
  execution_.watermark() = {manifest.epoch.shared_watermark, manifest.scanned_at_us};
  return snapshots_.load(manifest, spec_.definition.id, context_.log);
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

// The same rows, the same clock: the same state. What came out is in the log already.
Result<> Pipeline::replay(const EpochRecord& record, WorkerPool& pool) {
  execution_.begin(record.clock_us);
  bool had_input = false;
  for (const SourceRange& source : record.sources) {
    if (source.stream != execution_.chain().source().id) {
      return fail(ErrorCode::StateIncompatible, "the pipeline reads another stream than when it was stored");
    }
    had_input = had_input || source.to > source.from;
    reader_.seek(source.from);
    while (reader_.position() < source.to) {
      TRY_ASSIGN(const std::vector<columnar::Batch> batches, reader_.read(kRoundRows, source.to));
      if (batches.empty()) break;
      execution_.process(batches, pool);
      (void)execution_.take_outputs();
    }
  }
  (void)execution_.finish(had_input);
  (void)execution_.take_outputs();
  (void)execution_.take_late();
  if (execution_.watermark().value != record.shared_watermark) {
    log_warn("engine.replay_differs", {{"pipeline", spec_.definition.name}, {"epoch", record.id.value}});
    execution_.watermark().value = record.shared_watermark;
  }
  return {};
}

void Pipeline::adopt(const EpochRecord& record) {
  last_ = record;
  for (const SourceRange& source : record.sources) {
    if (source.stream == execution_.chain().source().id) reader_.seek(source.to);
  }
  position_ = reader_.position().value;
}

}  // namespace tidegate::engine
