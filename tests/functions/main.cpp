// function_reference write FILE: writes docs/functions.md from the registry of functions (src/sql/functions.inc).
// function_reference check FILE: the page is what would be written, every function has an example, and every example
// has the value that is printed.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "compute/evaluator.h"
#include "sql/functions.h"
#include "sql/sql.h"

namespace tidegate {
namespace {

using columnar::TypeKind;

// One stream with one column, so that there is something to select from.
class OneStream final : public sql::Names {
 public:
  OneStream() {
    auto schema = std::make_shared<columnar::Schema>();
    schema->fields.push_back({"device", TypeKind::kString, true});
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->name = "one";
    stream->schema = std::move(schema);
    stream_ = std::move(stream);
  }
  std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return name == "one" ? stream_ : nullptr;
  }
  std::optional<catalog::ViewDefinition> find_view(std::string_view) const override { return std::nullopt; }

 private:
  std::shared_ptr<const catalog::StreamDefinition> stream_;  // shared as the face asks
};

// The bound expression of a SELECT without GROUP BY.
const sql::Expression* only_expression(const sql::PlanNode& node) {
  if (const auto* project = std::get_if<sql::Project>(&node.node)) return &project->expressions.front();
  return node.inputs.empty() ? nullptr : only_expression(*node.inputs.front());
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string bytes_text(std::string_view bytes) {
  std::string out = "X'";
  for (const char c : bytes) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return out + "'";
}

columnar::ColumnPtr evaluate(const sql::Expression& expression) {
  columnar::ColumnBuilder builder(TypeKind::kString);
  builder.append_string("device");
  columnar::Batch batch;
  batch.columns.push_back(builder.finish());
  batch.rows = 1;
  return compute::compile(expression)->evaluate(batch);
}

std::string value_of(std::string_view expression) {
  const OneStream names;
  sql::ScriptSettings settings;
  const auto run = [&](const std::string& text) -> std::pair<std::string, columnar::ColumnPtr> {
    auto statement = sql::analyze({text, {}}, names, settings);
    if (!statement) return {fmt::format("error: {}", statement.error().message), nullptr};
    const auto& select = std::get<sql::Select>(**statement);
    return {"", evaluate(*only_expression(*select.plan.root))};
  };
  auto [problem, value] = run(fmt::format("SELECT {} AS v FROM one", expression));
  if (value == nullptr) return problem;
  if (!value->valid(0)) return "NULL";
  if (value->type == TypeKind::kString) return quoted(value->string_at(0));
  if (value->type == TypeKind::kBytes) return bytes_text(value->string_at(0));
  std::tie(problem, value) = run(fmt::format("SELECT CAST({} AS STRING) AS v FROM one", expression));
  if (value == nullptr) return problem;
  return value->valid(0) ? std::string(value->string_at(0)) : "NULL";
}

int check_examples() {
  int wrong = 0;
  for (const sql::FunctionExample& example : sql::function_examples()) {
    const std::string value = value_of(example.expression);
    if (value == example.value) continue;
    std::cout << fmt::format("{} is {}, not {}\n", example.expression, value, example.value);
    ++wrong;
  }
  for (const sql::FunctionInfo& function : sql::functions()) {
    const auto is_its = [&function](const sql::FunctionExample& example) { return example.id == function.id; };
    if (std::ranges::any_of(sql::function_examples(), is_its)) continue;
    std::cout << fmt::format("{} has no example\n", function.name);
    ++wrong;
  }
  return wrong;
}

int check(const char* path) {
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  int wrong = check_examples();
  if (page.str() != sql::function_reference()) {
    std::cout << fmt::format("{} is out of date: run `function_reference write {}`\n", path, path);
    ++wrong;
  }
  std::cout << fmt::format("{} functions, {} examples, {} wrong\n", sql::functions().size(),
                           sql::function_examples().size(), wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  const std::string_view command = argc == 3 ? argv[1] : "";
  if (command == "check") return tidegate::check(argv[2]);
  if (command == "write") {
    std::ofstream(argv[2]) << tidegate::sql::function_reference();
    return 0;
  }
  std::cerr << "usage: function_reference {check | write} FILE\n";
  return 2;
}
