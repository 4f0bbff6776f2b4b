#include "sql/internal/alter_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/internal/parser.h"
#include "sql/internal/table_options.h"
#include "sql/internal/text.h"
#include "sql/sql.h"

namespace tidegate::sql {

using catalog::StreamDefinition;

namespace {

// As its text declares it; nothing of a stream that no statement made.
std::optional<CreateTableAst> declaration(const StreamDefinition& stream) {
  auto statement = parse_statement(stream.sql, {});
  if (!statement || !*statement) return std::nullopt;
  auto* table = std::get_if<CreateTableAst>(&**statement);
  return table == nullptr ? std::nullopt : std::optional(std::move(*table));
}

std::unexpected<Error> of_server(const StreamDefinition& stream, const AlterTableAst& added) {
  return fail_at(ErrorCode::SqlUnsupported, added.name.position,
                 fmt::format("'{}' is a stream of the server's own", stream.name), "Its columns stay as they are");
}

Result<> check_new(const CreateTableAst& table, const AlterTableAst& added) {
  for (auto at = added.columns.begin(); at != added.columns.end(); ++at) {
    const ColumnDefinition& column = *at;
    const auto same = [&](const ColumnDefinition& other) {
      return equal_ignoring_case(other.name.text, column.name.text);
    };
    if (std::ranges::any_of(table.columns, same)) {
      return fail_at(ErrorCode::SqlAlreadyExists, column.name.position,
                     fmt::format("'{}' has a column '{}' already", added.name.text, column.name.text),
                     "A stream's columns keep their types; give the new one another name");
    }
    if (std::any_of(added.columns.begin(), at, same)) {
      return fail_at(ErrorCode::SqlAmbiguousColumn, column.name.position,
                     fmt::format("column '{}' is added twice", column.name.text));
    }
  }
  return {};
}

// CSV without a header tells its fields by their number.
bool counts_fields(const StreamDefinition& stream) {
  const auto value = [&](const char* key) {
    const auto found = stream.options.find(key);
    return found == stream.options.end() ? std::string() : found->second;
  };
  return value("format") == "csv" && value("csv.header") != "true" && value("csv.columns").empty();
}

bool same_columns(const std::vector<ColumnDefinition>& present, const std::vector<ColumnDefinition>& wanted) {
  return wanted.size() >= present.size() &&
         std::ranges::equal(present.begin(), present.end(), wanted.begin(),
                            wanted.begin() + static_cast<ptrdiff_t>(present.size()),
                            [](const ColumnDefinition& a, const ColumnDefinition& b) {
                              return a.name.text == b.name.text && a.computed_text == b.computed_text;
                            });
}

// Options that name a new column say how it is read, and nothing about the others.
std::map<std::string, std::string> without_columns(const StreamDefinition& stream, size_t first) {
  std::map<std::string, std::string> options = stream.options;
  for (size_t at = first; at < stream.schema->fields.size(); ++at) {
    const std::string suffix = "." + to_lower(stream.schema->fields[at].name);
    std::erase_if(options, [&](const auto& option) { return to_lower(option.first).ends_with(suffix); });
  }
  return options;
}

}  // namespace

Result<StreamDefinition> add_columns(const StreamDefinition& stream, const AlterTableAst& added) {
  const auto table = declaration(stream);
  if (!table) return of_server(stream, added);
  TRY(check_new(*table, added));
  if (counts_fields(stream)) {
    return fail_at(ErrorCode::SqlUnsupported, added.name.position,
                   fmt::format("the devices of '{}' send CSV without a header, whose fields are counted", stream.name),
                   "With one column more none of their records would fit: make a stream with 'csv.header' or "
                   "'csv.columns'");
  }
  std::string sql = stream.sql;
  sql.insert(table->elements_end, ", " + added.columns_text);
  StreamDefinition grown;
  grown.sql = sql;
  const auto whole = declaration(grown);
  if (!whole) return fail(ErrorCode::Bug, fmt::format("'{}' cannot be declared with its new columns", stream.name));
  auto definition = define_stream(*whole, std::move(sql));
  if (!definition) {
    definition.error().position = added.name.position;  // it counted in another text
    return definition;
  }
  if (definition->options != stream.options) return of_server(stream, added);  // it has what no statement can set
  definition->id = stream.id;
  return definition;
}

StreamChange compare(const StreamDefinition& present, const StreamDefinition& wanted) {
  const auto before = declaration(present);
  const auto after = declaration(wanted);
  if (!before || !after || !same_columns(before->columns, after->columns)) return StreamChange::kOther;
  const auto& fields = present.schema->fields;
  const auto& wanted_fields = wanted.schema->fields;
  const bool grows = wanted_fields.size() >= fields.size() &&
                     std::equal(fields.begin(), fields.end(), wanted_fields.begin()) &&
                     std::all_of(wanted_fields.begin() + static_cast<ptrdiff_t>(fields.size()), wanted_fields.end(),
                                 [](const columnar::Field& field) { return field.nullable; });
  const size_t more = after->columns.size() - before->columns.size();
  // What came is stored columns only.
  if (!grows || wanted_fields.size() - fields.size() != more) return StreamChange::kOther;
  if (present.time_column != wanted.time_column || present.watermark_delay_us != wanted.watermark_delay_us ||
      present.device_column != wanted.device_column || present.mqtt_topic != wanted.mqtt_topic ||
      without_columns(present, fields.size()) != without_columns(wanted, fields.size())) {
    return StreamChange::kOther;
  }
  if (more == 0) return present.options == wanted.options ? StreamChange::kNone : StreamChange::kOther;
  return counts_fields(present) ? StreamChange::kOther : StreamChange::kAddsColumns;
}

}  // namespace tidegate::sql
