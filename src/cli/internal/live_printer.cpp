#include "cli/internal/live_printer.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace tidegate::cli {
namespace {

namespace json = boost::json;

json::value parse(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value() : value;
}

const json::value& member(const json::value& object, std::string_view name) {
  static const json::value kNull;
  if (!object.is_object()) return kNull;
  const json::value* found = object.get_object().if_contains({name.data(), name.size()});
  return found == nullptr ? kNull : *found;
}

// Wide enough for usual values, so that columns seldom move while rows come in.
OutputColumn column_of(const std::string& name, std::string_view type) {
  if (type.starts_with("TIMESTAMP")) return {name, false, 24};
  if (type == "STRING") return {name, false, 10};
  if (type == "BOOLEAN") return {name, false, 5};
  return {name, true, 9};
}

}  // namespace

void LivePrinter::take_schema(const ServerEvent& event) {
  const json::value schema = parse(event.data);
  const json::value& columns = member(schema, "columns");
  if (!columns.is_array()) return;
  columns_.clear();
  for (const json::value& column : columns.get_array()) {
    columns_.push_back(column_of(cell_text(member(column, "name")), cell_text(member(column, "type"))));
  }
}

std::string LivePrinter::rows_text(const ServerEvent& event) {
  const json::value rows = parse(event.data);
  std::string out;
  if (!rows.is_array()) return out;
  if (format_ == OutputFormat::kTable && !header_printed_) {
    std::string header = header_line(columns_);
    header.pop_back();
    out = emphasised(header) + "\n";
    header_printed_ = true;
  }
  for (const json::value& row : rows.get_array()) {
    if (limit_ > 0 && rows_ == limit_) break;
    ++rows_;
    if (format_ != OutputFormat::kTable) {
      if (format_ == OutputFormat::kYaml) out += "---\n";
      out += structured_text(format_, row);
      continue;
    }
    std::vector<std::string> cells;
    for (const OutputColumn& column : columns_) cells.push_back(cell_text(member(row, column.name)));
    std::string line = table_line(columns_, cells);
    const json::value& operation = member(row, "_op");
    if (operation.is_string()) line.insert(line.size() - 1, "  (" + cell_text(operation) + ")");
    out += line;
  }
  finished_ = limit_ > 0 && rows_ >= limit_;
  return out;
}

std::string LivePrinter::missed_text(const ServerEvent& event) {
  const json::value data = parse(event.data);
  const json::value& rows = member(data, "rows");
  const auto count = rows.is_int64() && rows.get_int64() > 0 ? static_cast<uint64_t>(rows.get_int64()) : 0;
  missed_ += count;
  if (format_ == OutputFormat::kJson) return fmt::format("{{\"_missed\":{}}}\n", count);
  if (format_ == OutputFormat::kYaml) return fmt::format("---\n_missed: {}\n", count);
  return fmt::format("... {} rows were left out: this terminal is slower than the stream\n", count);
}

std::string LivePrinter::text_of(const ServerEvent& event) {
  if (event.name == "rows") return rows_text(event);
  if (event.name == "missed") return missed_text(event);
  if (event.name == "schema") take_schema(event);
  if (event.name == "end") {
    finished_ = true;
    const json::value data = parse(event.data);
    if (member(data, "error").is_string()) error_ = cell_text(member(data, "error"));
  }
  return {};
}

}  // namespace tidegate::cli
