// The versions of lookup tables that a pipeline's epochs used: an epoch that may be run again must find the rows that
// it found the first time, whatever the table holds by then. So the pipeline keeps a copy of every version that an
// epoch record names, written together with the first such record, until a snapshot makes all of them superfluous. A
// pipeline without state has no records, and keeps nothing.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/internal/epoch_record.h"
#include "log/log.h"
#include "lookup/table_version.h"

namespace tidegate::engine {

// The coordinator's thread.
class PipelineTables {
 public:
  using Versions = std::vector<lookup::TableVersionPtr>;  // by GraphPlan::tables()

  // `tables` and what is behind `reader` (null: no tables at all) must outlive it.
  PipelineTables(const std::vector<catalog::TablePtr>& tables, const lookup::TableReader* reader, log::Log& log,
                 PipelineId pipeline)
      : tables_(tables), reader_(reader), log_(log), pipeline_(pipeline) {}

  // The newest of each. TableRefused, with the table's name, if one has never held anything.
  [[nodiscard]] Result<Versions> newest() const;

  // An epoch that is stored by a record: names the versions in it, and adds those that are not kept yet to `commit`.
  void record(const Versions& versions, EpochRecord& epoch, log::EpochCommit& commit);
  // An epoch that is stored by a snapshot: adds to `commit` that all but these versions go.
  void forget_others(const Versions& versions, log::EpochCommit& commit);

  // Finds out what is kept. Before what follows.
  [[nodiscard]] Result<> restore();
  // The versions that a stored epoch used; of tables that it does not name, the newest. StateIncompatible if one is not
  // there or cannot be read.
  [[nodiscard]] Result<Versions> of_epoch(const EpochRecord& epoch);
  // After the last of_epoch().
  void restored() { loaded_.clear(); }

 private:
  static constexpr size_t kPageBytes = 256U << 10;  // as the pages of state: sealed and read as a whole

  struct Kept {
    TableUse use;
    size_t pages = 0;
  };
  [[nodiscard]] static std::string key_of(const TableUse& use, size_t page);
  void put(const TableUse& use, const lookup::TableVersion& version, log::EpochCommit& commit);
  [[nodiscard]] Result<lookup::TableVersionPtr> load(const catalog::TableDefinition& table, const TableUse& use);

  const std::vector<catalog::TablePtr>& tables_;
  const lookup::TableReader* reader_;
  log::Log& log_;
  const PipelineId pipeline_;
  std::vector<Kept> kept_;
  std::vector<lookup::TableVersionPtr> loaded_;  // of epochs that are run again, by table: often the same once more
};

}  // namespace tidegate::engine
