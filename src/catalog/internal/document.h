// The catalog's documents as bytes (docs/formats/catalog.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "catalog/table_definition.h"

namespace tidegate::catalog {

// A pipeline and what it reads, by the names of streams and views.
struct PipelineDocument {
  PipelineDefinition definition;
  std::vector<std::string> reads;
};

[[nodiscard]] std::string encode(const StreamDefinition& stream);
[[nodiscard]] std::string encode(const ViewDefinition& view);
[[nodiscard]] std::string encode(const PipelineDocument& pipeline);
[[nodiscard]] std::string encode(const TableDefinition& table);

// FormatUnknown when the bytes are of another version or not such a document.
[[nodiscard]] Result<StreamDefinition> decode_stream(std::string_view bytes);
[[nodiscard]] Result<ViewDefinition> decode_view(std::string_view bytes);
[[nodiscard]] Result<PipelineDocument> decode_pipeline(std::string_view bytes);
[[nodiscard]] Result<TableDefinition> decode_table(std::string_view bytes);

}  // namespace tidegate::catalog
