#include "sql/internal/lookup_options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/source_format.h"
#include "sql/internal/bind_lookup.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using catalog::TableDefinition;

namespace {

constexpr std::string_view kConnector = "connector";
constexpr std::string_view kFilesystem = "filesystem";
constexpr std::array<std::string_view, 4> kOwnOptions = {kConnector, "path", "source.monitor-interval", "description"};
// Of those for payloads, what makes sense of a file.
constexpr std::array<std::string_view, 4> kFileOptions = {"format", "csv.", "timestamp.format", "timestamp.zone"};
constexpr size_t kMaxKeyColumns = 16;  // of one table: each is compared for every row

const OptionDefinition* find(const CreateTableAst& table, std::string_view key) {
  const auto found = std::ranges::find(table.options, key, &OptionDefinition::key);
  return found == table.options.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const columnar::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

Result<size_t> find_column(const columnar::Schema& schema, const Name& name) {
  for (size_t at = 0; at < schema.fields.size(); ++at) {
    if (equal_ignoring_case(schema.fields[at].name, name.text)) return at;
  }
  return fail_at(ErrorCode::SqlUnknownColumn, name.position, fmt::format("unknown column '{}'", name.text),
                 did_you_mean(name.text, names_of(schema)));
}

// Values of a text, or of a width that versions of tables are stored with.
bool is_plain(columnar::TypeKind type) {
  constexpr size_t kWidest = 8;
  const size_t width = columnar::value_width(type);
  return columnar::is_text(type) || (width > 0 && width <= kWidest);
}

Result<columnar::Schema> read_columns(const CreateTableAst& table) {
  columnar::Schema schema;
  for (const ColumnDefinition& column : table.columns) {
    if (column.computed) {
      return fail_at(ErrorCode::SqlUnsupported, column.name.position, "a lookup table has no computed columns",
                     "Compute it in the query");
    }
    if (std::ranges::any_of(schema.fields, [&](const columnar::Field& field) {
          return equal_ignoring_case(field.name, column.name.text);
        })) {
      return fail_at(ErrorCode::SqlAmbiguousColumn, column.name.position,
                     fmt::format("column '{}' is there already", column.name.text));
    }
    if (!is_plain(column.type)) {
      return fail_at(ErrorCode::SqlUnsupported, column.name.position,
                     fmt::format("a lookup table cannot have the {} column '{}'", columnar::type_name(column.type),
                                 column.name.text),
                     "Declare it as STRING or DOUBLE and CAST it in the query");
    }
    schema.fields.push_back({column.name.text, column.type, column.nullable});
  }
  if (schema.fields.size() <= kMaxColumns) return schema;
  return fail_at(ErrorCode::SqlTooComplex, table.name.position, fmt::format("more than {} columns", kMaxColumns));
}

// The key's columns become NOT NULL, as in Flink.
Result<> set_key(TableDefinition& made, columnar::Schema& schema, const CreateTableAst& table) {
  if (!table.key) {
    return fail_at(ErrorCode::SqlUnsupported, table.name.position, "a lookup table needs a PRIMARY KEY",
                   "Add PRIMARY KEY (column) NOT ENFORCED behind the columns");
  }
  if (table.key->columns.size() > kMaxKeyColumns) {
    return fail_at(ErrorCode::SqlTooComplex, table.key->position, fmt::format("more than {} keys", kMaxKeyColumns));
  }
  for (const Name& name : table.key->columns) {
    TRY_ASSIGN(const size_t column, find_column(schema, name));
    if (!is_key_type(schema.fields[column].type)) {
      return fail_at(
          ErrorCode::SqlTypeMismatch, name.position,
          fmt::format("the key column '{}' is {}", name.text, columnar::type_name(schema.fields[column].type)),
          "A key is of a type that compares exactly: STRING, INT, BIGINT, BOOLEAN or a time");
    }
    if (std::ranges::find(made.key, column) != made.key.end()) {
      return fail_at(ErrorCode::SqlAmbiguousColumn, name.position, fmt::format("'{}' is in the key twice", name.text));
    }
    schema.fields[column].nullable = false;
    made.key.push_back(column);
  }
  return {};
}

Result<> set_version(TableDefinition& made, columnar::Schema& schema, const CreateTableAst& table) {
  if (!table.watermark) return {};
  const Name& name = table.watermark->column;
  TRY_ASSIGN(const size_t column, find_column(schema, name));
  if (!columnar::is_timestamp(schema.fields[column].type)) {
    return fail_at(
        ErrorCode::SqlTypeMismatch, name.position,
        fmt::format("the time column '{}' is {}", name.text, columnar::type_name(schema.fields[column].type)),
        "It must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
  }
  if (std::ranges::find(made.key, column) != made.key.end()) {
    return fail_at(ErrorCode::SqlUnsupported, name.position,
                   fmt::format("'{}' cannot be both in the key and the time from which rows hold", name.text),
                   "Leave it out of the PRIMARY KEY: rows of one key with other times are its versions");
  }
  schema.fields[column].nullable = false;
  made.version_column = column;
  return {};
}

bool is_file_option(std::string_view key) {
  return codec::is_source_option(key) && std::ranges::any_of(kFileOptions, [&](std::string_view known) {
           return key == known || (key.starts_with(known) && (known.back() == '.' || key[known.size()] == '.'));
         });
}

Result<> set_option(TableDefinition& made, const OptionDefinition& option) {
  const bool own = std::ranges::find(kOwnOptions, option.key) != kOwnOptions.end();
  if (!own && !is_file_option(option.key)) {
    std::vector<std::string> keys(kOwnOptions.begin(), kOwnOptions.end());
    for (const std::string& name : codec::source_option_names()) {
      if (is_file_option(name)) keys.push_back(name);
    }
    std::string hint = did_you_mean(option.key, keys);
    if (hint.empty()) hint = fmt::format("Options of a lookup table are {}", fmt::join(keys, ", "));
    return fail_at(ErrorCode::SqlInvalidOption, option.key_position, fmt::format("unknown option '{}'", option.key),
                   std::move(hint));
  }
  if (own && option.value.empty()) {
    return fail_at(ErrorCode::SqlInvalidOption, option.value_position, fmt::format("'{}' is empty", option.key));
  }
  if (option.key == "source.monitor-interval" && parse_duration(option.value).value_or(0) < kMicrosPerSecond) {
    return fail_at(ErrorCode::SqlInvalidOption, option.value_position,
                   fmt::format("'{}' cannot be '{}'", option.key, option.value),
                   "It takes a duration of at least a second such as '5 s' or '1 min'");
  }
  if (made.options.emplace(option.key, option.value).second) return {};
  return fail_at(ErrorCode::SqlInvalidOption, option.key_position, fmt::format("'{}' is set twice", option.key));
}

Result<> check_options(const TableDefinition& made, const CreateTableAst& table) {
  if (!made.options.contains("path")) {
    return fail_at(ErrorCode::SqlInvalidOption, table.name.position, "'connector' = 'filesystem' needs a path",
                   "Add 'path' = 'tariffs.csv'");
  }
  const OptionDefinition* format = find(table, "format");
  if (format == nullptr || format->value != "csv") {
    return fail_at(ErrorCode::SqlInvalidOption, format == nullptr ? table.name.position : format->value_position,
                   "the file of a lookup table is read as 'format' = 'csv' only", "Add 'format' = 'csv'");
  }
  const auto parsed = codec::parse_source_format(made.options, {*made.schema, std::nullopt, made.version_column});
  if (parsed) return {};
  codec::BadOption bad = parsed.error();
  if (const OptionDefinition* option = find(table, bad.key)) bad.error.position = option->value_position;
  return fail(std::move(bad.error));
}

}  // namespace

bool is_lookup_table(const CreateTableAst& table) {
  const OptionDefinition* connector = find(table, kConnector);
  return connector != nullptr && connector->value == kFilesystem;
}

Result<TableDefinition> define_lookup_table(const CreateTableAst& table, std::string sql) {
  TableDefinition made;
  made.name = table.name.text;
  made.sql = std::move(sql);
  TRY_ASSIGN(columnar::Schema schema, read_columns(table));
  TRY(set_key(made, schema, table));
  TRY(set_version(made, schema, table));
  made.schema = std::make_shared<const columnar::Schema>(std::move(schema));
  for (const OptionDefinition& option : table.options) TRY(set_option(made, option));
  TRY(check_options(made, table));
  return made;
}

}  // namespace tidegate::sql
