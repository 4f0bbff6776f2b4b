#include "api/internal/site_planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/internal/catalog_names.h"
#include "api/internal/log_moment.h"
#include "base/letter_case.h"
#include "engine/late.h"

namespace tidegate::api {
namespace {

// The first words of a statement in lower case, quotes of names removed.
std::vector<std::string> first_words(std::string_view sql, size_t count) {
  std::vector<std::string> words;
  const std::string text = normal_sql(sql);
  for (size_t at = 0; at < text.size() && words.size() < count;) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const bool quoted = text[at] == '`';
    const size_t end = quoted ? text.find('`', at + 1) : text.find_first_of(" (;`", at);
    const size_t stop = std::min(end, text.size());
    words.push_back(to_lower(text.substr(at + (quoted ? 1 : 0), stop - at - (quoted ? 1 : 0))));
    if (words.back().empty()) break;
    at = stop + (quoted ? 1 : 0);
  }
  return words;
}

void collect(const sql::PlanNode& node, PlanState& out) {
  if (const auto* scan = std::get_if<sql::Scan>(&node.node)) {
    out.streams.push_back(scan->stream->id.value);
  } else if (!std::holds_alternative<sql::Filter>(node.node) && !std::holds_alternative<sql::Project>(node.node) &&
             !std::holds_alternative<sql::UnionAll>(node.node) && !std::holds_alternative<sql::LookupJoin>(node.node) &&
             !std::holds_alternative<sql::Unnest>(node.node)) {
    out.operators.push_back(node.operator_id);
  }
  for (const auto& input : node.inputs) collect(*input, out);
}

}  // namespace

std::string normal_sql(std::string_view sql) {
  std::string out;
  const auto blank = [&] {
    if (!out.empty() && out.back() != ' ') out += ' ';
  };
  for (size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    if (sql.substr(at).starts_with("--")) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at).starts_with("/*")) {
      const size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
      blank();
    } else if (c == '\'' || c == '`') {
      const size_t end = std::min(sql.find(c, at + 1), sql.size() - 1);
      out += sql.substr(at, end - at + 1);
      at = end + 1;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      blank();
      ++at;
    } else {
      out += c;
      ++at;
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ';')) out.pop_back();
  return out;
}

std::shared_ptr<const catalog::StreamDefinition> SiteNames::find_stream(std::string_view name) const {
  const auto found = streams_.find(to_lower(name));
  return found != streams_.end() ? found->second : catalog_.find_stream(name);
}

std::optional<catalog::ViewDefinition> SiteNames::find_view(std::string_view name) const {
  const std::string key = to_lower(name);
  if (expected_.contains(key)) return std::nullopt;
  const auto found = views_.find(key);
  return found != views_.end() ? found->second : catalog_.find_view(name);
}

catalog::TablePtr SiteNames::find_table(std::string_view name) const {
  const auto found = tables_.find(to_lower(name));
  return found != tables_.end() ? found->second : catalog_.find_table(name);
}

void SiteNames::add_table(const catalog::TableDefinition& definition) {
  tables_[to_lower(definition.name)] = std::make_shared<const catalog::TableDefinition>(definition);
}

void SiteNames::expect_view(std::string_view name) { expected_.insert(to_lower(name)); }

void SiteNames::add_stream(const catalog::StreamDefinition& definition) {
  streams_[to_lower(definition.name)] = std::make_shared<const catalog::StreamDefinition>(definition);
  catalog::StreamDefinition dead;
  dead.name = catalog::dead_letter_name(definition.name);
  dead.schema = catalog::dead_letter_schema();
  dead.device_column = 1;
  const std::string key = to_lower(dead.name);
  streams_[key] = std::make_shared<const catalog::StreamDefinition>(std::move(dead));
}

void SiteNames::change_stream(const catalog::StreamDefinition& definition) {
  streams_[to_lower(definition.name)] = std::make_shared<const catalog::StreamDefinition>(definition);
}

void SiteNames::add_view(catalog::ViewDefinition definition) {
  const std::string key = to_lower(definition.name);
  expected_.erase(key);
  views_[key] = std::move(definition);
}

void SiteNames::add_late(const std::string& pipeline, columnar::SchemaPtr schema) {
  if (!schema) return;
  catalog::StreamDefinition late;
  late.name = catalog::late_name(pipeline);
  late.schema = std::move(schema);
  const std::string key = to_lower(late.name);
  streams_[key] = std::make_shared<const catalog::StreamDefinition>(std::move(late));
}

bool PlanState::same_places_as(const PlanState& other) const {
  const bool same_late = late == other.late || (late && other.late && *late == *other.late);
  return streams == other.streams && target == other.target && same_late;
}

bool PlanState::same_as(const PlanState& other) const { return operators == other.operators && same_places_as(other); }

PlanState state_of(const sql::InsertInto& insert) {
  PlanState out;
  collect(*insert.plan.root, out);
  out.target = to_lower(insert.target->name);
  out.late = engine::late_schema(insert.plan);
  return out;
}

Result<std::vector<SiteStep>> SitePlanner::plan() {
  TRY(read_units());
  TRY(take_all(Kind::kTable));
  TRY(take_all(Kind::kView));
  TRY(take_all(Kind::kInsert));
  file_of_error_.clear();
  TRY(follow_views());
  if (options_.prune) prune();
  return std::move(steps_);
}

Result<> SitePlanner::read_units() {
  for (size_t file = 0; file < files_.size(); ++file) {
    file_of_error_ = files_[file].name;
    TRY_ASSIGN(auto statements, sql::split_script(files_[file].sql));
    sql::ScriptSettings settings;
    for (sql::StatementText& text : statements) {
      const std::vector<std::string> words = first_words(text.text, 6);
      if (words.empty()) continue;
      if (words[0] == "set") {
        TRY(sql::analyze(text, names_, settings));
        continue;
      }
      const bool create = words[0] == "create" && words.size() > 2;
      if (create && words[1] == "view") {
        const bool if_not_exists = words[2] == "if" && words.size() > 5;
        names_.expect_view(words[if_not_exists ? 5 : 2]);
        units_.push_back({Kind::kView, file, std::move(text), settings});
      } else if (create && words[1] == "table") {
        units_.push_back({Kind::kTable, file, std::move(text), settings});
      } else if (words[0] == "insert") {
        units_.push_back({Kind::kInsert, file, std::move(text), settings});
      } else {
        return fail_at(ErrorCode::SqlUnsupported, text.start,
                       "only CREATE TABLE, CREATE VIEW, INSERT INTO and SET belong into the files of a site",
                       "they say what there is to be; run other statements with tidegate sql");
      }
    }
  }
  return {};
}

// Again and again, as long as one of those that waited for a name finds it.
Result<> SitePlanner::take_all(Kind kind) {
  std::vector<Unit> waiting;
  for (Unit& unit : units_) {
    if (unit.kind == kind) waiting.push_back(unit);
  }
  while (!waiting.empty()) {
    std::vector<Unit> still;
    std::optional<Error> first_error;
    std::string first_file;
    for (Unit& unit : waiting) {
      auto statement = analyze(unit);
      file_of_error_ = files_[unit.file].name;
      if (statement && *statement) {
        TRY(decide(unit, std::move(**statement)));
        continue;
      }
      if (statement || statement.error().code != ErrorCode::SqlUnknownStream) {
        return fail(statement ? Error{ErrorCode::Bug, "a statement without meaning", "", unit.text.start}
                              : std::move(statement.error()));
      }
      if (!first_error) first_file = file_of_error_;
      if (!first_error) first_error = std::move(statement.error());
      still.push_back(std::move(unit));
    }
    if (still.size() == waiting.size()) {
      file_of_error_ = first_file;
      return fail(std::move(*first_error));
    }
    waiting = std::move(still);
  }
  return {};
}

Result<> SitePlanner::decide(const Unit& unit, sql::Statement statement) {
  if (const auto* table = std::get_if<sql::CreateTable>(&statement)) return decide_stream(unit, *table);
  if (const auto* lookup = std::get_if<sql::CreateLookupTable>(&statement)) return decide_table(unit, *lookup);
  if (auto* view = std::get_if<sql::CreateView>(&statement)) return decide_view(unit, *view);
  if (const auto* insert = std::get_if<sql::InsertInto>(&statement)) return decide_pipeline(unit, *insert);
  return fail_at(ErrorCode::SqlUnsupported, unit.text.start, "this statement does not belong into a site's files");
}

void SitePlanner::add(const Unit& unit, std::string action, std::string kind, std::string name) {
  steps_.push_back({{std::move(action), std::move(kind), std::move(name), {}}, unit.file, unit.text, unit.settings});
  steps_.back().as_known = unit.as_known;
}

Result<> SitePlanner::decide_table(const Unit& unit, const sql::CreateLookupTable& table) {
  const std::string& name = table.definition.name;
  if (!mentioned_.insert("table " + to_lower(name)).second) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start,
                   fmt::format("lookup table '{}' is declared twice", name));
  }
  const auto existing = catalog_.find_table(name);
  if (!existing) names_.add_table(table.definition);
  const bool same = existing && (table.if_not_exists || normal_sql(existing->sql) == normal_sql(table.definition.sql));
  if (existing && !same) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start,
                   fmt::format("lookup table '{}' is there with another definition", name),
                   fmt::format("Give the new one another name and let the pipelines use that, or delete the old one "
                               "first: tidegate table delete {}",
                               name));
  }
  add(unit, existing ? "unchanged" : "create", "table", name);
  return {};
}

Result<> SitePlanner::decide_view(const Unit& unit, const sql::CreateView& view) {
  const std::string name = view.definition.name;
  if (!mentioned_.insert("view " + to_lower(name)).second) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start, fmt::format("view '{}' is declared twice", name));
  }
  const auto existing = catalog_.find_view(name);
  const bool same = existing && (view.if_not_exists || normal_sql(existing->sql) == normal_sql(view.definition.sql));
  views_changed_ = views_changed_ || (existing && !same);
  names_.add_view(same ? *existing : view.definition);
  add(unit, !existing ? "create" : same ? "unchanged" : "change", "view", name);
  return {};
}

Result<> SitePlanner::decide_pipeline(const Unit& unit, const sql::InsertInto& insert) {
  const std::string& name = insert.pipeline;
  if (!mentioned_.insert("pipeline " + to_lower(name)).second) {
    return fail_at(ErrorCode::SqlAlreadyExists, unit.text.start, fmt::format("pipeline '{}' is declared twice", name),
                   "SET 'pipeline.name' = '...' before an INSERT names its pipeline");
  }
  names_.add_late(name, engine::late_schema(insert.plan));
  const auto existing = catalog_.find_pipeline(name);
  if (!existing) {
    add(unit, "create", "pipeline", name);
    return {};
  }
  sql::ScriptSettings settings{.pipeline_name = existing->name};
  const SiteNames names_now(catalog_, {});
  const NamesAsKnown before_names(names_now, *existing);
  const auto before = sql::analyze({existing->sql, {}}, before_names, settings);
  const auto* old_insert = before && *before ? std::get_if<sql::InsertInto>(&**before) : nullptr;
  const bool same_text = normal_sql(existing->sql) == normal_sql(insert.sql);
  const bool same_plan = old_insert != nullptr && sql::explain(old_insert->plan) == sql::explain(insert.plan) &&
                         old_insert->plan.root->operator_id == insert.plan.root->operator_id;
  const bool same_relations = !views_changed_ && grown_.empty() && existing->known_columns.empty();
  if (same_text && (same_plan || same_relations)) {
    add(unit, "unchanged", "pipeline", existing->name);
    return {};
  }
  add(unit, "change", "pipeline", existing->name);
  SiteStep& step = steps_.back();
  const PlanState after = state_of(insert);
  const bool same_places = old_insert != nullptr && state_of(*old_insert).same_places_as(after);
  step.keeps_state = same_places && state_of(*old_insert).same_as(after);
  step.keeps_position = step.keeps_state || (same_places && options_.restart_from == RestartFrom::kCurrent);
  if (step.keeps_state) {
    step.change.note = "goes on where it is and keeps its state";
  } else if (step.keeps_position) {
    step.change.note = "goes on where it is, with empty windows";
  } else if (options_.restart_from != RestartFrom::kRefused && options_.restart_from != RestartFrom::kCurrent) {
    step.restarts = streams_of(insert.plan);
  } else if (options_.dry_run) {
    step.change.note = same_places ? "cannot keep its state; applying it needs --from current, earliest or a time"
                                   : "cannot keep its state; applying it needs --from earliest or a time, as its "
                                     "streams change";
  } else {
    return fail_at(ErrorCode::StateIncompatible, unit.text.start,
                   fmt::format("the changed pipeline '{}' cannot go on from its state", name),
                   same_places ? "--from earliest, latest or a time starts it anew there, --from current goes on with "
                                 "empty windows; what it has written stays"
                               : "--from earliest, latest or a time starts it anew there; what it has written stays");
  }
  return {};
}

// Pipelines that no file mentions and that read a view which changed.
Result<> SitePlanner::follow_views() {
  if (!views_changed_) return {};
  for (const auto& pipeline : catalog_.pipelines()) {
    if (mentioned_.contains("pipeline " + to_lower(pipeline.name))) continue;
    Unit unit{Kind::kInsert, 0, {pipeline.sql, {}}, {.pipeline_name = pipeline.name}};
    TRY_ASSIGN(const auto statement, analyze(unit));
    const auto* insert = statement ? std::get_if<sql::InsertInto>(&*statement) : nullptr;
    if (insert == nullptr) continue;
    TRY(decide_pipeline(unit, *insert));
    if (steps_.back().change.action == "unchanged") steps_.pop_back();
    mentioned_.erase("pipeline " + to_lower(pipeline.name));
  }
  return {};
}

// Pipelines first: they use the others.
void SitePlanner::prune() {
  const auto remove = [&](const std::string& kind, const std::string& name) {
    if (mentioned_.contains(kind + " " + to_lower(name))) return;
    steps_.push_back({{"delete", kind, name, kind == "stream" ? "with its records" : ""}});
  };
  for (const auto& pipeline : catalog_.pipelines()) remove("pipeline", pipeline.name);
  for (const auto& view : catalog_.views()) remove("view", view.name);
  for (const auto& table : catalog_.tables()) {
    if (!catalog::is_system_table(*table)) remove("table", table->name);
  }
  for (const auto& stream : catalog_.streams()) {
    // What the server makes for itself stays: dead letters and late records have no text.
    const bool own = stream->sql.empty() || catalog::is_system_stream(*stream);
    if (!own) remove("stream", stream->name);
  }
}

}  // namespace tidegate::api
