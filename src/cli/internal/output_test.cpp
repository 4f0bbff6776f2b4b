#include "cli/internal/output.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "cli/internal/live_printer.h"

namespace tidegate::cli {
namespace {

TEST_CASE("tables align, numbers to the right") {
  const std::string table = render_table({{"meter", false}, {"rows", true}, {"note", false}},
                                         {{"m-1", "5", "fine"}, {"mètre-10", "12345", "-"}}, "nothing");
  CHECK(table ==
        "meter      rows  note\n"
        "m-1           5  fine\n"
        "mètre-10  12345  -\n");
  CHECK(render_table({{"a", false}}, {}, "no devices yet") == "no devices yet\n");
}

TEST_CASE("values in cells") {
  CHECK(cell_text(nullptr) == "-");
  CHECK(cell_text("plain") == "plain");
  CHECK(cell_text(234.83333333333334) == "234.833333");
  CHECK(cell_text(4.5) == "4.5");
  CHECK(cell_text(int64_t{9'007'199'254'740'993}) == "9007199254740993");
  CHECK(cell_text(true) == "true");
}

TEST_CASE("JSON is printed as it came") {
  for (const char* text : {R"({"a":4.216,"b":[1,-2.5,null],"c":{"d":"x\"y"},"e":[],"f":{}})", "[]", "0.1", "true",
                           "9007199254740993", "1e+300"}) {
    CHECK(json_text(boost::json::parse(text)) == text);
  }
}

TEST_CASE("text from devices cannot steer the terminal") {
  CHECK(printable("a\x1b[31mred\x07\r\n") == "a?[31mred???");
  CHECK(printable("\xC2\x9B"
                  "31m") == "?31m");
  CHECK(printable("grün") == "grün");
}

TEST_CASE("live rows are printed as a table under one header") {
  LivePrinter printer(OutputFormat::kTable, 0);
  CHECK(printer.text_of({"schema", R"({"columns":[{"name":"meter","type":"STRING"},{"name":"kw","type":"DOUBLE"}]})"})
            .empty());
  CHECK(printer.text_of({"rows", R"([{"meter":"m-1","kw":4.25},{"meter":"m-2","kw":null}])"}) ==
        "meter              kw\n"
        "m-1              4.25\n"
        "m-2                 -\n");
  CHECK(printer.text_of({"rows", R"([{"meter":"m-3","kw":1,"_op":"delete"}])"}) == "m-3                 1  (delete)\n");
  CHECK(printer.text_of({"missed", R"({"rows":17})"}).find("17 rows were left out") != std::string::npos);
  CHECK(printer.missed() == 17);
  CHECK_FALSE(printer.finished());
  CHECK(printer.text_of({"end", R"({"error":"stream dropped"})"}).empty());
  CHECK(printer.finished());
  CHECK(printer.error() == "stream dropped");
}

TEST_CASE("live rows as JSON lines, ended by the limit") {
  LivePrinter printer(OutputFormat::kJson, 2);
  CHECK(printer.text_of({"rows", R"([{"a":1.5},{"a":2},{"a":3}])"}) == "{\"a\":1.5}\n{\"a\":2}\n");
  CHECK(printer.finished());
  CHECK(printer.rows() == 2);
}

TEST_CASE("nonsense from the server is not a crash") {
  LivePrinter printer(OutputFormat::kTable, 0);
  for (const char* data : {"", "[", "{}", "[1,2]", "null", "[[]]"}) {
    for (const char* name : {"schema", "rows", "missed", "end", "other"}) {
      const std::string text = printer.text_of({name, data});
      CHECK(text.size() < 200);
    }
  }
}

}  // namespace
}  // namespace tidegate::cli
