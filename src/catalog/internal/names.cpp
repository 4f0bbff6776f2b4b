#include "catalog/internal/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/letter_case.h"
#include "catalog/catalog.h"
#include "catalog/internal/stored_catalog.h"

namespace tidegate::catalog {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// `name` stands in `text` as a word of its own. A column of that name counts too: better keep a stream too long.
bool mentions(std::string_view text, std::string_view name) {
  const std::string haystack = to_lower(text);
  const std::string needle = to_lower(name);
  for (size_t at = haystack.find(needle); at != std::string::npos; at = haystack.find(needle, at + 1)) {
    const size_t end = at + needle.size();
    if ((at == 0 || !is_word(haystack[at - 1])) && (end == haystack.size() || !is_word(haystack[end]))) return true;
  }
  return false;
}

std::unexpected<Error> in_use(std::string_view relation, std::string_view user_kind, std::string_view user) {
  return fail(ErrorCode::InUse, fmt::format("'{}' is still used by the {} '{}'", relation, user_kind, user),
              fmt::format("drop the {} first: DROP {} {}", user_kind, user_kind == "view" ? "VIEW" : "PIPELINE", user));
}

}  // namespace

std::string stream_key(StreamId id) { return fmt::format("catalog/stream/{:08x}", id.value); }
std::string pipeline_key(PipelineId id) { return fmt::format("catalog/pipeline/{:08x}", id.value); }

Result<> check_relation_is_free(const Documents& documents, std::string_view name) {
  const char* kind = documents.streams.contains(to_lower(name))  ? "stream"
                     : documents.views.contains(to_lower(name))  ? "view"
                     : documents.tables.contains(to_lower(name)) ? "lookup table"
                                                                 : nullptr;
  if (kind == nullptr) return {};
  return fail(ErrorCode::SqlAlreadyExists, fmt::format("a {} named '{}' exists already", kind, name),
              "choose another name, or drop it first");
}

Result<> check_pipeline_is_free(const Documents& documents, std::string_view name) {
  if (!documents.pipelines.contains(to_lower(name))) return {};
  return fail(ErrorCode::SqlAlreadyExists, fmt::format("a pipeline named '{}' exists already", name),
              "drop it first, or name this one: SET 'pipeline.name' = '...' before INSERT INTO");
}

Result<> check_unused(const Documents& documents, std::string_view relation) {
  const std::string name = to_lower(relation);
  for (const auto& [key, pipeline] : documents.pipelines) {
    const bool reads =
        std::ranges::any_of(pipeline.reads, [&](const std::string& read) { return to_lower(read) == name; });
    if (reads || to_lower(pipeline.definition.target) == name) {
      return in_use(relation, "pipeline", pipeline.definition.name);
    }
  }
  for (const auto& [key, view] : documents.views) {
    if (key != name && mentions(view.query, name)) return in_use(relation, "view", view.name);
  }
  return {};
}

std::unexpected<Error> no_such(std::string_view kind, std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no {} named '{}'", kind, name),
              fmt::format("`tidegate {} list` shows what there is", kind));
}

StreamDefinition dead_letter_stream(std::string name, StreamId id) {
  StreamDefinition dead;
  dead.id = id;
  dead.name = std::move(name);
  dead.schema = dead_letter_schema();
  dead.device_column = 1;
  return dead;
}

columnar::SchemaPtr dead_letter_schema() {
  using columnar::TypeKind;
  static const columnar::SchemaPtr kSchema =
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"time", TypeKind::kTimestampLtz, false},
                                                                 {"device", TypeKind::kString, true},
                                                                 {"topic", TypeKind::kString, true},
                                                                 {"code", TypeKind::kInt, false},
                                                                 {"reason", TypeKind::kString, false},
                                                                 {"payload", TypeKind::kString, true}}});
  return kSchema;
}

StreamDefinition own_stream(std::string name, std::vector<columnar::Field> fields,
                            std::map<std::string, std::string> options) {
  StreamDefinition own;
  own.name = std::move(name);
  own.device_column = 0;
  own.time_column = 1;
  own.options = std::move(options);
  own.options["device"] = fields.at(0).name;
  std::string columns;
  for (const columnar::Field& field : fields) {
    columns +=
        fmt::format("  {} {}{},\n", field.name, columnar::type_name(field.type), field.nullable ? "" : " NOT NULL");
  }
  std::string with;
  for (const auto& [key, value] : own.options)
    with += fmt::format("{}'{}' = '{}'", with.empty() ? "" : ", ", key, value);
  own.sql = fmt::format("CREATE TABLE {0} (\n{1}  WATERMARK FOR {2} AS {2}\n) WITH ({3})", own.name, columns,
                        fields.at(1).name, with);
  own.schema = std::make_shared<const columnar::Schema>(columnar::Schema{std::move(fields)});
  return own;
}

bool is_system_stream(const StreamDefinition& stream) { return stream.options.contains(kSystemOption); }
bool is_system_table(const TableDefinition& table) { return table.options.contains(kSystemOption); }
std::string dead_letter_name(std::string_view stream) { return fmt::format("{}_dead_letters", stream); }
std::string late_name(std::string_view pipeline) { return fmt::format("{}_late", pipeline); }

}  // namespace tidegate::catalog
