// SitePlanner: orders the statements of a site's files by what they need, and compares them with the catalog.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/internal/catalog_names.h"
#include "api/site.h"
#include "catalog/catalog.h"
#include "sql/sql.h"

namespace tidegate::api {

struct SiteStep {
  SiteChange change;
  size_t file = 0;
  sql::StatementText text{};
  sql::ScriptSettings settings{};
  bool keeps_state = true;              // of a changed pipeline
  bool keeps_position = true;           // it reads on where it is; implied by the state
  std::vector<StreamId> restarts = {};  // of a pipeline that starts anew: the streams that it reads; 0: not there yet
  bool as_known = false;                // of a pipeline: it does not get the columns that came after it
};

// The catalog with what the files declare on top of it. One thread.
class SiteNames final : public sql::Names {
 public:
  SiteNames(const catalog::Catalog& catalog, std::string zone) : catalog_(catalog), zone_(std::move(zone)) {}
  // Shared as in the catalog.
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override;
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override;

  [[nodiscard]] catalog::TablePtr find_table(std::string_view name) const override;
  [[nodiscard]] std::string time_zone(std::string_view pipeline) const override {
    return zone_of(catalog_, pipeline, zone_);
  }

  void expect_view(std::string_view name);  // it is declared and not bound yet: not to be found
  void add_stream(const catalog::StreamDefinition& definition);
  void change_stream(const catalog::StreamDefinition& definition);  // one that is there
  void add_table(const catalog::TableDefinition& definition);
  void add_view(catalog::ViewDefinition definition);
  void add_late(const std::string& pipeline, columnar::SchemaPtr schema);

 private:
  const catalog::Catalog& catalog_;
  std::string zone_;
  std::map<std::string, std::shared_ptr<const catalog::StreamDefinition>> streams_;
  std::map<std::string, catalog::TablePtr> tables_;
  std::map<std::string, catalog::ViewDefinition> views_;
  std::set<std::string> expected_;
};

// What a plan's stored state hangs on: equal for two plans if the second may go on from the first one's.
struct PlanState {
  std::vector<std::string> operators;  // ids of those that keep state
  std::vector<uint32_t> streams;       // that it reads
  std::string target;
  columnar::SchemaPtr late;
  [[nodiscard]] bool same_as(const PlanState& other) const;
  // The second may read on where the first one is.
  [[nodiscard]] bool same_places_as(const PlanState& other) const;
};
[[nodiscard]] PlanState state_of(const sql::InsertInto& insert);

// One use; one thread.
class SitePlanner {
 public:
  // `zone`: of the installation.
  SitePlanner(const catalog::Catalog& catalog, const std::vector<SiteFile>& files, SiteOptions options,
              std::string zone)
      : catalog_(catalog), files_(files), options_(options), names_(catalog, std::move(zone)) {}

  // In the order in which they can be done; what stays as it is, too. Nothing is changed.
  [[nodiscard]] Result<std::vector<SiteStep>> plan();
  [[nodiscard]] const std::string& file_of_error() const { return file_of_error_; }

 private:
  enum class Kind : uint8_t { kTable, kView, kInsert };
  struct Unit {
    Kind kind;
    size_t file;
    sql::StatementText text;
    sql::ScriptSettings settings;
    bool as_known = false;  // see SiteStep
  };

  Result<> read_units();
  Result<> take_all(Kind kind);
  // As sql::analyze(); a pipeline that is there and whose columns came later goes on without them if it has to.
  Result<std::optional<sql::Statement>> analyze(Unit& unit) const;
  [[nodiscard]] catalog::PipelineDefinition with_known_columns(catalog::PipelineDefinition pipeline) const;
  Result<> decide(const Unit& unit, sql::Statement statement);
  Result<> decide_stream(const Unit& unit, const sql::CreateTable& table);
  Result<> decide_table(const Unit& unit, const sql::CreateLookupTable& table);
  Result<> decide_view(const Unit& unit, const sql::CreateView& view);
  Result<> decide_pipeline(const Unit& unit, const sql::InsertInto& insert);
  Result<> follow_views();
  void prune();
  void add(const Unit& unit, std::string action, std::string kind, std::string name);

  const catalog::Catalog& catalog_;
  const std::vector<SiteFile>& files_;
  const SiteOptions options_;
  SiteNames names_;
  std::vector<Unit> units_;
  std::vector<SiteStep> steps_;
  std::map<std::string, uint32_t> grown_;  // streams that get columns: how many they have now, by name in lower case
  std::set<std::string> mentioned_;        // "kind name" in lower case
  bool views_changed_ = false;
  std::string file_of_error_;
};

}  // namespace tidegate::api
