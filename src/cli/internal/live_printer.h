// Prints the events of a live query: aligned rows, one JSON object a line, or one YAML document a row.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "cli/internal/event_stream.h"
#include "cli/internal/row_printer.h"

namespace tidegate::cli {

class LivePrinter {
 public:
  // `limit` rows; 0: no end.
  LivePrinter(OutputFormat format, uint64_t limit) : format_(format), printer_(format, limit) {}

  // Text to print for the event; sets finished() at the end of the query or the limit.
  [[nodiscard]] std::string text_of(const ServerEvent& event);
  [[nodiscard]] bool finished() const { return finished_; }
  // What the server said at the end, if it was an error.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] uint64_t rows() const { return printer_.rows(); }
  [[nodiscard]] uint64_t missed() const { return missed_; }

 private:
  [[nodiscard]] std::string rows_text(const ServerEvent& event);
  [[nodiscard]] std::string missed_text(const ServerEvent& event);

  const OutputFormat format_;
  RowPrinter printer_;
  bool finished_ = false;
  std::string error_;
  uint64_t missed_ = 0;
};

}  // namespace tidegate::cli
