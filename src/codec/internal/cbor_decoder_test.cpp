#include <doctest/doctest.h>

#include "codec/internal/cbor_reader.h"
#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

std::string from_hex(std::string_view digits) {
  std::string out;
  const auto nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    out += static_cast<char>(nibble(digits[at]) * 16 + nibble(digits[at + 1]));
  }
  return out;
}

std::string as_json(std::string_view hex) {
  const std::string bytes = from_hex(hex);
  Document document;
  CborReader reader(bytes);
  const auto outcome = reader.read(document);
  if (!outcome) return outcome.error();
  if (!reader.done()) return "bytes are left";
  std::string out;
  document.append_json(Document::root(), out);
  return out;
}

TEST_CASE("items of RFC 8949 appendix A") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"00", "0"},
      {"1818", "24"},
      {"1b000000e8d4a51000", "1000000000000"},
      {"1bffffffffffffffff", "1.8446744073709552e+19"},
      {"c249010000000000000000", "1.8446744073709552e+19"},
      {"3bffffffffffffffff", "-1.8446744073709552e+19"},
      {"c349010000000000000000", "-1.8446744073709552e+19"},
      {"20", "-1"},
      {"3903e7", "-1000"},
      {"f93c00", "1"},
      {"f97bff", "65504"},
      {"f90001", "5.960464477539063e-08"},
      {"f9c400", "-4"},
      {"fa47c35000", "100000"},
      {"fb3ff199999999999a", "1.1"},
      {"f4", "false"},
      {"f6", "null"},
      {"f7", "null"},
      {"c074323031332d30332d32315432303a30343a30305a", R"("2013-03-21T20:04:00Z")"},
      {"c11a514b67b0", R"("2013-03-21T20:04:00.000Z")"},
      {"c1fb41d452d9ec200000", R"("2013-03-21T20:04:00.500Z")"},
      {"c48221196ab3", "273.15"},
      {"c5822003", "1.5"},
      {"d74401020304", R"("AQIDBA")"},
      {"40", R"("")"},
      {"6449455446", R"("IETF")"},
      {"62225c", R"("\"\\")"},
      {"8301820203820405", "[1,[2,3],[4,5]]"},
      {"a201020304", R"({"1":2,"3":4})"},
      {"a26161016162820203", R"({"a":1,"b":[2,3]})"},
      {"a12008", R"({"-1":8})"},
      {"5f42010243030405ff", R"("AQIDBAU")"},
      {"7f657374726561646d696e67ff", R"("streaming")"},
      {"9fff", "[]"},
      {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
      {"bf6346756ef563416d7421ff", R"({"Fun":true,"Amt":-2})"},
      {"d9d9f783010203", "[1,2,3]"},
  };
  for (const auto& [hex, json] : cases) CHECK(as_json(hex) == json);
}

TEST_CASE("what is no CBOR is told with its place") {
  for (const char* hex :
       {"18",       "1c",           "62", "6261", "81",         "a1",       "a101",   "ff", "9f",     "1f",
        "5f6101ff", "5f5f4101ffff", "c1", "c201", "c4820102ff", "c4830102", "a1f401", "f8", "bf01ff", "7fff00"}) {
    const std::string text = as_json(hex);
    const bool refused = text.starts_with("not valid CBOR: ") || text == "bytes are left";
    CHECK_MESSAGE(refused, std::string(hex), " became ", text);
  }
  CHECK(as_json("6261") == "not valid CBOR: a string goes past the end at byte 1");
  std::string deep;
  for (int at = 0; at < 100; ++at) deep += "81";
  CHECK(as_json(deep + "00").find("nested too deeply") != std::string::npos);
  CHECK(as_json("9b7fffffffffffffff").find("the payload ends") != std::string::npos);
}

TEST_CASE("maps become rows, alone, one after the other, and in arrays") {
  DecoderFixture fixture({{"format", "cbor"}});
  // {"device":"m","value":21.5,"ts":1(1700000000),"ok":true}
  const std::string one = from_hex("a466646576696365616d6576616c7565f94d60627473c11a6553f100626f6bf5");
  const std::string row =
      R"({"device":"m","ts":"2023-11-14T22:13:20.000Z","value":21.5,"n":null,"total":null,"ok":true,)"
      R"("note":null,"wall":null})"
      "\n";
  CHECK(fixture.decode(one) == row);
  CHECK(fixture.decode(one + one) == row + row);
  CHECK(fixture.decode(from_hex("82") + one + one) == row + row);
  CHECK(fixture.decode(from_hex("9f") + one + one + from_hex("ff")) == row + row);
  // A bad one costs itself, and what is behind it only when nobody knows where that begins.
  CHECK(fixture.decode(from_hex("83") + one + from_hex("05") + one) == row + row);
  CHECK(fixture.misfits.reasons.front() == "a record must be an object, but 5 came");
  CHECK(fixture.decode(one + from_hex("a1")) == row);
  CHECK(fixture.misfits.reasons.front() == "not valid CBOR: the payload ends at byte 33");
  CHECK(fixture.misfits.records.front() == "hex:a1");
  CHECK(fixture.reason("").starts_with("the payload is empty"));
  // {"device":"m","value":"x"}
  CHECK(fixture.reason(from_hex("a266646576696365616d6576616c75656178")) ==
        "column 'value' expects DOUBLE, but \"x\" came");
  CHECK(fixture.misfits.records.front() == R"({"device":"m","value":"x"})");
}

TEST_CASE("paths work in CBOR as in JSON, integers as keys too") {
  DecoderFixture fixture({{"format", "cbor"}, {"field.value", "$.1.0"}, {"field.n", "$['-2']"}});
  fixture.rules.default_device = fixture.devices.intern("m");
  // {1:{0:2.5},-2:7}
  CHECK(fixture.decode(from_hex("a201a100f941002107")).find(R"("value":2.5,"n":7)") != std::string::npos);
}

}  // namespace
}  // namespace tidegate::codec
