// What people see: tables, live rows, JSON, colours.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::cli {

enum class OutputFormat : uint8_t { kTable, kJson, kYaml };

struct OutputColumn {
  std::string name;
  bool right = false;  // numbers
  size_t width = 0;    // in characters; grows with what is printed
};

// Text from devices made fit for a terminal: control characters (escape sequences too) become '?'.
[[nodiscard]] std::string printable(std::string_view text);
// Characters, not bytes, of UTF-8 text.
[[nodiscard]] size_t text_width(std::string_view text);
// How a value stands in a table: text without quotes, NULL as "-", doubles with at most 6 significant decimals.
[[nodiscard]] std::string cell_text(const boost::json::value& value);

// As the server wrote it: doubles in their shortest form, which Boost.JSON would write as 4.216E0.
[[nodiscard]] std::string json_text(const boost::json::value& value);

// For programs: JSON on one line, or YAML. kTable: as JSON.
[[nodiscard]] std::string structured_text(OutputFormat format, const boost::json::value& value);

// One line without trailing blanks, cells aligned to the columns, which widen to what they get.
[[nodiscard]] std::string table_line(std::vector<OutputColumn>& columns, const std::vector<std::string>& cells);
[[nodiscard]] std::string header_line(std::vector<OutputColumn>& columns);
// A whole table: every column as wide as its widest cell. `empty_note` instead of a table without rows.
[[nodiscard]] std::string render_table(std::vector<OutputColumn> columns,
                                       const std::vector<std::vector<std::string>>& rows, std::string_view empty_note);

// Writes to standard output at once. False when whoever read it has gone (`| head`).
bool print(std::string_view text);
// ESC sequences around `text` if standard output is a terminal and NO_COLOR is not set.
[[nodiscard]] std::string emphasised(std::string_view text);

}  // namespace tidegate::cli
