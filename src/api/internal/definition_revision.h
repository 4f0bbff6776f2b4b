// Revisions of streams and pipelines: which definition a change was made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "catalog/definitions.h"

namespace tidegate::api {

// Of what it is and does, not of how it is doing: another one after a change, and after it was made anew.
[[nodiscard]] uint64_t revision_of(const catalog::StreamDefinition& stream);
[[nodiscard]] uint64_t revision_of(const catalog::PipelineDefinition& pipeline);

// PreconditionFailed if another one is expected.
[[nodiscard]] Result<> check_revision(std::optional<uint64_t> expected, uint64_t found, std::string_view kind,
                                      std::string_view name);

}  // namespace tidegate::api
