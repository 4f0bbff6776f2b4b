// CsvReader: comma-separated values as RFC 4180 has them, from text that comes in pieces.
//
// Fields may be quoted ("" is a quote inside); lines end with CRLF or LF; empty lines are passed over; a byte order
// mark in front is too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::codec {

// One record with all its line ends may have this many bytes: a quote that is never closed would else take the memory.
inline constexpr size_t kMaxCsvRecordBytes = 1U << 20;

// One thread.
class CsvReader {
 public:
  // `delimiter` stands between fields; not a quote, not a line end.
  explicit CsvReader(char delimiter = ',') : delimiter_(delimiter) {}

  // Takes the next piece of the text, of any size; copied. `last`: nothing follows.
  void feed(std::string_view piece, bool last);

  // The next record; nothing when more text is needed or all is read. RecordMalformed (a quote inside a plain field,
  // text behind a closing quote, a quoted field cut off at the end) or RecordTooLarge, whose message names the line;
  // reading goes on behind that record. The fields live until the next call.
  [[nodiscard]] Result<std::optional<std::vector<std::string_view>>> next();

  // A last line without a line end was read: the file may have been cut off within it.
  [[nodiscard]] bool last_line_was_open() const { return last_line_was_open_; }
  // The text of the record, or of what was refused, that next() dealt with last, without its line end; lives until the
  // next feed().
  [[nodiscard]] std::string_view record() const { return std::string_view(text_).substr(record_at_, record_size_); }
  // Where record() begins, in bytes from the start of the text.
  [[nodiscard]] size_t record_offset() const { return dropped_ + record_at_; }
  // The line the last record began in, from 1.
  [[nodiscard]] size_t line() const { return record_line_; }

 private:
  [[nodiscard]] std::optional<size_t> record_end();
  [[nodiscard]] Result<std::vector<std::string_view>> split(std::string_view record);
  [[nodiscard]] Result<std::string_view> quoted_field(std::string_view& rest);
  [[nodiscard]] std::unexpected<Error> malformed(ErrorCode code, std::string_view what) const;

  char delimiter_;
  std::string text_;
  size_t dropped_ = 0;  // bytes that stood before text_
  size_t record_at_ = 0;
  size_t record_size_ = 0;
  size_t at_ = 0;       // the next record
  size_t scanned_ = 0;  // how far record_end() has looked
  bool in_quotes_ = false;
  bool skipping_ = false;  // the rest of a record that was too large
  bool last_ = false;
  bool started_ = false;
  bool last_line_was_open_ = false;
  size_t next_line_ = 1;
  size_t record_line_ = 1;
  std::string unquoted_;  // what the quoted fields of the record say
};

}  // namespace tidegate::codec
