#include "cli/internal/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "cli/internal/yaml_text.h"

namespace tidegate::cli {
namespace {

// The parser limits the depth of nesting (boost::json::parse_options::max_depth, 32).
void append_json(const boost::json::value& value, std::string& out) {
  if (value.is_double()) {
    fmt::format_to(std::back_inserter(out), "{}", value.get_double());
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const boost::json::value& item : value.get_array()) {
      if (!std::exchange(first, false)) out += ',';
      append_json(item, out);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [name, member] : value.get_object()) {
      if (!std::exchange(first, false)) out += ',';
      out += boost::json::serialize(boost::json::string_view(name)) + ":";
      append_json(member, out);
    }
    out += '}';
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string json_text(const boost::json::value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) letter = '?';
  }
  // C1 control characters are two bytes in UTF-8: 0xC2 0x80 to 0xC2 0x9F.
  for (size_t at = 0; at + 1 < out.size(); ++at) {
    if (out[at] == '\xC2' && static_cast<unsigned char>(out[at + 1]) < 0xA0) out.replace(at, 2, "?");
  }
  return out;
}

size_t text_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char letter) { return (letter & 0xC0) != 0x80; }));
}

std::string cell_text(const boost::json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(std::string_view(value.get_string().data(), value.get_string().size()));
  if (value.is_double()) return fmt::format("{:.9g}", value.get_double());
  return printable(boost::json::serialize(value));
}

std::string structured_text(OutputFormat format, const boost::json::value& value) {
  return format == OutputFormat::kYaml ? yaml_text(value) : json_text(value) + "\n";
}

std::string table_line(std::vector<OutputColumn>& columns, const std::vector<std::string>& cells) {
  std::string line;
  for (size_t at = 0; at < columns.size(); ++at) {
    OutputColumn& column = columns[at];
    const std::string_view cell = at < cells.size() ? std::string_view(cells[at]) : std::string_view();
    const size_t width = text_width(cell);
    column.width = std::max(column.width, width);
    if (at > 0) line += "  ";
    if (column.right) line.append(column.width - width, ' ');
    line += cell;
    if (!column.right) line.append(column.width - width, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string header_line(std::vector<OutputColumn>& columns) {
  std::vector<std::string> names;
  for (const OutputColumn& column : columns) names.push_back(column.name);
  return table_line(columns, names);
}

std::string render_table(std::vector<OutputColumn> columns, const std::vector<std::vector<std::string>>& rows,
                         std::string_view empty_note) {
  if (rows.empty()) return std::string(empty_note) + "\n";
  for (size_t at = 0; at < columns.size(); ++at) {
    columns[at].width = std::max(columns[at].width, text_width(columns[at].name));
    for (const auto& row : rows) columns[at].width = std::max(columns[at].width, text_width(row[at]));
  }
  std::string header = header_line(columns);
  header.pop_back();
  std::string out = emphasised(header) + "\n";
  for (const auto& row : rows) out += table_line(columns, row);
  return out;
}

bool print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && written;
}

std::string emphasised(std::string_view text) {
  static const bool kColour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return kColour ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

}  // namespace tidegate::cli
