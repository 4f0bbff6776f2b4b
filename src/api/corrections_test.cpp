#include "api/corrections.h"

#include "api/internal/fixture.h"

namespace tidegate::api {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), v DOUBLE, n INT NOT NULL, q STRING, who STRING,"
    " WATERMARK FOR ts AS ts) WITH ('device' = 'device', 'quality' = 'q', 'author' = 'who', 'range.v' = '0..10')";
constexpr const char* kTarget = "/api/v1/streams/readings/corrections";

TEST_CASE("a correction follows its record, which stays, and is written down") {
  Platform site(false);
  REQUIRE(site.apply(kTable).status == 200);
  REQUIRE(site.call("POST", "/api/v1/streams/readings/records", R"({"device":"a","ts":1000,"v":11,"n":7})").status ==
          200);
  const auto made =
      site.call("POST", kTarget, R"({"device":"a","time":1000,"values":{"v":"9.5"},"reason":"it was 9.5"})");
  CHECK(made.status == 201);
  CHECK(contains(made.body, R"("found":true,"changed":[{"column":"v","before":"11","after":"9.5"}])"));
  const auto records = site.get("/api/v1/streams/readings/records?from=0").body;
  CHECK(contains(records, R"("v":11,"n":7,"q":"bad","who":"developer")"));
  CHECK(contains(records, R"("v":9.5,"n":7,"q":"substituted","who":"developer")"));
  const auto notes = site.get("/api/v1/streams/corrections/records?from=0").body;
  CHECK(contains(notes,
                 R"("stream":"readings","record_time":"1970-01-01T00:00:01.000Z","column_name":"v","old_value":"11",)"
                 R"("new_value":"9.5","author":"developer","reason":"it was 9.5")"));
  const auto events = must(site.audit->newest(1));
  CHECK(events.front().what == "record.correct");
  CHECK(events.front().target == "readings");
}

TEST_CASE("what cannot be is refused and leaves no record") {
  Platform site(false);
  REQUIRE(site.apply(kTable).status == 200);
  const auto refused = [&](std::string body) { return site.call("POST", kTarget, std::move(body)).body; };
  // Without a record there is nothing to take the column from that must not be NULL.
  CHECK(
      contains(refused(R"({"device":"a","time":1000,"values":{"v":1},"reason":"r"})"), "column 'n' must not be NULL"));
  CHECK(contains(refused(R"({"device":"a","time":1000,"values":{"v":10.5,"n":1},"reason":"r"})"),
                 "outside of its range"));
  CHECK(contains(refused(R"({"device":"a","time":1000,"values":{"v":1,"n":null},"reason":"r"})"), "must not be NULL"));
  CHECK(contains(refused(R"({"device":"a","time":1000,"values":{"who":"eve","n":1},"reason":"r"})"),
                 "cannot be corrected"));
  CHECK(contains(refused("[]"), "6002"));
  CHECK(contains(site.get("/api/v1/streams/readings").body, R"("end_offset":0)"));
  CHECK(contains(site.get("/api/v1/streams/corrections").body, R"("end_offset":0)"));
  CHECK(site.call("POST", kTarget, R"({"device":"a","time":1000,"values":{"v":1,"n":1},"reason":"r"})").status == 201);
}

TEST_CASE("what an event time is computed from is not corrected") {
  Platform site(false);
  REQUIRE(site.apply("CREATE TABLE readings (device STRING, epoch BIGINT, v DOUBLE, q STRING,"
                     " ts AS TO_TIMESTAMP_LTZ(epoch, 3), WATERMARK FOR ts AS ts)"
                     " WITH ('device' = 'device', 'quality' = 'q')")
              .status == 200);
  REQUIRE(site.call("POST", "/api/v1/streams/readings/records", R"({"device":"a","epoch":1000,"v":1})").status == 200);
  CHECK(contains(site.call("POST", kTarget, R"({"device":"a","time":1000,"values":{"epoch":2000},"reason":"r"})").body,
                 "column 'epoch' cannot be corrected: the event time 'ts' is computed from it"));
  CHECK(site.call("POST", kTarget, R"({"device":"a","time":1000,"values":{"v":2},"reason":"r"})").status == 201);
  CHECK(contains(site.get("/api/v1/streams/readings/records?from=0").body,
                 R"("epoch":1000,"v":2,"q":"substituted","ts":"1970-01-01T00:00:01.000Z")"));
}

}  // namespace
}  // namespace tidegate::api
