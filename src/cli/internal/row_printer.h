// Prints rows of a query: aligned, one JSON object a line, or one YAML document a row.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/internal/output.h"

namespace tidegate::cli {

class RowPrinter {
 public:
  // `limit` rows; 0: no end.
  RowPrinter(OutputFormat format, uint64_t limit) : format_(format), limit_(limit) {}

  // The server's list of columns. Wide enough for usual values, so that columns seldom move while rows come in.
  void take_columns(const boost::json::value& columns);
  // Makes columns that have not been printed as narrow as these rows allow.
  [[nodiscard]] Result<> fit(std::string_view rows);
  // Rows of a JSON array, numbers as they stand there. With the header before the first ones. ProtocolViolation.
  [[nodiscard]] Result<std::string> text_of(std::string_view rows);
  // The header, if it was not printed yet.
  [[nodiscard]] std::string header();

  [[nodiscard]] bool at_limit() const { return limit_ > 0 && rows_ >= limit_; }
  [[nodiscard]] uint64_t rows() const { return rows_; }

 private:
  struct Column {
    std::string name;   // as the server says
    bool short_number;  // DOUBLE and FLOAT: in tables with nine digits
  };
  [[nodiscard]] Result<std::vector<std::string>> cells_of(std::string_view row, std::string& operation) const;
  [[nodiscard]] Result<std::string> row_text(std::string_view row);

  const OutputFormat format_;
  const uint64_t limit_;
  std::vector<Column> columns_;
  std::vector<OutputColumn> table_;
  bool header_printed_ = false;
  uint64_t rows_ = 0;
};

}  // namespace tidegate::cli
