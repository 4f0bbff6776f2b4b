// The file of a lookup table: CSV text to checked rows. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "catalog/table_definition.h"
#include "columnar/batch.h"

namespace tidegate::lookup {

// Tables are in memory, once for all pipelines, and written as a whole when they change.
inline constexpr size_t kMaxFileBytes = 64U << 20;
inline constexpr size_t kMaxRows = 1'000'000;

// The rows in the order of a version (row_bytes.h). All or nothing: TableRefused for a line that cannot be read or does
// not fit, a column that the header lacks, two rows of one key (and one time, if the table has versions), and files
// over the limits. The message names the lines, but not the file.
[[nodiscard]] Result<columnar::Batch> read_table_file(const catalog::TableDefinition& table, std::string_view text);

}  // namespace tidegate::lookup
