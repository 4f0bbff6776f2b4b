// Snapshots of a pipeline's operator state: pages per key group, only those that changed.
#pragma once

#include "base/error.h"
#include "engine/internal/epoch_record.h"
#include "engine/internal/execution.h"
#include "log/log.h"

namespace tidegate::engine {

// The coordinator's thread, between epochs.
class Snapshots {
 public:
  explicit Snapshots(Execution& execution) : execution_(execution) {}

  // Bytes of state that changed since the last write, about.
  [[nodiscard]] size_t dirty_bytes() const;
  // Adds the changed pages and the manifest to `commit`.
  void write(const EpochRecord& epoch, log::EpochCommit& commit);
  // Loads what `manifest` names. StateIncompatible if it cannot be read.
  [[nodiscard]] Result<> load(const Manifest& manifest, PipelineId pipeline, log::Log& log);

 private:
  static constexpr size_t kPageBytes = 256U << 10;      // a page is sealed and read as a whole
  using Pages = std::vector<std::vector<std::string>>;  // by key group

  void write_worker(size_t worker, EpochId epoch, log::EpochCommit& commit);
  void replace_pages(uint16_t key_group, uint16_t worker, EpochId epoch, std::vector<std::string> pages,
                     log::EpochCommit& commit);
  [[nodiscard]] Result<> load_page(std::string_view bytes, uint16_t key_group, uint16_t worker, EpochId epoch);
  [[nodiscard]] static DirtyKeyGroups dirty_of(Worker& worker);

  Execution& execution_;
  std::map<uint32_t, PageGroup> groups_;
  std::vector<uint32_t> moved_;  // places whose state now lives with another worker: to be deleted at the next write
};

}  // namespace tidegate::engine
