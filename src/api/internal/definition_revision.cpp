#include "api/internal/definition_revision.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace tidegate::api {

uint64_t revision_of(const catalog::StreamDefinition& stream) {
  return hash64(fmt::format("{} {} {}", stream.id.value, stream.schema->fields.size(), stream.sql));
}

uint64_t revision_of(const catalog::PipelineDefinition& pipeline) {
  std::string text = fmt::format("{} {} {}", pipeline.id.value, static_cast<int>(pipeline.wanted), pipeline.sql);
  for (const auto& [stream, columns] : pipeline.known_columns) text += fmt::format(" {} {}", stream, columns);
  return hash64(text);
}

Result<> check_revision(std::optional<uint64_t> expected, uint64_t found, std::string_view kind,
                        std::string_view name) {
  if (!expected || *expected == found) return {};
  return fail(ErrorCode::PreconditionFailed, fmt::format("{} '{}' was changed since it was read", kind, name),
              "read it again, and decide again");
}

}  // namespace tidegate::api
