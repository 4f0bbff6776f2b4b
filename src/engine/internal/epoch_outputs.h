// What an epoch has brought forth, as the log takes it.
#pragma once

#include <vector>

#include "catalog/definitions.h"
#include "columnar/batch.h"
#include "columnar/string_pool.h"
#include "log/log.h"

namespace tidegate::engine {

// A closing of many windows gives more rows at once than the log takes in one batch (64 MB), and than a reader wants to
// have decoded at once.
inline constexpr size_t kMaxOutputBatchBytes = 8U << 20;

// `batch` as rows of `stream`: its schema, and its device column encoded as all batches of streams are.
[[nodiscard]] columnar::Batch as_rows_of(const catalog::StreamDefinition& stream, columnar::Batch batch,
                                         columnar::StringPool& devices);
// Adds rows of a stream to the epoch, in parts of at most about `max_bytes` if they have more.
void add_rows(StreamId stream, columnar::Batch rows, log::EpochCommit& epoch, size_t max_bytes = kMaxOutputBatchBytes);

}  // namespace tidegate::engine
