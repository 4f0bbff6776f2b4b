// Columns to bytes and back, by themselves: random ones of every type, and those that older versions wrote.
#include "log/internal/column_codec.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "columnar/random_rows.h"

namespace tidegate::log::internal {

using columnar::Type;
using columnar::TypeKind;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

std::string encoded(const columnar::Column& column) {
  std::string bytes;
  encode_column(column, nullptr, bytes);
  return bytes;
}

template <class T>
columnar::ColumnPtr column_of(TypeKind type, std::initializer_list<T> values, bool null_behind = false) {
  columnar::ColumnBuilder builder(type);
  for (const T& value : values) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      builder.append_string(value);
    } else {
      builder.append(value);
    }
  }
  if (null_behind) builder.append_null();
  return builder.finish();
}

}  // namespace

TEST_CASE("random columns of every type come back as they were, and cut ones are refused") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    const auto schema = columnar::random_schema(random, 1);
    const columnar::Batch rows = columnar::random_batch(schema, random.below(200), random);
    const std::string bytes = encoded(*rows.columns[0]);
    ByteReader in(bytes);
    const auto back = decode_column(in, schema->fields[0].type, rows.rows, nullptr);
    REQUIRE(back);
    CHECK(in.finished());
    const columnar::Batch again{schema, {*back}, {}, rows.rows};
    CHECK(columnar::same_rows(again, rows));
    ByteReader cut(std::string_view(bytes).substr(0, random.below(bytes.size())));
    const auto refused = decode_column(cut, schema->fields[0].type, rows.rows, nullptr);
    if (refused) CHECK_FALSE(cut.ok());
    ByteReader other(bytes);
    CHECK_FALSE(decode_column(other, TypeKind::kInterval, rows.rows, nullptr));
  }
}

TEST_CASE("what older versions wrote is what is written and read now") {
  struct Case {
    columnar::ColumnPtr column;
    std::string_view bytes;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {column_of<uint8_t>(TypeKind::kBoolean, {1, 0}), "0102000100"},
      {column_of<int32_t>(TypeKind::kInt, {7, -1}, true), "0200010300000000000000000101080001"},
      {column_of<int64_t>(TypeKind::kBigint, {1, 1000}), "0300000002020000e703"},
      {column_of<double>(TypeKind::kDouble, {21.5}), "0401000000000000803540"},
      {column_of<std::string_view>(TypeKind::kString, {"ab"sv, ""sv}), "05030000010002006162"},
      {column_of<int64_t>(TypeKind::kTimestamp, {0, 1000, 2000}), "0600000002000000e803d007"},
      {column_of<int64_t>(TypeKind::kTimestampLtz, {5}), "07000000000a"},
  };
  for (const Case& each : cases) {
    CHECK(hex(encoded(*each.column)) == each.bytes);  // so that what was written is read back is shown above
  }
}

}  // namespace tidegate::log::internal
