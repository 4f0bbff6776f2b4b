// Lookup tables: the statements that make and drop them, and their endpoints.
#include <fmt/format.h>

#include <algorithm>

#include "api/internal/api_impl.h"
#include "api/internal/request_json.h"
#include "api/internal/table_json.h"
#include "api/internal/way_out.h"
#include "base/logging.h"
#include "codec/timestamp_text.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::unexpected<Error> no_table(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no lookup table '{}'", name),
              "`tidegate table list` shows what there is");
}

std::string time_json(int64_t time_us) {
  if (time_us == 0) return "null";
  std::string text;
  codec::append_timestamp(time_us, columnar::TypeKind::kTimestampLtz, text);
  return json_string(text);
}

std::optional<lookup::TableStatus> status_of(const lookup::Tables& tables, catalog::TableId table) {
  for (lookup::TableStatus& status : tables.status()) {
    if (status.id == table) return std::move(status);
  }
  return std::nullopt;
}

}  // namespace

std::string table_json(const lookup::TableStatus& status, const catalog::TableDefinition* definition) {
  std::string out =
      fmt::format(R"({{"name":{},"source":"{}","version":{},"rows":{},"memory_bytes":{},"loaded":{},"path":{})",
                  json_string(status.name), status.source == catalog::TableSource::kFile ? "file" : "devices",
                  status.version, status.rows, status.memory_bytes, time_json(status.loaded_us),
                  status.path.empty() ? "null" : json_string(status.path));
  if (!status.last_error.empty()) {
    out += fmt::format(R"(,"last_error":{},"failing_since":{})", json_string(status.last_error),
                       time_json(status.last_error_us));
  }
  if (definition != nullptr) {
    const auto& fields = definition->schema->fields;
    std::string key;
    for (const size_t column : definition->key) key += (key.empty() ? "" : ",") + json_string(fields[column].name);
    out += fmt::format(R"(,"schema":{},"key":[{}],"version_column":{},"sql":{})", schema_json(*definition->schema), key,
                       definition->version_column ? json_string(fields[*definition->version_column].name) : "null",
                       json_string(definition->sql));
  }
  return out + "}";
}

std::string tables_json(const std::vector<lookup::TableStatus>& tables) {
  std::string out = "[";
  for (const lookup::TableStatus& status : tables) out += (out.size() > 1 ? "," : "") + table_json(status, nullptr);
  return out + "]";
}

void ApiImpl::tables(Call& call) { call.reply(fmt::format(R"({{"tables":{}}})", tables_json(table_status()))); }

void ApiImpl::table(Call& call) {
  const auto answer = [&]() -> Result<std::string> {
    const auto found = parts_.catalog.find_table(call.name);
    const auto status = found && parts_.tables ? status_of(*parts_.tables, found->id) : std::nullopt;
    if (!status) return no_table(call.name);
    return table_json(*status, found.get());
  }();
  if (!answer) return call.reply(answer.error());
  call.reply(*answer);
}

void ApiImpl::drop_table(Call& call) {
  const Result<> outcome = parts_.statements.drop_table(call.name);
  audit(call, "table.dropped", call.name, outcome);
  if (!outcome) return call.reply(outcome.error());
  call.reply("", 204);
}

void ApiImpl::reload_table(Call& call) {
  const auto reloaded = [&]() -> Result<std::string> {
    const auto found = parts_.catalog.find_table(call.name);
    if (found == nullptr || parts_.tables == nullptr) return no_table(call.name);
    TRY(parts_.tables->reload(found->id));
    const auto status = status_of(*parts_.tables, found->id);
    if (!status) return no_table(call.name);
    return table_json(*status, nullptr);
  }();
  audit(call, "table.reloaded", call.name, reloaded ? Result<>() : Result<>(std::unexpected(reloaded.error())));
  if (!reloaded) return call.reply(reloaded.error());
  call.reply(*reloaded);
}

Result<StatementResult> StatementExecutor::create(sql::CreateLookupTable statement) {
  const std::string name = statement.definition.name;
  const auto result = [&](const char* action) {
    return StatementResult{.action = action, .kind = "table", .name = name, .names = {}, .text = {}};
  };
  if (parts_.tables == nullptr) return fail(ErrorCode::SqlUnsupported, "there are no lookup tables here");
  if (const auto existing = parts_.catalog.find_table(name)) {
    if (statement.if_not_exists || same_statement(existing->sql, statement.definition.sql)) return result("unchanged");
    return fail(ErrorCode::SqlAlreadyExists, fmt::format("lookup table '{}' exists with another definition", name),
                fmt::format("Choose another name, or DROP TABLE {} first.", name));
  }
  TRY(parts_.tables->check(statement.definition));
  TRY_ASSIGN(const catalog::TablePtr table, parts_.catalog.add_table(std::move(statement.definition)));
  if (auto added = parts_.tables->add(table); !added) {
    if (const auto undone = parts_.catalog.drop_table(name); !undone) {
      log_error("undo_failed", {{"name", name}, {"error", undone.error().to_string()}});
    }
    return std::unexpected(std::move(added.error()));
  }
  return result("created");
}

Result<> StatementExecutor::drop_table(std::string_view name) {
  const auto one_at_a_time = running_.lock();
  return drop_table_locked(name);
}

Result<> StatementExecutor::drop_table_locked(std::string_view name) {
  const auto table = parts_.catalog.find_table(name);
  if (table == nullptr || parts_.tables == nullptr) return no_table(name);
  TRY(parts_.catalog.drop_table(name));
  return parts_.tables->drop(table->id);
}

}  // namespace tidegate::api
