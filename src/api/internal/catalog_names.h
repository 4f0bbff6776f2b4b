// The catalog as the SQL binder sees it, with a note of what was looked up and found.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/sql.h"

namespace tidegate::api {

// One thread.
class CatalogNames final : public sql::Names {
 public:
  explicit CatalogNames(const catalog::Catalog& catalog) : catalog_(catalog) {}
  // As a pipeline sees it that was made before some columns came.
  CatalogNames(const catalog::Catalog& catalog, const catalog::PipelineDefinition& pipeline)
      : catalog_(catalog), known_columns_(pipeline.known_columns) {}

  // Shared by the catalog's face.
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    auto found = catalog::as_known(catalog_.find_stream(name), known_columns_);
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

  // Everything found since the last call.
  [[nodiscard]] std::vector<std::string> take_used() {
    std::vector<std::string> out(used_.begin(), used_.end());
    used_.clear();
    return out;
  }

 private:
  const catalog::Catalog& catalog_;
  const std::map<std::string, uint32_t> known_columns_;
  mutable std::set<std::string> used_;  // lookups are const in the face
};

}  // namespace tidegate::api
