// Names in the catalog: which are taken, and what still uses them.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "catalog/definitions.h"

namespace tidegate::catalog {

struct Documents;

// Where the documents lie in the store.
[[nodiscard]] std::string stream_key(StreamId id);
[[nodiscard]] std::string pipeline_key(PipelineId id);
// SqlAlreadyExists when a stream or view has the name.
[[nodiscard]] Result<> check_relation_is_free(const Documents& documents, std::string_view name);
[[nodiscard]] Result<> check_pipeline_is_free(const Documents& documents, std::string_view name);
// InUse when a pipeline reads or writes it, or a view names it.
[[nodiscard]] Result<> check_unused(const Documents& documents, std::string_view relation);
[[nodiscard]] std::unexpected<Error> no_such(std::string_view kind, std::string_view name);
inline constexpr const char* kSystemOption = "system";  // no option that a statement can set
[[nodiscard]] StreamDefinition dead_letter_stream(std::string name, StreamId id);

}  // namespace tidegate::catalog
