#include <doctest/doctest.h>

#include <set>
#include <string>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/ids.h"

namespace tidegate {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::BadRequest, "odd", "give an even number");
  return value / 2;
}

Result<int> quarter(int value) {
  TRY_ASSIGN(const int once, half(value));
  return half(once);
}

}  // namespace

TEST_CASE("an error reaches the caller of the caller unchanged") {
  CHECK(quarter(8) == 2);
  const auto failed = quarter(6);
  REQUIRE(!failed);
  CHECK(failed.error().to_string() == "TG6002 odd. give an even number");
}

TEST_CASE("an error in a text shows the line and a caret below the column") {
  const Error error{ErrorCode::SqlUnknownColumn, "unknown column 'tmp'", "did you mean 'temp'?", TextPosition{2, 8}};
  CHECK(error.to_string() == "TG2003 unknown column 'tmp' (line 2, column 8). did you mean 'temp'?");
  CHECK(error.to_string_with_source("INSERT INTO t\nSELECT tmp FROM s\n") ==
        "error TG2003: unknown column 'tmp'\n"
        "   2 | SELECT tmp FROM s\n"
        "     |        ^\n"
        "hint: did you mean 'temp'?\n");
}

TEST_CASE("error numbers are unique and have a name, a meaning and an HTTP status") {
  std::set<int> numbers;
#define TIDEGATE_ERROR(number, name, http_status, meaning)  \
  CHECK(numbers.insert(number).second);                     \
  CHECK(error_name(ErrorCode::name) == #name);              \
  CHECK(error_http_status(ErrorCode::name) == http_status); \
  CHECK(!error_meaning(ErrorCode::name).empty());
#include "base/error_codes.inc"
#undef TIDEGATE_ERROR
}

TEST_CASE("bytes are read back as written") {
  std::string out;
  ByteWriter writer(out);
  writer.fixed<uint32_t>(7);
  writer.varint(300);
  writer.zigzag(-5);
  writer.zigzag(INT64_MIN);
  writer.varint(UINT64_MAX);
  writer.text("tide");
  ByteReader reader(out);
  CHECK(reader.fixed<uint32_t>() == 7);
  CHECK(reader.varint() == 300);
  CHECK(reader.zigzag() == -5);
  CHECK(reader.zigzag() == INT64_MIN);
  CHECK(reader.varint() == UINT64_MAX);
  CHECK(reader.text() == "tide");
  CHECK(reader.finished());
}

TEST_CASE("reading past the end says so and yields zeros, wherever the bytes are cut") {
  std::string whole;
  ByteWriter writer(whole);
  writer.fixed<uint64_t>(1);
  writer.text("gate");
  for (size_t size = 0; size < whole.size(); ++size) {
    ByteReader reader(std::string_view(whole).substr(0, size));
    reader.fixed<uint64_t>();
    reader.text();
    CHECK_FALSE(reader.ok());
  }
  const std::string ones(12, '\xff');
  ByteReader endless(ones);
  CHECK(endless.varint() == 0);
  CHECK_FALSE(endless.ok());
}

TEST_CASE("murmur2 gives what Kafka's Java client gives") {
  // From the client's own unit test (org.apache.kafka.common.utils.UtilsTest.testMurmur2).
  CHECK(static_cast<int32_t>(murmur2("21")) == -973932308);
  CHECK(static_cast<int32_t>(murmur2("foobar")) == -790332482);
  CHECK(static_cast<int32_t>(murmur2("a-little-bit-long-string")) == -985981536);
  CHECK(static_cast<int32_t>(murmur2("a-little-bit-longer-string")) == -1486304829);
  CHECK(static_cast<int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")) == -58897971);
  CHECK(static_cast<int32_t>(murmur2("abc")) == 479470107);
}

TEST_CASE("hash64 spreads similar keys of every length") {
  std::set<uint64_t> hashes;
  for (int number = 0; number < 2000; ++number) hashes.insert(hash64("meter-" + std::to_string(number)));
  for (size_t length = 0; length < 200; ++length) hashes.insert(hash64(std::string(length, 'x')));
  CHECK(hashes.size() == 2200);
}

TEST_CASE("guarded data is reached through its lock") {
  Guarded<int> counter(40);
  *counter.lock() += 2;
  CHECK(*std::as_const(counter).lock() == 42);
}

TEST_CASE("Base64 goes both ways, and devices may leave the padding out or use the other alphabet") {
  const std::string bytes("\x00\xff\xfe\x3e~", 5);
  std::string padded;
  encode_base64(bytes, padded);
  CHECK(padded == "AP/+Pn4=");
  std::string url;
  encode_base64url(bytes, url);
  CHECK(url == "AP_-Pn4");
  for (const std::string_view text : {"AP/+Pn4=", "AP/+Pn4", "AP_-Pn4", "AP_-Pn4="}) {
    std::string out;
    CHECK(decode_any_base64(text, out));
    CHECK(out == bytes);
  }
  std::string out;
  CHECK(decode_base64("AP/+Pn4=", out));
  CHECK(out == bytes);
  for (const std::string_view text : {"AP_-Pn4", "AP/+Pn4", "A", "AA=A", "=", "====", "AB C"}) {
    std::string unused;
    CHECK_FALSE(decode_base64(text, unused));
  }
  for (const std::string_view text : {"A", "AP/+Pn4==", "AA=A", "=", "A===", "AB C", "AAAAA"}) {
    std::string unused;
    CHECK_FALSE(decode_any_base64(text, unused));
  }
  std::string nothing;
  CHECK(decode_any_base64("", nothing));
  CHECK(nothing.empty());
}

TEST_CASE("ids of different kinds are different types") {
  static_assert(!std::is_convertible_v<Offset, int64_t>);
  static_assert(!std::is_same_v<EventTime, IngestTime>);
  CHECK(Offset{1} < Offset{2});
}

}  // namespace tidegate
