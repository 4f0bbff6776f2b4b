#include "codec/csv_reader.h"

#include <doctest/doctest.h>

namespace tidegate::codec {
namespace {

// Records as "a|b" lines, errors as "!line ...".
std::string read_all(std::string_view text, size_t piece, bool* open = nullptr) {
  CsvReader reader;
  std::string out;
  for (size_t at = 0; at <= text.size(); at += piece) {
    reader.feed(text.substr(at, piece), at + piece > text.size());
    while (true) {
      const auto record = reader.next();
      if (!record) {
        out += "!" + record.error().message + "\n";
        continue;
      }
      if (!record->has_value()) break;
      for (const std::string_view field : **record) (out += field) += "|";
      out += "\n";
    }
  }
  if (open != nullptr) *open = reader.last_line_was_open();
  return out;
}

TEST_CASE("fields, quotes and line ends, in pieces of any size") {
  const std::string text =
      "\xEF\xBB\xBF"
      "a,b\r\n\"x,\"\"y\"\"\",\n\n\"two\nlines\",2\r\n,\n\"\",z\n";
  const std::string expected = "a|b|\nx,\"y\"||\ntwo\nlines|2|\n||\n|z|\n";
  for (size_t piece = 1; piece < text.size() + 2; ++piece) {
    bool open = true;
    CHECK(read_all(text, piece, &open) == expected);
    CHECK_FALSE(open);
  }
}

TEST_CASE("a broken record is reported with its line, the next ones are read") {
  CHECK(read_all("a\nb\"c\nd\n", 100) == "a|\n!line 2: a quoted field is not closed before the text ends\n");
  CHECK(read_all("a\nb\"c\"\nd\n", 100) == "a|\n!line 2: a quote stands inside a field that is not quoted\nd|\n");
  CHECK(read_all("\"a\"b\nd\n", 100) == "!line 1: text follows the closing quote of a field\nd|\n");
  bool open = false;
  CHECK(read_all("a,b\nc,", 3, &open) == "a|b|\nc||\n");
  CHECK(open);
  CHECK(read_all("", 3) == "");
}

TEST_CASE("a quote that is never closed does not take the memory") {
  const std::string text = "\"" + std::string(3 * kMaxCsvRecordBytes, 'x') + "\nafter\n";
  CHECK(read_all(text, 65'536) == "!line 1: the record is too large; is a quote not closed?\nafter|\n");
}

}  // namespace
}  // namespace tidegate::codec
