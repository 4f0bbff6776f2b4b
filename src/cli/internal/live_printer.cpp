#include "cli/internal/live_printer.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "cli/internal/commands.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

json::value parse(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value() : value;
}

}  // namespace

std::string LivePrinter::rows_text(const ServerEvent& event) {
  auto text = printer_.text_of(event.data);
  finished_ = !text || printer_.at_limit();
  if (text) return std::move(*text);
  error_ = text.error().message;
  return {};
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
  if (event.name == "schema") printer_.take_columns(member(parse(event.data), "columns"));
  if (event.name == "end") {
    finished_ = true;
    const json::value data = parse(event.data);
    if (member(data, "error").is_string()) error_ = cell_text(member(data, "error"));
  }
  return {};
}

}  // namespace tidegate::cli
