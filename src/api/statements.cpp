#include "api/statements.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/internal/catalog_names.h"
#include "api/internal/definition_revision.h"
#include "base/logging.h"
#include "engine/late.h"

namespace tidegate::api {
namespace {

std::string_view trim(std::string_view text) {
  static constexpr std::string_view kBlank = " \t\r\n;";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

StatementResult result(std::string action, std::string kind, std::string name) {
  return {.action = std::move(action), .kind = std::move(kind), .name = std::move(name), .names = {}, .text = {}};
}

std::unexpected<Error> exists(std::string_view kind, const std::string& name) {
  return fail(ErrorCode::SqlAlreadyExists, fmt::format("{} '{}' exists with another definition", kind, name),
              fmt::format("Choose another name, or DROP {} first.", name));
}

std::unexpected<Error> missing(std::string_view kind, std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}'", kind, name));
}

void report(std::string_view what, const Result<>& outcome, std::string_view name) {
  if (!outcome) log_error(what, {{"name", name}, {"error", outcome.error().to_string()}});
}

}  // namespace

bool same_statement(std::string_view a, std::string_view b) { return trim(a) == trim(b); }

StatementExecutor::StatementExecutor(StatementParts parts) : parts_(std::move(parts)) {}

Result<> StatementExecutor::restore() {
  const auto one_at_a_time = running_.lock();
  for (const auto& stream : parts_.catalog.streams()) TRY(parts_.log.open_stream(stream));
  for (const auto& stream : parts_.catalog.streams()) {
    TRY(open(stream));
    // A sink whose target went away must not keep the site from starting.
    report("sink_failed", start_sink(stream), stream->name);
  }
  for (const auto& table : parts_.catalog.tables()) {
    // One that cannot be read must not keep the site from starting; its pipelines wait.
    if (parts_.tables != nullptr) report("lookup.restore_failed", parts_.tables->restore(table), table->name);
  }
  for (const auto& pipeline : parts_.catalog.pipelines()) {
    if (pipeline.wanted != catalog::PipelineState::kRunning) continue;
    report("pipeline_failed", launch_from_text(pipeline), pipeline.name);
  }
  return {};
}

// Opens the stream, its dead letters, and the way in that belongs to it.
Result<> StatementExecutor::open(const catalog::Catalog::StreamPtr& stream) {
  TRY(parts_.log.open_stream(stream));
  if (const auto dead_letters = parts_.catalog.find_stream(catalog::dead_letter_name(stream->name))) {
    TRY(parts_.log.open_stream(dead_letters));
    parts_.ingest.add_stream(stream, dead_letters);
    if (parts_.stream_opened) parts_.stream_opened(stream);
  }
  return {};
}

Result<> StatementExecutor::start_sink(const catalog::Catalog::StreamPtr& stream) {
  if (stream->connector == catalog::Connector::kStream || !parts_.start_sink) return {};
  return parts_.start_sink(stream);
}

std::string StatementExecutor::time_zone() const { return parts_.time_zone ? parts_.time_zone() : std::string(); }

ScriptOutcome StatementExecutor::run(std::string_view script) {
  ScriptOutcome outcome;
  const auto one_at_a_time = running_.lock();
  auto statements = sql::split_script(script);
  if (!statements) {
    outcome.error = std::move(statements.error());
    return outcome;
  }
  sql::ScriptSettings settings;
  for (const auto& text : *statements) {
    // Columns that came since may have made another query of its text, or none.
    if (const auto running = pipeline_of(parts_.catalog, text.text, settings)) {
      outcome.results.push_back(result("unchanged", "pipeline", running->name));
      continue;
    }
    CatalogNames names(parts_.catalog, time_zone());
    auto statement = sql::analyze(text, names, settings);
    if (statement && !*statement) continue;
    auto done = statement ? run_one(std::move(**statement), names.take_used())
                          : Result<StatementResult>(std::unexpected(std::move(statement.error())));
    if (!done) {
      outcome.error = std::move(done.error());
      if (!outcome.error->position) outcome.error->position = text.start;
      return outcome;
    }
    outcome.results.push_back(std::move(*done));
  }
  return outcome;
}

Result<StatementResult> StatementExecutor::run_one(sql::Statement statement, std::vector<std::string> reads) {
  if (auto* table = std::get_if<sql::CreateTable>(&statement)) return create(std::move(*table));
  if (auto* lookup = std::get_if<sql::CreateLookupTable>(&statement)) return create(std::move(*lookup));
  if (auto* view = std::get_if<sql::CreateView>(&statement)) return create(std::move(*view));
  if (auto* pipeline = std::get_if<sql::InsertInto>(&statement)) return insert(std::move(*pipeline), std::move(reads));
  if (auto* altered = std::get_if<sql::AlterTable>(&statement)) return alter(std::move(*altered));
  if (const auto* gone = std::get_if<sql::Drop>(&statement)) return drop(*gone);
  if (const auto* list = std::get_if<sql::Show>(&statement)) return show(list->kind);
  if (auto* explained = std::get_if<sql::Explain>(&statement)) {
    StatementResult out = result("explained", "plan", "");
    out.text = std::move(explained->text);
    return out;
  }
  return fail(ErrorCode::SqlUnsupported, "a SELECT alone does not belong into a script",
              "Run it by itself (tidegate sql '...'), or INSERT INTO a stream.");
}

Result<StatementResult> StatementExecutor::create(sql::CreateTable statement) {
  const std::string name = statement.definition.name;
  if (const auto existing = parts_.catalog.find_stream(name)) {
    const auto change = statement.if_not_exists || same_statement(existing->sql, statement.definition.sql)
                            ? sql::StreamChange::kNone
                            : sql::compare(*existing, statement.definition);
    if (change == sql::StreamChange::kNone) return result("unchanged", "stream", existing->name);
    if (change == sql::StreamChange::kOther) return exists("stream", name);
    statement.definition.id = existing->id;
    return alter({std::move(statement.definition), false});
  }
  if (parts_.check_sink) TRY(parts_.check_sink(statement.definition));
  TRY_ASSIGN(const auto stream, parts_.catalog.add_stream(std::move(statement.definition)));
  auto opened = open(stream);
  if (opened) opened = start_sink(stream);
  if (!opened) {
    report("undo_failed", drop_stream_locked(name), name);
    return fail(std::move(opened.error()));
  }
  return result("created", "stream", name);
}

Result<StatementResult> StatementExecutor::create(sql::CreateView statement) {
  const std::string name = statement.definition.name;
  if (const auto existing = parts_.catalog.find_view(name)) {
    if (statement.if_not_exists || same_statement(existing->sql, statement.definition.sql)) {
      return result("unchanged", "view", existing->name);
    }
    return exists("view", name);
  }
  TRY(parts_.catalog.add_view(std::move(statement.definition)));
  return result("created", "view", name);
}

Result<> StatementExecutor::check_target(const catalog::StreamDefinition& target) {
  if (!catalog::is_system_stream(target)) return {};
  return fail(ErrorCode::NotAuthorized, fmt::format("'{}' is a stream of the server's own", target.name),
              "pipelines may read it; let them write into another");
}

Result<StatementResult> StatementExecutor::insert(sql::InsertInto statement, std::vector<std::string> reads) {
  const std::string name = statement.pipeline;
  if (const auto existing = parts_.catalog.find_pipeline(name)) {
    if (same_statement(existing->sql, statement.sql)) return result("unchanged", "pipeline", existing->name);
    return fail(ErrorCode::SqlAlreadyExists, fmt::format("pipeline '{}' exists with another query", name),
                fmt::format("SET 'pipeline.name' = '...' before this INSERT, or DROP PIPELINE {} first.", name));
  }
  TRY(check_target(*statement.target));
  std::erase(reads, statement.target->name);
  catalog::PipelineDefinition definition{.id = {},
                                         .name = name,
                                         .target = statement.target->name,
                                         .sql = statement.sql,
                                         .wanted = catalog::PipelineState::kRunning,
                                         .time_zone = statement.time_zone};
  TRY_ASSIGN(definition,
             parts_.catalog.add_pipeline(std::move(definition), std::move(reads), engine::late_schema(statement.plan)));
  if (auto started = launch(definition, std::move(statement)); !started) {
    report("undo_failed", drop_pipeline_locked(name), name);
    return fail(std::move(started.error()));
  }
  return result("created", "pipeline", name);
}

// `insert` knows the columns of the target that its query gives values to.
Result<> StatementExecutor::launch(const catalog::PipelineDefinition& definition, sql::InsertInto insert) {
  auto late = parts_.catalog.find_stream(catalog::late_name(definition.name));
  if (late) TRY(parts_.log.open_stream(late));
  auto dead_letters = parts_.catalog.find_stream(catalog::dead_letter_name(insert.target->name));
  return parts_.engine.start({.definition = definition,
                              .plan = std::move(insert.plan),
                              .target = std::move(insert.target),
                              .late = std::move(late),
                              .dead_letters = std::move(dead_letters)});
}

Result<> StatementExecutor::launch_from_text(const catalog::PipelineDefinition& definition) {
  const auto attempt = [&]() -> Result<> {
    const CatalogNames names(parts_.catalog, time_zone());
    sql::ScriptSettings settings{.pipeline_name = definition.name};
    TRY_ASSIGN(auto statement, sql::analyze({definition.sql, {}}, NamesAsKnown(names, definition), settings));
    auto* insert = statement ? std::get_if<sql::InsertInto>(&*statement) : nullptr;
    if (insert == nullptr) return fail(ErrorCode::PipelineFailed, "its stored text is not an INSERT");
    return launch(definition, std::move(*insert));
  };
  auto outcome = attempt();
  auto state = state_.lock();
  if (outcome) {
    state->failures.erase(definition.name);
  } else {
    state->failures[definition.name] = outcome.error().to_string();
  }
  return outcome;
}

Result<StatementResult> StatementExecutor::drop(const sql::Drop& statement) {
  switch (statement.kind) {
    case sql::DropKind::kTable:
      if (parts_.catalog.find_table(statement.name)) {
        TRY(drop_table_locked(statement.name));
        return result("dropped", "table", statement.name);
      }
      if (statement.if_exists && !parts_.catalog.find_stream(statement.name)) break;
      TRY(drop_stream_locked(statement.name));
      return result("dropped", "stream", statement.name);
    case sql::DropKind::kView:
      if (statement.if_exists && !parts_.catalog.find_view(statement.name)) break;
      TRY(parts_.catalog.drop_view(statement.name));
      return result("dropped", "view", statement.name);
    case sql::DropKind::kPipeline:
      if (statement.if_exists && !parts_.catalog.find_pipeline(statement.name)) break;
      TRY(drop_pipeline_locked(statement.name));
      return result("dropped", "pipeline", statement.name);
  }
  const bool table = statement.kind == sql::DropKind::kTable;
  return result("unchanged",
                table                                    ? "stream"
                : statement.kind == sql::DropKind::kView ? "view"
                                                         : "pipeline",
                statement.name);
}

StatementResult StatementExecutor::show(sql::ShowKind kind) const {
  StatementResult out = result("listed", "stream", "");
  if (kind == sql::ShowKind::kTables) {
    for (const auto& stream : parts_.catalog.streams()) out.names.push_back(stream->name);
    for (const auto& table : parts_.catalog.tables()) out.names.push_back(table->name);
  } else if (kind == sql::ShowKind::kViews) {
    out.kind = "view";
    for (const auto& view : parts_.catalog.views()) out.names.push_back(view.name);
  } else {
    out.kind = "pipeline";
    for (const auto& pipeline : parts_.catalog.pipelines()) out.names.push_back(pipeline.name);
  }
  std::sort(out.names.begin(), out.names.end());
  return out;
}

Result<sql::Plan> StatementExecutor::plan_select(std::string_view text) const {
  TRY_ASSIGN(const auto statements, sql::split_script(text));
  const CatalogNames names(parts_.catalog, time_zone());
  sql::ScriptSettings settings;
  std::optional<sql::Plan> plan;
  for (const auto& part : statements) {
    TRY_ASSIGN(auto statement, sql::analyze(part, names, settings));
    if (!statement) continue;
    auto* select = std::get_if<sql::Select>(&*statement);
    if (select == nullptr || plan) {
      return fail_at(ErrorCode::SqlUnsupported, part.start, "a query is one SELECT",
                     "Statements that change something are run by tidegate apply.");
    }
    plan = std::move(select->plan);
  }
  if (!plan) return fail(ErrorCode::SqlSyntax, "there is no statement", "Write SELECT ... FROM a stream.");
  return std::move(*plan);
}

Result<sql::Plan> StatementExecutor::plan_live(std::string_view text) const {
  TRY_ASSIGN(sql::Plan plan, plan_select(text));
  if (plan.whole) {
    return fail_at(
        ErrorCode::SqlUnsupported, *plan.whole, "a live query takes no GROUP BY or DISTINCT without a window",
        "Its result would change for ever; use FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '10' "
        "SECOND)) and GROUP BY window_start, window_end. Without --live a SELECT runs over what is stored.");
  }
  if (!plan.ordering) return plan;
  return fail_at(ErrorCode::SqlUnsupported, plan.ordering->position, "a live query takes no ORDER BY and no LIMIT",
                 "It has no end to sort at. Without --live a SELECT runs over what is stored, and ends.");
}

Result<> StatementExecutor::drop_stream(std::string_view name, Expected revision) {
  const auto one_at_a_time = running_.lock();
  const auto stream = parts_.catalog.find_stream(name);
  if (stream != nullptr) TRY(check_revision(revision, revision_of(*stream), "stream", name));
  return drop_stream_locked(name);
}

// The catalog forgets it first: ids are never used again, so what a crash leaves behind is garbage, never wrong.
Result<> StatementExecutor::drop_stream_locked(std::string_view name) {
  const auto stream = parts_.catalog.find_stream(name);
  if (stream == nullptr) return missing("stream", name);
  const auto dead_letters = parts_.catalog.find_stream(catalog::dead_letter_name(stream->name));
  TRY(parts_.catalog.drop_stream(name));
  parts_.ingest.remove_stream(stream->id);
  if (parts_.stream_dropped) parts_.stream_dropped(stream->id);
  if (stream->connector != catalog::Connector::kStream && parts_.stop_sink) parts_.stop_sink(stream->id);
  if (dead_letters) TRY(parts_.log.drop_stream(dead_letters->id));
  return parts_.log.drop_stream(stream->id);
}

Result<> StatementExecutor::check_pipeline(std::string_view name, Expected revision) const {
  const auto pipeline = parts_.catalog.find_pipeline(name);
  if (!pipeline) return missing("pipeline", name);
  return check_revision(revision, revision_of(*pipeline), "pipeline", name);
}

Result<> StatementExecutor::drop_pipeline(std::string_view name, Expected revision) {
  const auto one_at_a_time = running_.lock();
  TRY(check_pipeline(name, revision));
  return drop_pipeline_locked(name);
}

Result<> StatementExecutor::drop_pipeline_locked(std::string_view name) {
  const auto pipeline = parts_.catalog.find_pipeline(name);
  if (!pipeline) return missing("pipeline", name);
  const auto late = parts_.catalog.find_stream(catalog::late_name(pipeline->name));
  TRY(parts_.catalog.drop_pipeline(name));
  state_.lock()->failures.erase(pipeline->name);
  // One that failed or was stopped is not known to the engine.
  if (auto stopped = parts_.engine.stop(pipeline->id); !stopped && stopped.error().code != ErrorCode::NotFound) {
    report("stop_failed", stopped, name);
  }
  if (late) TRY(parts_.log.drop_stream(late->id));
  return parts_.log.drop_state(pipeline->id);
}

Result<> StatementExecutor::start_pipeline(std::string_view name, Expected revision) {
  const auto one_at_a_time = running_.lock();
  TRY(check_pipeline(name, revision));
  const auto pipeline = parts_.catalog.find_pipeline(name);
  if (!pipeline) return missing("pipeline", name);
  for (const auto& status : parts_.engine.status()) {
    if (status.id != pipeline->id) continue;
    if (status.state == catalog::PipelineState::kRunning) return {};
    report("stop_failed", parts_.engine.stop(pipeline->id), name);  // a failed one is still known to the engine
  }
  TRY(parts_.catalog.set_pipeline_wanted(name, catalog::PipelineState::kRunning));
  return launch_from_text(*pipeline);
}

Result<> StatementExecutor::stop_pipeline(std::string_view name, Expected revision) {
  const auto one_at_a_time = running_.lock();
  TRY(check_pipeline(name, revision));
  const auto pipeline = parts_.catalog.find_pipeline(name);
  if (!pipeline) return missing("pipeline", name);
  TRY(parts_.catalog.set_pipeline_wanted(name, catalog::PipelineState::kStopped));
  state_.lock()->failures.erase(pipeline->name);
  auto stopped = parts_.engine.stop(pipeline->id);
  if (!stopped && stopped.error().code == ErrorCode::NotFound) return {};
  return stopped;
}

std::map<std::string, std::string> StatementExecutor::failures() const { return state_.lock()->failures; }

}  // namespace tidegate::api
