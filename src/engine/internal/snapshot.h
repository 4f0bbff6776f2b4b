// Snapshots of a pipeline's operator state: pages per key group, only those that changed. And state that does not fit
// into memory: what the last snapshot has stored as it is can be let go of (spilled), and is read again when it is due.
#pragma once

#include <memory>

#include "base/error.h"
#include "engine/internal/epoch_record.h"
#include "engine/internal/execution.h"
#include "log/log.h"

namespace tidegate::engine {

// The coordinator's thread, between epochs.
class Snapshots {
 public:
  Snapshots(Execution& execution, log::Log& log, PipelineId pipeline);
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Bytes of state that changed since the last write, about.
  [[nodiscard]] size_t dirty_bytes() const;
  // Adds the changed pages and the manifest to `commit`, which must hold all other deletes already.
  void write(const EpochRecord& epoch, log::EpochCommit& commit);
  // Whether the stored state is of these operators.
  [[nodiscard]] bool fits(const Manifest& manifest) const;
  // Loads what `manifest`, which fits, names, a share of the key groups on each thread of `pool`. What is more than
  // `memory_bytes` (0: any) and can be spilled stays in the store. StateIncompatible if it cannot be read.
  [[nodiscard]] Result<> load(const Manifest& manifest, WorkerPool& pool, size_t memory_bytes);

  // Right after what write() gave is stored: lets go of all state that can be. What lies in many runs is put together
  // again, as much of it as about `memory_bytes` at a time. StateIncompatible if it cannot be read.
  [[nodiscard]] Result<> spill(size_t memory_bytes);
  // Some state lies in so many runs that spill() has to put it together before more is let go of.
  [[nodiscard]] bool full() const { return full_; }
  // Some state that was loaded is with another worker now than when it was written.
  [[nodiscard]] bool moved() const;
  // Of what is in the store only, before it is sealed.
  [[nodiscard]] uint64_t spilled_bytes() const;

 private:
  class SpilledPart;

  static constexpr size_t kPageBytes = 256U << 10;  // a page is sealed and read as a whole
  // Each spilling adds a run to a place. From so many on they are put together, which costs as much as writing all of
  // them once more: the more, the less often, and the more there is to look through whenever something is due.
  static constexpr size_t kMergeRuns = 8;
  static constexpr size_t kFullRuns = 12;               // leaves banks for what is held, and what is forgotten
  using Pages = std::vector<std::vector<std::string>>;  // by key group

  // One worker's state of one operator.
  struct Part {
    size_t op = 0;  // in GraphPlan::state_ids()
    uint16_t worker = 0;
  };
  struct StoredPlace {
    std::vector<PageRun> spilled;    // what the operator has let go of
    std::vector<PageRun> held;       // what it has in memory, as the last snapshot had it
    std::vector<PageRun> forgotten;  // needed by nobody, but named by the last manifest
  };
  struct Stored {
    std::map<uint32_t, StoredPlace> places;  // by Place::number()
    // Places whose state now lives with another worker: to be deleted at the next write.
    std::vector<uint32_t> moved;
  };

  [[nodiscard]] size_t state_count() const { return execution_.graph().state_ids().size(); }
  [[nodiscard]] KeyedState& state_of(const Part& part) const {
    return *execution_.workers()[part.worker].states()[part.op];
  }
  void write_part(const Part& part, EpochId epoch, log::EpochCommit& commit);
  void replace_held(size_t op, Place place, EpochId epoch, std::vector<std::string> pages, log::EpochCommit& commit);
  void delete_runs(size_t op, Place place, std::vector<PageRun>& runs, log::EpochCommit& commit) const;
  [[nodiscard]] static uint8_t free_bank(const StoredPlace& place);
  [[nodiscard]] OperatorPages pages_of(size_t op) const;

  // What worker `owner` will have of an operator.
  [[nodiscard]] Result<> load_part(const Part& owner, size_t memory_bytes, std::vector<uint32_t>& moved);
  [[nodiscard]] uint16_t owner_of(Place place) const;
  [[nodiscard]] Result<> read_run(size_t op, Place place, const PageRun& run,
                                  const std::function<bool(ByteReader&)>& entry) const;

  // Up to the place `last`, if there is one.
  void let_go(const Part& part, std::optional<uint32_t> last);
  [[nodiscard]] Result<> merge_runs(const Part& part, size_t memory_bytes);
  [[nodiscard]] bool is_full(const Part& part) const;
  [[nodiscard]] bool any_full() const;

  Execution& execution_;
  log::Log& log_;
  const PipelineId pipeline_;
  std::vector<Stored> operators_;
  std::vector<std::vector<std::unique_ptr<SpilledPart>>> parts_;  // by operator and worker
  bool full_ = false;
  bool same_workers_ = false;  // as those of the manifest that was loaded
};

}  // namespace tidegate::engine
