#include "api/site.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/internal/catalog_names.h"
#include "api/internal/log_moment.h"
#include "api/internal/site_planner.h"
#include "api/internal/site_restart.h"
#include "api/statements.h"
#include "base/logging.h"
#include "engine/late.h"

namespace tidegate::api {

SiteOutcome StatementExecutor::apply_site(const std::vector<SiteFile>& files, const SiteOptions& options) {
  SiteOutcome outcome;
  const auto one_at_a_time = running_.lock();
  SitePlanner planner(parts_.catalog, files, options, time_zone());
  auto steps = planner.plan();
  if (!steps) {
    outcome.error = std::move(steps.error());
    outcome.error_file = planner.file_of_error();
    return outcome;
  }
  for (SiteStep& step : *steps) {
    if (!step.restarts.empty()) {
      auto note = restart_note(parts_.catalog, parts_.log, step.restarts, options);
      step.change.note = note ? std::move(*note) : note.error().to_string();
    }
    if (auto done = options.dry_run ? Result<>() : take_step(step, options); !done) {
      outcome.error = std::move(done.error());
      if (step.file < files.size() && !step.text.text.empty()) {
        outcome.error_file = files[step.file].name;
        if (!outcome.error->position) outcome.error->position = step.text.start;
      }
      return outcome;
    }
    outcome.changes.push_back(step.change);
  }
  return outcome;
}

Result<> StatementExecutor::take_step(const SiteStep& step, const SiteOptions& options) {
  const SiteChange& change = step.change;
  if (change.action == "unchanged") return {};
  if (change.action == "delete") {
    if (change.kind == "stream") return drop_stream_locked(change.name);
    if (change.kind == "table") return drop_table_locked(change.name);
    return change.kind == "view" ? parts_.catalog.drop_view(change.name) : drop_pipeline_locked(change.name);
  }
  CatalogNames names(parts_.catalog, time_zone());
  const auto present = step.as_known ? parts_.catalog.find_pipeline(change.name) : std::nullopt;
  const catalog::PipelineDefinition knowing = present.value_or(catalog::PipelineDefinition{});
  sql::ScriptSettings settings = step.settings;
  TRY_ASSIGN(auto statement, sql::analyze(step.text, NamesAsKnown(names, knowing), settings));
  if (!statement) return fail(ErrorCode::Bug, "a planned statement without meaning");
  if (change.action == "change") {
    if (auto* table = std::get_if<sql::CreateTable>(&*statement)) {
      const auto stream = parts_.catalog.find_stream(change.name);
      if (stream == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no stream '{}'", change.name));
      table->definition.id = stream->id;
      return add_columns(std::move(table->definition));
    }
    if (auto* view = std::get_if<sql::CreateView>(&*statement)) {
      return parts_.catalog.replace_view(std::move(view->definition));
    }
    if (step.keeps_position) {
      return replace_pipeline(change.name, std::get<sql::InsertInto>(std::move(*statement)), names.take_used(),
                              step.as_known);
    }
    auto& insert = std::get<sql::InsertInto>(*statement);
    TRY(check_target(*insert.target));
    TRY_ASSIGN(auto starts, restart_starts(parts_.log, streams_of(insert.plan), options));
    catalog::PipelineDefinition anew = knowing;
    if (!step.as_known) anew.known_columns.clear();
    anew.name = change.name;
    anew.target = insert.target->name;
    anew.sql = insert.sql;
    anew.time_zone = insert.time_zone;
    anew.starts = std::move(starts);
    return restart_pipeline(std::move(anew), names.take_used(), engine::late_schema(insert.plan));
  }
  TRY(run_one(std::move(*statement), names.take_used()));
  return {};
}

// Under its id and so with its position, and with its state if the engine finds it to be of the same operators. One
// that was stopped stays so.
Result<> StatementExecutor::replace_pipeline(const std::string& name, sql::InsertInto insert,
                                             std::vector<std::string> reads, bool as_known) {
  std::erase(reads, insert.target->name);
  TRY_ASSIGN(const auto definition,
             parts_.catalog.replace_pipeline(name, std::move(insert.sql), std::move(reads), as_known));
  if (auto stopped = parts_.engine.stop(definition.id); !stopped && stopped.error().code != ErrorCode::NotFound) {
    return stopped;
  }
  if (definition.wanted != catalog::PipelineState::kRunning) return {};
  return launch_from_text(definition);
}

Result<std::string> StatementExecutor::restart(std::string_view name, const SiteOptions& options, Expected revision) {
  const auto one_at_a_time = running_.lock();
  TRY(check_pipeline(name, revision));
  catalog::PipelineDefinition anew = *parts_.catalog.find_pipeline(name);
  CatalogNames names(parts_.catalog, time_zone());
  sql::ScriptSettings settings{.pipeline_name = anew.name};
  TRY_ASSIGN(const auto statement, sql::analyze({anew.sql, {}}, NamesAsKnown(names, anew), settings));
  const auto* insert = statement ? std::get_if<sql::InsertInto>(&*statement) : nullptr;
  if (insert == nullptr) return fail(ErrorCode::PipelineFailed, "its stored text is not an INSERT");
  const std::vector<StreamId> streams = streams_of(insert->plan);
  TRY_ASSIGN(std::string note, restart_note(parts_.catalog, parts_.log, streams, options));
  if (options.dry_run) return note;
  TRY_ASSIGN(anew.starts, restart_starts(parts_.log, streams, options));
  TRY(restart_pipeline(std::move(anew), names.take_used(), engine::late_schema(insert->plan)));
  return note;
}

// Under another id: what is left of the old one by a crash is garbage, never wrong.
Result<> StatementExecutor::restart_pipeline(catalog::PipelineDefinition anew, std::vector<std::string> reads,
                                             columnar::SchemaPtr late) {
  const auto before = parts_.catalog.find_pipeline(anew.name);
  if (!before) return fail(ErrorCode::NotFound, fmt::format("there is no pipeline '{}'", anew.name));
  const std::string late_name = catalog::late_name(before->name);
  const auto late_before = parts_.catalog.find_stream(late_name);
  std::erase(reads, anew.target);
  TRY_ASSIGN(const auto definition,
             parts_.catalog.restart_pipeline(std::move(anew), std::move(reads), std::move(late)));
  state_.lock()->failures.erase(definition.name);
  if (auto stopped = parts_.engine.stop(before->id); !stopped && stopped.error().code != ErrorCode::NotFound) {
    log_error("stop_failed", {{"name", definition.name}, {"error", stopped.error().to_string()}});
  }
  const auto late_now = parts_.catalog.find_stream(late_name);
  if (late_before && (!late_now || late_now->id != late_before->id)) TRY(parts_.log.drop_stream(late_before->id));
  TRY(parts_.log.drop_state(before->id));
  if (definition.wanted != catalog::PipelineState::kRunning) return {};
  return launch_from_text(definition);
}

}  // namespace tidegate::api
