#include "sql/functions.h"

#include <fmt/format.h>

namespace tidegate::sql {

namespace {

constexpr FunctionInfo kFunctions[] = {
#define TIDEGATE_FUNCTION(id, category, name, signature, meaning) \
  {FunctionId::id, FunctionCategory::category, name, signature, meaning},
#include "sql/functions.inc"
};

constexpr FunctionExample kExamples[] = {
#define TIDEGATE_EXAMPLE(id, expression, value) {FunctionId::id, expression, value},
#include "sql/functions.inc"
};

struct Category {
  FunctionCategory id;
  std::string_view title;
  std::string_view note;
};
constexpr Category kCategories[] = {
#define TIDEGATE_CATEGORY(id, title, note) {FunctionCategory::id, title, note},
#include "sql/functions.inc"
};

// A | inside a table's cell would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  // Backticks inside code need a longer fence.
  const bool ticks = text.find('`') != std::string_view::npos;
  return ticks ? fmt::format("`` {} ``", cell(text)) : fmt::format("`{}`", cell(text));
}

// "(text STRING) -> INT? | ..." as one call a line; what may be NULL is said in words.
std::string call_forms(const FunctionInfo& function) {
  if (!function.signature.starts_with('(')) return code(function.signature);
  std::string out;
  std::string_view rest = function.signature;
  while (!rest.empty()) {
    const size_t bar = rest.find(" | ");
    std::string_view form = rest.substr(0, bar);
    rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 3);
    if (form.ends_with('?')) form.remove_suffix(1);
    if (!out.empty()) out += "<br>";
    out += code(fmt::format("{}{}", function.name, form));
  }
  return out;
}

void append_function(const FunctionInfo& function, std::string& out) {
  out += fmt::format("| {} | {} | ", call_forms(function), cell(function.meaning));
  bool first = true;
  for (const FunctionExample& example : kExamples) {
    if (example.id != function.id) continue;
    if (!first) out += "<br>";
    first = false;
    out += fmt::format("{} is {}", code(example.expression), code(example.value));
  }
  out += " |\n";
}

}  // namespace

std::span<const FunctionInfo> functions() { return kFunctions; }
std::span<const FunctionExample> function_examples() { return kExamples; }
const FunctionInfo& function_info(FunctionId id) { return kFunctions[static_cast<size_t>(id)]; }

std::span<const std::string_view> charsets() {
  static constexpr std::string_view kCharsets[] = {"US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16BE", "UTF-16LE", "UTF-16"};
  return kCharsets;
}

std::string_view function_name(FunctionId id) { return function_info(id).name; }

std::string function_reference() {
  std::string out =
      "# Functions and operators\n\n"
      "Written from `src/sql/functions/*.inc` by `function_reference write docs/functions.md`; a test evaluates every\n"
      "example. Aggregates and windows stand in [sql.md](sql.md). A function of a NULL is NULL unless its meaning "
      "says\n"
      "otherwise. Arguments widen by themselves (`INT` to `BIGINT` to\n"
      "`FLOAT` to `DOUBLE`, what is exact to a `DECIMAL` that holds it and that to `DOUBLE`); other types need a "
      "`CAST`.\n"
      "`NUMERIC` stands for any number type, `INTEGER` for `INT` or `BIGINT`, `TIME` for `TIMESTAMP(3)` or\n"
      "`TIMESTAMP_LTZ(3)`; as the type of the result, for that of the argument.\n";
  for (const Category& category : kCategories) {
    out += fmt::format("\n## {}\n\n", category.title);
    if (!category.note.empty()) out += fmt::format("{}\n\n", category.note);
    out += "| How it is written | What it is | Examples |\n| --- | --- | --- |\n";
    for (const FunctionInfo& function : kFunctions) {
      if (function.category == category.id) append_function(function, out);
    }
  }
  return out;
}

}  // namespace tidegate::sql
