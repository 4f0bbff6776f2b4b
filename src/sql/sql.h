// The face of sql/: text in, checked statements out. Pure functions, any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "catalog/table_definition.h"
#include "sql/plan.h"

namespace tidegate::sql {

inline constexpr size_t kMaxTextBytes = 1U << 20;  // a statement file; more is surely not typed by a person
inline constexpr int kMaxNesting = 200;            // the parser's recursion; keeps the stack safe

// What binding needs to know of the catalog.
class Names {
 public:
  virtual ~Names() = default;
  // Shared with the catalog, which may drop the stream meanwhile. Null when there is none of that name.
  // Names compare without regard to case unless quoted with `backticks`.
  [[nodiscard]] virtual std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const = 0;
  [[nodiscard]] virtual std::optional<catalog::ViewDefinition> find_view(std::string_view name) const = 0;
  // By whose clocks windows of days, months and shifts go where neither they nor their stream say: an IANA name, empty
  // for UTC. Of a pipeline that is there it is what it was made with, of anything else that of the installation.
  [[nodiscard]] virtual std::string time_zone(std::string_view /*pipeline*/) const { return {}; }
  // Null when there is no lookup table of that name.
  [[nodiscard]] virtual catalog::TablePtr find_table(std::string_view /*name*/) const { return nullptr; }
};

// CREATE TABLE [IF NOT EXISTS]; the definition has no id yet.
struct CreateTable {
  catalog::StreamDefinition definition;
  bool if_not_exists = false;
};
// CREATE TABLE of a lookup table; the definition has no id yet.
struct CreateLookupTable {
  catalog::TableDefinition definition;
  bool if_not_exists = false;
};
struct CreateView {
  catalog::ViewDefinition definition;
  bool if_not_exists = false;
};
// ALTER TABLE stream ADD ...: the stream as it is then, under its id; the new columns are the last ones.
struct AlterTable {
  catalog::StreamDefinition definition;
  bool nothing = false;  // IF EXISTS, and there is no such stream
};
enum class DropKind : uint8_t { kTable, kView, kPipeline };
struct Drop {
  DropKind kind;
  std::string name;
  bool if_exists = false;
};
// INSERT INTO target SELECT ...; `plan` yields exactly the target's columns. `pipeline` is the value of the
// last SET 'pipeline.name' = '...' before it, or the target's name.
struct InsertInto {
  std::string pipeline;
  std::shared_ptr<const catalog::StreamDefinition> target;
  Plan plan;
  std::string sql;
  std::string time_zone = {};  // Names::time_zone() of it: to be kept with the pipeline
};
struct Select {
  Plan plan;
};
struct Explain {
  std::string text;
};
// SHOW TABLES | VIEWS | PIPELINES.
enum class ShowKind : uint8_t { kTables, kViews, kPipelines };
struct Show {
  ShowKind kind;
};

using Statement =
    std::variant<CreateTable, CreateLookupTable, CreateView, AlterTable, Drop, InsertInto, Select, Explain, Show>;

// One statement's text and where it starts in the file it came from.
struct StatementText {
  std::string text;
  TextPosition start;
};

// Splits a script at its semicolons (not those in strings and comments). SET statements stay statements.
[[nodiscard]] Result<std::vector<StatementText>> split_script(std::string_view script);

// What a stream would have to become to be declared as `wanted` is. Comments, blanks and the place of the elements
// other than columns are no difference.
enum class StreamChange : uint8_t { kNone, kAddsColumns, kOther };
// kAddsColumns: `wanted` has nullable columns behind the others, and perhaps options about them, and differs in nothing
// else.
[[nodiscard]] StreamChange compare(const catalog::StreamDefinition& present, const catalog::StreamDefinition& wanted);

// The event time of a stream that computes it from its other columns, over its schema; nothing if records bring it.
[[nodiscard]] Result<std::optional<Expression>> computed_event_time(const catalog::StreamDefinition& stream);

// What SET has set so far, carried from statement to statement of one script.
struct ScriptSettings {
  std::string pipeline_name;
};

// Parses and binds one statement. Nothing for SET and for an empty statement. Errors carry the position
// within `statement.text` shifted to the file. Codes 2xxx.
[[nodiscard]] Result<std::optional<Statement>> analyze(const StatementText& statement, const Names& names,
                                                       ScriptSettings& settings);

}  // namespace tidegate::sql
