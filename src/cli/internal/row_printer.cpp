#include "cli/internal/row_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "cli/internal/commands.h"
#include "cli/internal/json_pieces.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

OutputColumn column_of(const std::string& name, std::string_view type) {
  if (type.starts_with("TIMESTAMP")) return {name, false, 24};
  if (type == "STRING") return {name, false, 10};
  if (type == "BOOLEAN") return {name, false, 5};
  if (type == "BYTES" || type.starts_with("ARRAY") || type.starts_with("ROW")) return {name, false, 10};
  return {name, true, 9};
}

Result<json::value> parse(std::string_view text) {
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(ErrorCode::ProtocolViolation, "the server's answer is not JSON: " + error.message());
  return value;
}

bool is_number(std::string_view text) { return text.front() == '-' || (text.front() >= '0' && text.front() <= '9'); }

// One document; block mappings are the mappings of their members one after the other.
Result<std::string> yaml_row(std::string_view row) {
  std::string out = "---\n";
  TRY_ASSIGN(const std::vector<JsonMember> members, json_members(row));
  if (members.empty()) return out + "{}\n";
  for (const JsonMember& member : members) {
    json::object one;
    if (is_number(member.value)) {
      one[member.name] = 0;
      std::string line = structured_text(OutputFormat::kYaml, one);
      line.replace(line.rfind('0'), 1, member.value);
      out += line;
      continue;
    }
    TRY_ASSIGN(one[member.name], parse(member.value));
    out += structured_text(OutputFormat::kYaml, one);
  }
  return out;
}

}  // namespace

void RowPrinter::take_columns(const json::value& columns) {
  if (!columns.is_array()) return;
  columns_.clear();
  table_.clear();
  for (const json::value& column : columns.get_array()) {
    const json::value& name = member(column, "name");
    const std::string type = cell_text(member(column, "type"));
    columns_.push_back({name.is_string() ? std::string(name.get_string()) : "", type == "DOUBLE" || type == "FLOAT"});
    table_.push_back(column_of(cell_text(name), type));
  }
}

// In the order of the columns; `operation` is what happened to the row, if it is no insert.
Result<std::vector<std::string>> RowPrinter::cells_of(std::string_view row, std::string& operation) const {
  std::vector<std::string> cells(columns_.size(), "-");
  TRY_ASSIGN(const std::vector<JsonMember> members, json_members(row));
  for (size_t at = 0; at < members.size(); ++at) {
    const JsonMember& member = members[at];
    // Nearly always they stand in the order of the columns.
    auto column = at < columns_.size() && columns_[at].name == member.name
                      ? columns_.begin() + static_cast<std::ptrdiff_t>(at)
                      : std::ranges::find(columns_, member.name, &Column::name);
    std::string cell;
    if (is_number(member.value) && (column == columns_.end() || !column->short_number)) {
      cell = member.value;
    } else if (member.value.front() == '[' || member.value.front() == '{') {
      cell = printable(member.value);
    } else {
      TRY_ASSIGN(const json::value value, parse(member.value));
      cell = cell_text(value);
    }
    if (column != columns_.end()) {
      cells[static_cast<size_t>(column - columns_.begin())] = std::move(cell);
    } else if (member.name == "_op") {
      operation = std::move(cell);
    }
  }
  return cells;
}

Result<> RowPrinter::fit(std::string_view rows) {
  if (format_ != OutputFormat::kTable || header_printed_) return {};
  for (OutputColumn& column : table_) column.width = text_width(column.name);
  TRY_ASSIGN(const std::vector<std::string_view> items, json_items(rows));
  for (const std::string_view item : items) {
    std::string operation;
    TRY_ASSIGN(const std::vector<std::string> cells, cells_of(item, operation));
    for (size_t at = 0; at < cells.size(); ++at) {
      table_[at].width = std::max(table_[at].width, text_width(cells[at]));
    }
  }
  return {};
}

std::string RowPrinter::header() {
  if (format_ != OutputFormat::kTable || std::exchange(header_printed_, true)) return {};
  std::string header = header_line(table_);
  header.pop_back();
  return emphasised(header) + "\n";
}

Result<std::string> RowPrinter::row_text(std::string_view row) {
  if (format_ == OutputFormat::kYaml) return yaml_row(row);
  if (format_ == OutputFormat::kJson) return std::string(row) + "\n";
  std::string operation;
  TRY_ASSIGN(const std::vector<std::string> cells, cells_of(row, operation));
  std::string line = table_line(table_, cells);
  if (!operation.empty()) line.insert(line.size() - 1, "  (" + operation + ")");
  return line;
}

Result<std::string> RowPrinter::text_of(std::string_view rows) {
  TRY_ASSIGN(const std::vector<std::string_view> items, json_items(rows));
  std::string out;
  for (const std::string_view item : items) {
    if (at_limit()) break;
    if (rows_++ == 0) out += header();
    TRY_ASSIGN(const std::string text, row_text(item));
    out += text;
  }
  return out;
}

}  // namespace tidegate::cli
