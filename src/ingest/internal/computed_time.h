// ComputedTime: the event time of records that do not bring it, from their other columns. One lane's, one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/record_decoder.h"
#include "compute/evaluator.h"

namespace tidegate::ingest {

// A row at a time: what is too far ahead of the clock, or cannot be computed, is a dead letter with the text of its
// record, which is at hand only while that is decoded.
class ComputedTime final : public codec::EventTimeSource {
 public:
  // `expression` is over the columns of the stream, `column` the event time's name.
  ComputedTime(const sql::Expression& expression, std::string column);

  [[nodiscard]] Result<std::optional<int64_t>> time_of(const columnar::BatchBuilder& rows) override;

 private:
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view why) const;

  std::string column_;
  std::string text_;             // of the expression, for people
  std::vector<size_t> columns_;  // of the stream, that it uses
  columnar::Batch row_;          // these columns of the row
  std::unique_ptr<compute::Evaluator> evaluator_;
};

}  // namespace tidegate::ingest
