// The catalog as the SQL binder sees it, with a note of what was looked up and found.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/sql.h"

namespace tidegate::api {

// What a pipeline that is there was made with; of any other `otherwise`.
[[nodiscard]] std::string zone_of(const catalog::Catalog& catalog, std::string_view pipeline,
                                  const std::string& otherwise);

// One thread.
class CatalogNames final : public sql::Names {
 public:
  // `zone`: of the installation (sql::Names::time_zone).
  CatalogNames(const catalog::Catalog& catalog, std::string zone) : catalog_(catalog), zone_(std::move(zone)) {}

  // Shared by the catalog's face.
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    auto found = catalog_.find_stream(name);
    if (found) used_.insert(found->name);
    return found;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    auto found = catalog_.find_view(name);
    if (found) used_.insert(found->name);
    return found;
  }
  [[nodiscard]] catalog::TablePtr find_table(std::string_view name) const override {
    auto found = catalog_.find_table(name);
    if (found) used_.insert(found->name);
    return found;
  }

  [[nodiscard]] std::string time_zone(std::string_view pipeline) const override {
    return zone_of(catalog_, pipeline, zone_);
  }

  // Everything found since the last call.
  [[nodiscard]] std::vector<std::string> take_used() {
    std::vector<std::string> out(used_.begin(), used_.end());
    used_.clear();
    return out;
  }

 private:
  const catalog::Catalog& catalog_;
  std::string zone_;
  mutable std::set<std::string> used_;  // lookups are const in the face
};

// Names as a pipeline sees them that was made before some columns came. One thread.
class NamesAsKnown final : public sql::Names {
 public:
  NamesAsKnown(const sql::Names& names, const catalog::PipelineDefinition& pipeline)
      : names_(names), pipeline_(pipeline) {}
  // Shared as in the catalog.
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return catalog::as_known(names_.find_stream(name), pipeline_.known_columns);
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    return names_.find_view(name);
  }
  [[nodiscard]] catalog::TablePtr find_table(std::string_view name) const override { return names_.find_table(name); }
  [[nodiscard]] std::string time_zone(std::string_view pipeline) const override { return names_.time_zone(pipeline); }

 private:
  const sql::Names& names_;
  const catalog::PipelineDefinition& pipeline_;
};

// The pipeline that is there with this statement, blanks and comments aside, and the name that it would get.
[[nodiscard]] std::optional<catalog::PipelineDefinition> pipeline_of(const catalog::Catalog& catalog,
                                                                     std::string_view text,
                                                                     const sql::ScriptSettings& settings);

}  // namespace tidegate::api
