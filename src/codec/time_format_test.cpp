#include "codec/time_format.h"

#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"
#include "codec/internal/scalar.h"
#include "codec/timestamp_text.h"

namespace tidegate::codec {
namespace {

using columnar::TypeKind;

std::string shown(std::optional<int64_t> time_us, TypeKind type = TypeKind::kTimestampLtz) {
  if (!time_us) return "none";
  std::string out;
  append_timestamp(*time_us, type, out);
  return out;
}

std::string read(std::string_view format, const Scalar& value, const char* zone = nullptr,
                 TypeKind type = TypeKind::kTimestampLtz) {
  auto parsed = TimeFormat::parse(format);
  REQUIRE(parsed.has_value());
  if (zone != nullptr) {
    parsed->set_zone(io::find_time_zone(zone));
    REQUIRE(io::find_time_zone(zone) != nullptr);
  }
  return shown(parsed->read(value, type), type);
}

Scalar text(std::string_view value) { return Scalar::of(value); }

TEST_CASE("numbers count in the unit that is agreed on, as text too") {
  CHECK(read("epoch-s", Scalar::of(int64_t{1'700'000'000})) == "2023-11-14T22:13:20.000Z");
  CHECK(read("epoch-s", Scalar::of(1'700'000'000.123)) == "2023-11-14T22:13:20.123Z");
  CHECK(read("epoch-s", text("1700000000.5")) == "2023-11-14T22:13:20.500Z");
  CHECK(read("epoch-ms", text(" 1700000000123 ")) == "2023-11-14T22:13:20.123Z");
  CHECK(read("epoch-us", Scalar::of(int64_t{1'700'000'000'123'999})) == "2023-11-14T22:13:20.123Z");
  CHECK(read("epoch-ns", Scalar::of(int64_t{1'700'000'000'123'999'999})) == "2023-11-14T22:13:20.123Z");
  CHECK(read("epoch-ns", Scalar::of(int64_t{-1})) == "1969-12-31T23:59:59.999Z");
  CHECK(read("epoch-s", Scalar::of(int64_t{9'000'000'000'000'000'000})) == "none");
  CHECK(read("epoch-s", Scalar::of(1e300)) == "none");
  CHECK(read("epoch-s", text("soon")) == "none");
  CHECK(read("epoch-s", Scalar::boolean(true)) == "none");
  CHECK(shown(TimeFormat().read(text("1700000000000"), TypeKind::kTimestampLtz)) == "none");
  CHECK(shown(TimeFormat().read(Scalar::word("1700000000000"), TypeKind::kTimestampLtz)) == "2023-11-14T22:13:20.000Z");
}

TEST_CASE("a zone is for texts that name none, and for wall-clock columns") {
  CHECK(read("iso", text("2026-07-01T12:00:00"), "Europe/Berlin") == "2026-07-01T10:00:00.000Z");
  CHECK(read("iso", text("2026-01-01 12:00:00"), "Europe/Berlin") == "2026-01-01T11:00:00.000Z");
  CHECK(read("iso", text("2026-07-01T12:00:00Z"), "Europe/Berlin") == "2026-07-01T12:00:00.000Z");
  CHECK(read("iso", text("2026-07-01T12:00:00+05:30"), "Europe/Berlin") == "2026-07-01T06:30:00.000Z");
  // The hour that is skipped, and the one that comes twice (its first).
  CHECK(read("iso", text("2026-03-29T02:30:00"), "Europe/Berlin") == "2026-03-29T01:30:00.000Z");
  CHECK(read("iso", text("2026-10-25T02:30:00"), "Europe/Berlin") == "2026-10-25T00:30:00.000Z");
  CHECK(read("epoch-s", Scalar::of(int64_t{1'782'900'000}), "Europe/Berlin", TypeKind::kTimestamp) ==
        "2026-07-01T12:00:00.000");
  CHECK(read("iso", text("2026-07-01T12:00:00Z"), "Europe/Berlin", TypeKind::kTimestamp) == "2026-07-01T12:00:00.000");
  CHECK(read("iso", Scalar::of(int64_t{5})) == "none");
}

TEST_CASE("patterns") {
  CHECK(read("dd.MM.yyyy HH:mm:ss", text("31.12.2025 23:59:58")) == "2025-12-31T23:59:58.000Z");
  CHECK(read("d.M.yy H:mm", text("1.2.26 7:05"), "Europe/Berlin") == "2026-02-01T06:05:00.000Z");
  CHECK(read("yyyyMMdd'T'HHmmss.SSSSSSX", text("20260102T030405.678999+01")) == "2026-01-02T02:04:05.678Z");
  CHECK(read("MMM dd yyyy hh:mm a", text("Jul 04 2026 12:30 am")) == "2026-07-04T00:30:00.000Z");
  CHECK(read("MMM dd yyyy hh:mm a", text("jul 04 2026 01:30 PM")) == "2026-07-04T13:30:00.000Z");
  CHECK(read("EEEE, d MMMM yyyy HH:mm Z", text("Saturday, 4 July 2026 12:30 +0200")) == "2026-07-04T10:30:00.000Z");
  CHECK(read("yyyy-MM-dd HH:mmX", text("2026-07-04 12:30z")) == "2026-07-04T12:30:00.000Z");
  CHECK(read("yyyy-MM-dd HH:mmX", text("2026-07-04 12:30+19:00")) == "none");
  CHECK(read("yyyy-MM-dd", text("2026-02-28")) == "2026-02-28T00:00:00.000Z");
  CHECK(read("yyyy-MM-dd'''o''clock'", text("2026-02-28'o'clock")) == "none");
  for (const char* bad : {"2026-02-29", "2026-2-28", "2026-02-28x", "26-02-28", "", "2026-13-01", "0000-01-01"}) {
    CHECK(read("yyyy-MM-dd", text(bad)) == "none");
  }
  for (const char* bad :
       {"", "HH:mm", "yyyy-MM-dd hh:mm", "yyyyy-MM-dd", "yyyy-MM-dd QQ", "yyyy-MM-dd 'T", "yyyy-yyyy"}) {
    CHECK_FALSE(TimeFormat::parse(bad).has_value());
  }
}

TEST_CASE("formats and zones are set for all columns or for one") {
  DecoderFixture fixture({{"timestamp.format", "epoch-s"},
                          {"timestamp.format.WALL", "dd.MM.yyyy HH:mm"},
                          {"timestamp.zone", "Asia/Tokyo"}});
  CHECK(fixture.decode(R"({"device":"m","ts":1700000000,"wall":"02.01.2026 03:04"})") ==
        R"({"device":"m","ts":"2023-11-14T22:13:20.000Z","value":null,"n":null,"total":null,"ok":null,"note":null,)"
        R"("wall":"2026-01-02T03:04:00.000"})"
        "\n");
  CHECK(fixture.reason(R"({"device":"m","ts":"2026-01-01T00:00:00Z"})") ==
        "column 'ts' expects TIMESTAMP_LTZ(3): seconds since 1970, year 1 to 9999, but \"2026-01-01T00:00:00Z\" came");
  CHECK(fixture.reason(R"({"device":"m","wall":"2026"})") ==
        "column 'wall' expects TIMESTAMP(3): text as 'dd.MM.yyyy HH:mm' has it, but \"2026\" came");
  CHECK(DecoderFixture({{"timestamp.zone", "Berlin"}}).refused ==
        "timestamp.zone: 'timestamp.zone' cannot be 'Berlin'");
  CHECK(DecoderFixture({{"timestamp.format", "QQ"}}).refused.starts_with("timestamp.format: "));
  CHECK(DecoderFixture({{"timestamp.format.value", "iso"}}).refused.starts_with("timestamp.format.value: "));
  CHECK(DecoderFixture({{"timestamp.zone.x", "UTC"}}).refused.starts_with("timestamp.zone.x: unknown column 'x'"));
}

TEST_CASE("a missing event time can be the time of arrival") {
  DecoderFixture fixture({{"timestamp.default", "arrival"}});
  fixture.rules.default_time_us = 1'000'000;
  for (int round = 0; round < 3; ++round) {
    CHECK(fixture.decode(R"({"device":"m","n":1})").find("1970-01-01T00:00:01.000Z") != std::string::npos);
    CHECK(fixture.decode(R"({"device":"m","ts":null})").find("1970-01-01T00:00:01.000Z") != std::string::npos);
    CHECK(fixture.decode(R"({"device":"m","ts":5})").find("1970-01-01T00:00:00.005Z") != std::string::npos);
  }
  CHECK(DecoderFixture({{"timestamp.default", "now"}}).refused.starts_with("timestamp.default: "));
}

}  // namespace
}  // namespace tidegate::codec
