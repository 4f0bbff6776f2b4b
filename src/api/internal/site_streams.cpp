// SitePlanner: streams of a site's files, and what columns added to them are to pipelines.
#include <fmt/format.h>

#include <algorithm>

#include "api/internal/catalog_names.h"
#include "api/internal/site_planner.h"
#include "base/letter_case.h"

namespace tidegate::api {
namespace {

std::string names_behind(const catalog::StreamDefinition& before, const catalog::StreamDefinition& after) {
  const auto& fields = after.schema->fields;
  std::string names;
  for (size_t at = before.schema->fields.size(); at < fields.size(); ++at) {
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", fields[at].name, columnar::type_name(fields[at].type));
  }
  return names;
}

// What it writes into the columns that came is what they have without it.
bool only_nulls_more(const sql::InsertInto& insert, size_t known) {
  const auto* project = std::get_if<sql::Project>(&insert.plan.root->node);
  if (project == nullptr || project->expressions.size() <= known) return false;
  return std::all_of(project->expressions.begin() + static_cast<ptrdiff_t>(known), project->expressions.end(),
                     [](const sql::Expression& expression) {
                       const auto* literal = std::get_if<sql::Literal>(&expression.node);
                       return literal != nullptr && std::holds_alternative<std::monostate>(*literal);
                     });
}

}  // namespace

Result<> SitePlanner::decide_stream(const Unit& unit, const sql::CreateTable& table) {
  const std::string& name = table.definition.name;
  if (!mentioned_.insert("stream " + to_lower(name)).second) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start, fmt::format("stream '{}' is declared twice", name));
  }
  const auto existing = catalog_.find_stream(name);
  if (!existing) {
    names_.add_stream(table.definition);
    add(unit, "create", "stream", name);
    return {};
  }
  const bool same_text = table.if_not_exists || normal_sql(existing->sql) == normal_sql(table.definition.sql);
  const auto change = same_text ? sql::StreamChange::kNone : sql::compare(*existing, table.definition);
  if (change == sql::StreamChange::kOther &&
      sql::compare(table.definition, *existing) == sql::StreamChange::kAddsColumns) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start,
                   fmt::format("stream '{}' has columns that its file does not declare: {}", name,
                               names_behind(table.definition, *existing)),
                   "Columns do not go again: write them behind the others in the file");
  }
  if (change == sql::StreamChange::kOther) {
    return fail_at(
        ErrorCode::SqlAlreadyExists, unit.text.start,
        fmt::format("stream '{}' is there with another definition, and holds records made for it", name),
        fmt::format("Columns that may be NULL can come behind the others. For anything else give the new one "
                    "another name, or delete the old one and its records first: tidegate stream delete {}",
                    name));
  }
  if (change == sql::StreamChange::kAddsColumns) {
    catalog::StreamDefinition grown = table.definition;
    grown.id = existing->id;
    names_.change_stream(grown);
    grown_[to_lower(name)] = static_cast<uint32_t>(existing->schema->fields.size());
    add(unit, "change", "stream", existing->name);
    steps_.back().change.note = fmt::format("adds {}; devices and pipelines go on", names_behind(*existing, grown));
    return {};
  }
  add(unit, "unchanged", "stream", existing->name);
  return {};
}

catalog::PipelineDefinition SitePlanner::with_known_columns(catalog::PipelineDefinition pipeline) const {
  pipeline.known_columns.insert(grown_.begin(), grown_.end());  // those that it notes already stay
  return pipeline;
}

// With all columns, if the query then goes on with its state; so that `SELECT *` takes a new column where it can. Else
// with those that it knows, as it runs.
Result<std::optional<sql::Statement>> SitePlanner::analyze(Unit& unit) const {
  sql::ScriptSettings settings = unit.settings;
  auto with_all = sql::analyze(unit.text, names_, settings);
  auto present = unit.kind == Kind::kInsert ? pipeline_of(catalog_, unit.text.text, unit.settings) : std::nullopt;
  if (!present) return with_all;
  const catalog::PipelineDefinition pipeline = with_known_columns(std::move(*present));
  if (pipeline.known_columns.empty()) return with_all;
  settings = unit.settings;
  auto as_it_runs = sql::analyze(unit.text, NamesAsKnown(names_, pipeline), settings);
  if (!as_it_runs || !*as_it_runs) return with_all;
  const auto& running = std::get<sql::InsertInto>(**as_it_runs);
  const auto* wanted = with_all && *with_all ? std::get_if<sql::InsertInto>(&**with_all) : nullptr;
  // The same columns come out of a query that names its columns.
  const bool brings_them =
      wanted != nullptr && wanted->plan.root->output->fields.size() > running.plan.root->output->fields.size();
  const bool takes_them = brings_them && state_of(*wanted).same_as(state_of(running)) &&
                          !only_nulls_more(*wanted, running.target->schema->fields.size());
  if (takes_them) return with_all;
  unit.as_known = true;
  return as_it_runs;
}

}  // namespace tidegate::api
