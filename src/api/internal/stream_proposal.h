// A stream proposed from sample messages: its CREATE TABLE, and what would become of the samples.
#pragma once

#include <span>
#include <string>

#include "codec/proposal.h"
#include "codec/sample_preview.h"
#include "sql/sql.h"

namespace tidegate::api {

struct StreamProposal {
  codec::Proposal proposal;
  std::string sql;
  codec::SamplePreview preview;
};

// BadRequest as codec::propose() has it; else the error of planning the statement, which is ours or the name's.
[[nodiscard]] Result<StreamProposal> propose_stream(const std::string& name, std::span<const codec::Sample> samples,
                                                    const sql::Names& names, int64_t now_us);

}  // namespace tidegate::api
