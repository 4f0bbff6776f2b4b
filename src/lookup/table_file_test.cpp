#include "lookup/table_file.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include "lookup/row_bytes.h"

namespace tidegate::lookup {

namespace {

using columnar::TypeKind;

catalog::TableDefinition tariffs(std::map<std::string, std::string> options = {}, bool versioned = false) {
  catalog::TableDefinition table;
  table.name = "tariffs";
  table.schema =
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"zone", TypeKind::kString, false},
                                                                 {"n", TypeKind::kInt, true},
                                                                 {"price", TypeKind::kDouble, true},
                                                                 {"since", TypeKind::kTimestampLtz, false}}});
  table.key = {0};
  if (versioned) table.version_column = 3;
  table.options = std::move(options);
  table.options["format"] = "csv";
  return table;
}

std::string refusal(const catalog::TableDefinition& table, std::string_view text) {
  const auto rows = read_table_file(table, text);
  if (rows) return fmt::format("{} rows", rows->rows);
  CHECK(rows.error().code == ErrorCode::TableRefused);
  return rows.error().message + (rows.error().hint.empty() ? "" : ". " + rows.error().hint);
}

}  // namespace

TEST_CASE("a file becomes rows in the order of their keys, whatever their order in it") {
  const auto table = tariffs({{"csv.header", "true"}}, true);
  const auto rows = read_table_file(table,
                                    "\xEF\xBB\xBFsince,PRICE,zone,comment,n\r\n"
                                    "2026-02-01T00:00:00Z,2.5,south,x,1\r\n"
                                    "2026-03-01T00:00:00Z,,north,\"a \"\"b\"\"\",\r\n"
                                    "2026-01-01T00:00:00Z,1,north,,7\r\n"
                                    "2025-01-01T00:00:00Z,3,south,,2");
  REQUIRE_MESSAGE(rows.has_value(), (rows ? "" : rows.error().to_string()));
  REQUIRE(rows->rows == 4);
  CHECK(rows->columns[0]->string_at(0) == "north");
  CHECK(rows->columns[1]->values<int32_t>()[0] == 7);
  CHECK(!rows->columns[1]->valid(1));
  CHECK(!rows->columns[2]->valid(1));
  CHECK(rows->columns[0]->string_at(2) == "south");
  CHECK(rows->columns[2]->values<double>()[2] == 3);
  CHECK(rows->columns[2]->values<double>()[3] == 2.5);
}

TEST_CASE("a file is refused as a whole, with the lines that are wrong") {
  const auto plain = tariffs();
  const auto headed = tariffs({{"csv.header", "true"}});
  const std::string good = "north,1,2,2026-01-01T00:00:00Z\n";
  CHECK(refusal(plain, good) == "1 rows");
  CHECK(refusal(plain, "") ==
        "the file is empty, or being written. A table without rows is a file with the names of its columns alone "
        "('csv.header' = 'true')");
  CHECK(refusal(headed, "zone,n,price,since\n") == "0 rows");
  CHECK(refusal(headed, " \n") != "0 rows");
  CHECK(refusal(headed, "zone,n,since\nnorth,1,2026-01-01T00:00:00Z\n") ==
        "line 1: the header does not name the column 'price'. It says: zone, n, since");
  CHECK(refusal(plain, "zone,n,price,since\n" + good).find("line 1: ") == 0);
  CHECK(refusal(plain, "zone,n,price,since\n" + good).find("add 'csv.header' = 'true'") != std::string::npos);
  CHECK(refusal(plain, good + "south,x,2,2026-01-01T00:00:00Z\n").find("line 2: ") == 0);
  CHECK(refusal(plain, good + good).find("lines 1 and 2 have the same key (zone = 'north'). Which") == 0);
  CHECK(refusal(headed, "zone,n,price,since\n\n" + good + "\n" + good).find("lines 3 and 5 have the same key") == 0);
  CHECK(refusal(plain, ",1,2,2026-01-01T00:00:00Z\n") == "line 1: the key 'zone' is empty");
  CHECK(refusal(plain, "north,1,2,\n").find("line 1: ") == 0);
  CHECK(refusal(plain, good + "\"south,1,2,2026-01-01T00:00:00Z\n" + good).find("line 2: ") == 0);
  CHECK(refusal(plain, "a\nb\nc\nd\ne\nf\n").find("line 4: ") != std::string::npos);
  CHECK(refusal(plain, "a\nb\nc\nd\ne\nf\n").find("; and 2 more lines") != std::string::npos);
  CHECK(refusal(plain, std::string(kMaxFileBytes + 1, 'x')).find("the limit is") != std::string::npos);
  const auto versioned = tariffs({}, true);
  CHECK(refusal(versioned, good + "north,1,2,2026-01-02T00:00:00Z\n") == "2 rows");
  CHECK(refusal(versioned, good + "north,2,3,2026-01-01T01:00:00+01:00\n").find("and the same 'since'") !=
        std::string::npos);
}

TEST_CASE("rows survive as bytes") {
  const auto table = tariffs();
  const auto rows = read_table_file(table, "north,,2,2026-01-01T00:00:00Z\n\"\xC3\xA9\",-5,,1969-12-31T00:00:00Z\n");
  REQUIRE(rows.has_value());
  const std::string bytes = encode_rows(*rows);
  const auto again = decode_rows(bytes, table.schema, rows->rows);
  REQUIRE(again.has_value());
  CHECK(encode_rows(*again) == bytes);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    CHECK(!decode_rows(std::string_view(bytes).substr(0, cut), table.schema, rows->rows).has_value());
  }
  CHECK(!decode_rows(bytes, table.schema, rows->rows + 1).has_value());
  CHECK(!decode_rows(bytes, table.schema, rows->rows - 1).has_value());
  CHECK(!decode_rows("", table.schema, SIZE_MAX).has_value());
}

}  // namespace tidegate::lookup
