// OutputCheck: the rows of a pipeline on their way into its target, as the target's rules of values have them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "codec/value_check.h"
#include "columnar/batch.h"
#include "columnar/string_pool.h"
#include "log/log.h"

namespace tidegate::engine {

// A function of the rows and the time alone. They are checked where an epoch is committed, not where it is run again
// after a restart: what came out of it then is in the log already, dead letters among it.
class OutputCheck {
 public:
  using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // shared as a PipelineSpec shares it

  // `target` as the pipeline knows it; null targets and those without rules are not checked. BadRequest: it has rules,
  // and there is no stream for what does not fit.
  [[nodiscard]] static Result<OutputCheck> create(StreamPtr target, StreamPtr dead_letters, std::string pipeline);

  // Adds rows of the target to the epoch, and what does not fit as dead letters of that time (microseconds). How many
  // rows of them fit.
  size_t add(columnar::Batch rows, int64_t clock_us, columnar::StringPool& devices, log::EpochCommit& epoch);
  // Rows that did not fit, since the start.
  [[nodiscard]] uint64_t misfits() const { return misfits_; }

 private:
  [[nodiscard]] columnar::Batch dead_letters_of(const columnar::Batch& rows,
                                                const std::vector<codec::MisfitRow>& misfits, int64_t clock_us,
                                                columnar::StringPool& devices) const;

  StreamPtr target_;
  StreamPtr dead_letters_;
  std::string pipeline_;
  codec::ValueRulesPtr rules_;  // null: rows are not checked
  uint64_t misfits_ = 0;
};

}  // namespace tidegate::engine
