// Any text through split_script and analyze with a fixed catalog; plans are also printed.
#include <map>

#include "sql/internal/text.h"
#include "sql/sql.h"

namespace {

using namespace tidegate;

class FuzzNames : public sql::Names {
 public:
  FuzzNames() {
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->name = "meter";
    auto schema = std::make_shared<columnar::Schema>();
    using columnar::TypeKind;
    schema->fields = {{"device", TypeKind::kString, false}, {"ts", TypeKind::kTimestampLtz, true},
                      {"power", TypeKind::kDouble, true},   {"n", TypeKind::kInt, true},
                      {"big", TypeKind::kBigint, true},     {"ok", TypeKind::kBoolean, true}};
    stream->schema = std::move(schema);
    stream->device_column = 0;
    stream->time_column = 1;
    meter_ = std::move(stream);
    catalog::TableDefinition table;
    table.id = catalog::TableId{1};
    table.name = "tariffs";
    table.schema = std::make_shared<const columnar::Schema>(columnar::Schema{{{"zone", TypeKind::kString, false},
                                                                              {"n", TypeKind::kInt, false},
                                                                              {"since", TypeKind::kTimestampLtz, false},
                                                                              {"price", TypeKind::kDouble, true}}});
    table.key = {0, 1};
    table.version_column = 2;
    tariffs_ = std::make_shared<const catalog::TableDefinition>(std::move(table));
  }
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return equal_ignoring_case(name, "meter") ? meter_ : nullptr;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    if (name == "v") return catalog::ViewDefinition{"v", "SELECT device AS d, ts, power * 2 AS p FROM meter", ""};
    if (name == "loop") return catalog::ViewDefinition{"loop", "SELECT * FROM loop", ""};
    return std::nullopt;
  }
  [[nodiscard]] catalog::TablePtr find_table(std::string_view name) const override {
    return equal_ignoring_case(name, "tariffs") ? tariffs_ : nullptr;
  }

 private:
  std::shared_ptr<const catalog::StreamDefinition> meter_;  // shared as the catalog shares it
  catalog::TablePtr tariffs_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const FuzzNames names;
  const std::string_view script(reinterpret_cast<const char*>(data), size);
  const auto statements = sql::split_script(script);
  if (!statements) {
    (void)statements.error().to_string_with_source(script);
    return 0;
  }
  sql::ScriptSettings settings;
  for (const sql::StatementText& statement : *statements) {
    const auto analyzed = sql::analyze(statement, names, settings);
    if (!analyzed) {
      (void)analyzed.error().to_string_with_source(script);
    } else if (*analyzed) {
      if (const auto* select = std::get_if<sql::Select>(&**analyzed)) (void)sql::explain(select->plan);
      if (const auto* insert = std::get_if<sql::InsertInto>(&**analyzed)) (void)sql::explain(insert->plan);
    }
  }
  return 0;
}
