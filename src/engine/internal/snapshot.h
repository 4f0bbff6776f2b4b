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
  explicit Snapshots(Execution& execution) : execution_(execution), operators_(state_count()) {}

  // Bytes of state that changed since the last write, about.
  [[nodiscard]] size_t dirty_bytes() const;
  // Adds the changed pages and the manifest to `commit`, which must hold all other deletes already.
  void write(const EpochRecord& epoch, log::EpochCommit& commit);
  // Whether the stored state is of these operators.
  [[nodiscard]] bool fits(const Manifest& manifest) const;
  // Loads what `manifest`, which fits, names, a share of the key groups on each thread of `pool`. StateIncompatible if
  // it cannot be read.
  [[nodiscard]] Result<> load(const Manifest& manifest, PipelineId pipeline, log::Log& log, WorkerPool& pool);

 private:
  static constexpr size_t kPageBytes = 256U << 10;      // a page is sealed and read as a whole
  using Pages = std::vector<std::vector<std::string>>;  // by key group

  // One worker's state of one operator.
  struct Part {
    size_t op = 0;  // in GraphPlan::state_ids()
    uint16_t worker = 0;
  };
  struct Stored {
    std::map<uint32_t, PageGroup> groups;
    // Places whose state now lives with another worker: to be deleted at the next write.
    std::vector<uint32_t> moved;
  };

  [[nodiscard]] size_t state_count() const { return execution_.graph().state_ids().size(); }
  void write_part(const Part& part, EpochId epoch, log::EpochCommit& commit);
  void replace_pages(size_t op, Place place, EpochId epoch, std::vector<std::string> pages, log::EpochCommit& commit);
  // What worker `owner` will have of an operator.
  [[nodiscard]] Result<> load_part(const Part& owner, PipelineId pipeline, log::Log& log, std::vector<uint32_t>& moved);
  [[nodiscard]] Result<> load_page(std::string_view bytes, const Part& owner, Place place, EpochId epoch);

  Execution& execution_;
  std::vector<Stored> operators_;
};

}  // namespace tidegate::engine
