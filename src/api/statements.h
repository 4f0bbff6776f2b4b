// Runs SQL scripts against the running platform: what they declare exists and runs when they return.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/site.h"
#include "base/error.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "log/log.h"
#include "lookup/tables.h"
#include "sql/sql.h"

namespace tidegate::api {

struct SiteStep;  // internal/site_planner.h

struct StatementResult {
  std::string action;              // "created", "altered", "unchanged", "dropped", "listed", "explained"
  std::string kind;                // "stream", "table", "view", "pipeline", "plan"
  std::string name;                // empty for lists and plans
  std::vector<std::string> names;  // "listed"
  std::string text;                // "explained"
};

// What ran before the first error, and that error.
struct ScriptOutcome {
  std::vector<StatementResult> results;
  std::optional<Error> error;  // its position counts from the script's start
};

struct StatementParts {
  catalog::Catalog& catalog;
  log::Log& log;
  ingest::Ingest& ingest;
  engine::Engine& engine;
  lookup::Tables* tables = nullptr;  // null: no lookup tables
  // A stream with a connector that carries its records out was opened or got columns, or is about to be dropped. May be
  // empty.
  std::function<Result<>(catalog::Catalog::StreamPtr)> start_sink{};
  // Whether a table about to be made can be one (its options, and where it would send to). May be empty.
  std::function<Result<>(const catalog::StreamDefinition&)> check_sink{};
  std::function<void(StreamId)> stop_sink{};
  // A stream that takes records from outside was opened or got columns, or is about to be dropped. May be empty.
  std::function<void(catalog::Catalog::StreamPtr)> stream_opened{};
  std::function<void(StreamId)> stream_dropped{};
  // The installation's time zone, by which days, months and shifts of new queries go (sql::Names::time_zone). May be
  // empty: UTC.
  std::function<std::string()> time_zone{};
};

// One script, drop or start at a time (a lock); any thread, but not a network thread: it waits for the disk.
// A statement has its whole effect or none. A definition that exists with the same text is left as it is; one with
// another text is SqlAlreadyExists, unless it is a stream that only gets columns.
class StatementExecutor {
 public:
  explicit StatementExecutor(StatementParts parts);

  // Once, before anything else: opens all streams and starts all pipelines that are wanted. A pipeline that cannot
  // start is marked failed (failures()) and the others go on; the error is one of opening a stream.
  [[nodiscard]] Result<> restore();

  [[nodiscard]] ScriptOutcome run(std::string_view script);

  // Makes what there is equal to what the files say, or says what that would change (dry_run). Nothing is done if the
  // files as a whole cannot be applied; an error on the way leaves what was done before it.
  [[nodiscard]] SiteOutcome apply_site(const std::vector<SiteFile>& files, const SiteOptions& options);

  // The statement must be one SELECT; for live queries without ORDER BY and LIMIT. Any thread; does not wait for a
  // script under way.
  [[nodiscard]] Result<sql::Plan> plan_select(std::string_view text) const;
  [[nodiscard]] Result<sql::Plan> plan_live(std::string_view text) const;

  // PreconditionFailed if the definition is not of the revision that is expected (internal/definition_revision.h).
  using Expected = std::optional<uint64_t>;
  [[nodiscard]] Result<> drop_stream(std::string_view name, Expected revision = {});
  [[nodiscard]] Result<> drop_table(std::string_view name);
  [[nodiscard]] Result<> drop_pipeline(std::string_view name, Expected revision = {});
  [[nodiscard]] Result<> start_pipeline(std::string_view name, Expected revision = {});
  [[nodiscard]] Result<> stop_pipeline(std::string_view name, Expected revision = {});
  // It begins anew, without state, where `options` say (not RestartFrom::kCurrent), or would; what that means is said.
  [[nodiscard]] Result<std::string> restart(std::string_view name, const SiteOptions& options, Expected revision = {});

  // Pipelines that are wanted and could not be started, by name, with the reason.
  [[nodiscard]] std::map<std::string, std::string> failures() const;

 private:
  [[nodiscard]] std::string time_zone() const;
  Result<> take_step(const SiteStep& step, const SiteOptions& options);
  Result<> restart_pipeline(catalog::PipelineDefinition anew, std::vector<std::string> reads, columnar::SchemaPtr late);
  Result<> replace_pipeline(const std::string& name, sql::InsertInto insert, std::vector<std::string> reads,
                            bool as_known);
  Result<StatementResult> run_one(sql::Statement statement, std::vector<std::string> reads);
  Result<StatementResult> create(sql::CreateTable statement);
  Result<StatementResult> create(sql::CreateLookupTable statement);
  Result<StatementResult> create(sql::CreateView statement);
  Result<StatementResult> insert(sql::InsertInto statement, std::vector<std::string> reads);
  static Result<> check_target(const catalog::StreamDefinition& target);
  Result<StatementResult> alter(sql::AlterTable statement);  // alter.cpp
  Result<> add_columns(catalog::StreamDefinition definition);
  Result<StatementResult> drop(const sql::Drop& statement);
  [[nodiscard]] StatementResult show(sql::ShowKind kind) const;
  Result<> open(const catalog::Catalog::StreamPtr& stream);
  Result<> start_sink(const catalog::Catalog::StreamPtr& stream);
  Result<> launch(const catalog::PipelineDefinition& definition, sql::InsertInto insert);
  Result<> launch_from_text(const catalog::PipelineDefinition& definition);
  Result<> drop_stream_locked(std::string_view name);
  Result<> drop_table_locked(std::string_view name);
  Result<> drop_pipeline_locked(std::string_view name);
  Result<> check_pipeline(std::string_view name, Expected revision) const;

  StatementParts parts_;
  struct State {
    std::map<std::string, std::string> failures;
  };
  Guarded<bool> running_;  // its lock orders the changes
  Guarded<State> state_;
};

// Whether two texts of a statement are the same but for blanks and semicolons around them.
[[nodiscard]] bool same_statement(std::string_view a, std::string_view b);

}  // namespace tidegate::api
