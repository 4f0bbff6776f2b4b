#include "api/internal/catalog_names.h"

#include "api/site.h"
#include "base/letter_case.h"

namespace tidegate::api {

std::string zone_of(const catalog::Catalog& catalog, std::string_view pipeline, const std::string& otherwise) {
  if (pipeline.empty()) return otherwise;
  const auto found = catalog.find_pipeline(pipeline);
  return found ? found->time_zone : otherwise;
}

std::optional<catalog::PipelineDefinition> pipeline_of(const catalog::Catalog& catalog, std::string_view text,
                                                       const sql::ScriptSettings& settings) {
  const std::string wanted = normal_sql(text);
  const auto is_it = [&](const catalog::PipelineDefinition& pipeline) { return normal_sql(pipeline.sql) == wanted; };
  if (!settings.pipeline_name.empty()) {
    auto named = catalog.find_pipeline(settings.pipeline_name);
    if (named && is_it(*named)) return named;
    return std::nullopt;
  }
  for (auto& pipeline : catalog.pipelines()) {
    if (equal_ignoring_case(pipeline.name, pipeline.target) && is_it(pipeline)) return pipeline;
  }
  return std::nullopt;
}

}  // namespace tidegate::api
