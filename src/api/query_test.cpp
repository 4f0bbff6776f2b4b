// Queries over what is stored, over HTTP.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/fixture.h"
#include "api/internal/log_moment.h"
#include "api/internal/query_hub.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kReadings = R"(
CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), power DOUBLE, n BIGINT, WATERMARK FOR ts AS ts)
WITH ('device' = 'device');
)";

struct Site : Platform {
  explicit Site(bool authentication = false) : Platform(authentication) {
    if (!authentication) REQUIRE(apply(kReadings).status == 200);
  }
  // Rows n = first ... last, a second apart.
  void send(int first, int last) {
    std::string rows;
    for (int n = first; n <= last; ++n) {
      rows += fmt::format("{}{{\"device\":\"d{}\",\"ts\":{},\"power\":{}.5,\"n\":{}}}", rows.empty() ? "[" : ",", n % 3,
                          n * 1000, n, n);
    }
    CHECK(call("POST", "/api/v1/streams/readings/records", rows + "]").status == 200);
  }
  net::HttpReply query(const json::object& body) { return call("POST", "/api/v1/query", json::serialize(body)); }
  // Of a query that must go well.
  json::object page(const json::object& body) { return answer(query(body)); }
  json::object next(const json::object& page) {
    return answer(get(fmt::format("/api/v1/query/{}?cursor={}", text(page, "id"), text(page, "next"))));
  }
  static json::object answer(const net::HttpReply& reply) {
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    return json::parse(reply.body).as_object();
  }
  static std::string text(const json::object& page, std::string_view name) {
    return std::string(page.at({name.data(), name.size()}).as_string());
  }
  static std::vector<int64_t> numbers(const json::object& page) {
    std::vector<int64_t> all;
    for (const json::value& row : page.at("rows").as_array()) all.push_back(row.as_object().at("n").as_int64());
    return all;
  }
};

using Numbers = std::vector<int64_t>;

}  // namespace

TEST_CASE("a query gives its columns and its rows, and ends") {
  Site site;
  site.send(1, 5);
  const auto page = site.page({{"sql", "SELECT device, n FROM readings WHERE n > 2 ORDER BY n DESC"}, {"limit", 2}});
  CHECK(Site::numbers(page) == Numbers{5, 4});
  CHECK(json::serialize(page.at("columns")) ==
        R"([{"name":"device","type":"STRING","nullable":true},{"name":"n","type":"BIGINT","nullable":true}])");
  CHECK(page.at("next").is_null());
  CHECK(page.at("progress").at("rows_read") == 5);
  const auto plain = site.call("POST", "/api/v1/query",
                               "SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE readings, "
                               "DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
                               "application/sql");
  CHECK(Site::numbers(Site::answer(plain)) == Numbers{5});
}

TEST_CASE("pages are of the records that were there at the beginning, each can be fetched again, none twice in turn") {
  Site site;
  site.send(1, 7);
  const auto first = site.page({{"sql", "SELECT n FROM readings"}, {"page_rows", 3}});
  CHECK(Site::numbers(first) == Numbers{1, 2, 3});
  site.send(8, 9);
  const auto second = site.next(first);
  CHECK(Site::numbers(second) == Numbers{4, 5, 6});
  CHECK(json::serialize(site.next(first)) == json::serialize(second));  // the answer may have been lost
  const auto third = site.next(second);
  CHECK(Site::numbers(third) == Numbers{7});
  CHECK(third.at("next").is_null());
  CHECK(json::serialize(site.next(second)) == json::serialize(third));
  const std::string address = "/api/v1/query/" + Site::text(first, "id");
  CHECK(site.get(address + "?cursor=" + Site::text(first, "next")).status == 404);
  CHECK(site.get(address + "?cursor=").status == 404);
  CHECK(site.get(address).status == 400);
}

TEST_CASE("a query may be of what arrived in a time only") {
  Site site;
  site.send(1, 2);
  const auto count = [&](const char* from, const char* to) {
    return Site::numbers(site.page({{"sql", "SELECT n FROM readings"}, {"from", from}, {"to", to}})).size();
  };
  CHECK(count("earliest", "latest") == 2);
  CHECK(count("1 h", "latest") == 2);
  CHECK(count("latest", "latest") == 0);
  CHECK(count("earliest", "1 h") == 0);
  CHECK(count("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z") == 0);
  const auto wrong = site.query({{"sql", "SELECT n FROM readings"}, {"from", "yesterday"}});
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, "2 h, 7 d"));
}

TEST_CASE("what is wrong with a query is said") {
  Site site;
  const auto status = [&](const json::object& body) { return site.query(body).status; };
  CHECK(status({{"sql", "SELEC 1"}}) == 400);
  CHECK(contains(site.query({{"sql", "SELECT\n nothing FROM readings"}}).body, "\"line\":2"));
  CHECK(status({{"sql", "DROP TABLE readings"}}) == 400);
  CHECK(status({}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"colour", "red"}}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"limit", -1}}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"limit", "5"}}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"page_rows", 10'001}}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"timeout", "1 d"}}) == 400);
  CHECK(status({{"sql", "SELECT n FROM readings"}, {"id", "../etc"}}) == 400);
  CHECK(site.call("POST", "/api/v1/query", "{broken").status == 400);
  CHECK(site.call("POST", "/api/v1/query", "[1]").status == 400);
  const auto live = site.get("/api/v1/query/live?sql=" + net::percent_encode("SELECT n FROM readings LIMIT 1"));
  CHECK(live.status == 400);
  CHECK(contains(live.body, "\"column\":24"));
}

TEST_CASE("a query is cancelled by its id, is listed, and leaves one line in the audit log with its rows") {
  Site site;
  site.send(1, 7);
  const auto first = site.page({{"sql", "SELECT n FROM readings"}, {"page_rows", 3}, {"id", "chosen-by-me"}});
  CHECK(Site::text(first, "id") == "chosen-by-me");
  CHECK(site.query({{"sql", "SELECT n FROM readings"}, {"id", "chosen-by-me"}}).status == 409);
  const auto list = site.get("/api/v1/query");
  CHECK(contains(list.body, R"("id":"chosen-by-me")"));
  CHECK(contains(list.body, R"("state":"resting")"));
  CHECK(contains(site.get("/metrics").body, "\ntidegate_stored_queries 1\n"));
  CHECK(site.call("DELETE", "/api/v1/query/chosen-by-me").status == 204);
  CHECK(site.call("DELETE", "/api/v1/query/chosen-by-me").status == 404);
  CHECK(site.get("/api/v1/query").body == R"({"queries":[]})");
  CHECK(site.get("/api/v1/query/chosen-by-me?cursor=" + Site::text(first, "next")).status == 404);
  const auto events = must(site.audit->newest(10));
  const auto runs = std::ranges::count(events, "query.run", &security::AuditEvent::what);
  CHECK(runs == 1);
  CHECK(events.front().target == "SELECT n FROM readings");
  CHECK(events.front().who == "developer");
  CHECK(events.front().detail.starts_with("3 rows in "));
  CHECK(contains(events.front().detail, "cancelled"));
}

TEST_CASE("a reader has so many queries and no more, and those read to the end do not count") {
  Site site;
  site.send(1, 4);
  for (int i = 0; i < 30; ++i) {
    const auto first = site.page({{"sql", "SELECT n FROM readings"}, {"page_rows", 2}});
    CHECK(Site::numbers(site.next(first)) == Numbers{3, 4});
  }
  for (size_t i = 0; i < QueryHub::kMaxQueriesPerReader; ++i) {
    (void)site.page({{"sql", "SELECT n FROM readings"}, {"page_rows", 1}, {"id", fmt::format("query-{:03}", i)}});
  }
  const auto refused = site.query({{"sql", "SELECT n FROM readings"}});
  CHECK(refused.status == 429);
  CHECK(contains(refused.body, "\"code\":3002"));
  CHECK(site.call("DELETE", "/api/v1/query/query-000").status == 204);
  CHECK(site.query({{"sql", "SELECT n FROM readings"}}).status == 200);
}

TEST_CASE("a long page is cut, and the rest comes with the next one") {
  Site site;
  REQUIRE(site.apply("CREATE TABLE texts (n BIGINT, text STRING)").status == 200);
  const std::string text(1 << 19, 'x');
  for (int n = 0; n < 20; ++n) {
    const auto sent =
        site.call("POST", "/api/v1/streams/texts/records", fmt::format(R"({{"n":{},"text":"{}"}})", n, text));
    REQUIRE(sent.status == 200);
  }
  auto page = site.page({{"sql", "SELECT n, text FROM texts"}});
  Numbers all = Site::numbers(page);
  CHECK(all.size() >= 16);
  CHECK(all.size() < 18);
  while (!page.at("next").is_null()) {
    page = site.next(page);
    for (const int64_t n : Site::numbers(page)) all.push_back(n);
  }
  CHECK(all.size() == 20);
  CHECK(std::ranges::is_sorted(all));
}

TEST_CASE("queries of one reader are none of another's business, save to an administrator who ends them") {
  Site site(true);
  CHECK(site.query({{"sql", "SELECT n FROM readings"}}).status == 401);
  const auto alice = site.new_client(must(site.authenticator->issue_api_token("alice")));
  const auto bob = site.new_client(must(site.authenticator->issue_api_token("bob")));
  const auto device = site.new_client("d1:" + must(site.authenticator->add_device("d1")));
  const auto ask = [](net::HttpClient& client, std::string method, std::string target, std::string body) {
    return must(client.send({.method = std::move(method), .target = std::move(target), .body = std::move(body)}));
  };
  REQUIRE(ask(*alice, "POST", "/api/v1/statements", json::serialize(json::object{{"sql", kReadings}})).status == 200);
  REQUIRE(ask(*alice, "POST", "/api/v1/streams/readings/records", R"([{"device":"a","n":1},{"device":"a","n":2}])")
              .status == 200);
  const std::string body = R"({"sql":"SELECT n FROM readings","page_rows":1,"id":"alices-own"})";
  for (const char* target : {"/api/v1/query", "/api/v1/query/alices-own?cursor=x"}) {
    CHECK(ask(*device, "GET", target, "").status == 403);
  }
  CHECK(ask(*device, "POST", "/api/v1/query", body).status == 403);
  const auto first = Site::answer(ask(*alice, "POST", "/api/v1/query", body));
  const std::string next = "/api/v1/query/alices-own?cursor=" + Site::text(first, "next");
  CHECK(ask(*bob, "GET", next, "").status == 404);
  CHECK(contains(ask(*bob, "GET", "/api/v1/query", "").body, R"("reader":"alice")"));  // bob is an administrator
  CHECK(ask(*bob, "DELETE", "/api/v1/query/alices-own", "").status == 204);
  CHECK(ask(*alice, "GET", next, "").status == 404);
}

TEST_CASE("places in the log are named by time") {
  const int64_t now_us = 1'700'000'000 * kMicrosPerSecond;
  const auto time = [&](std::string_view text) { return must(parse_log_moment(text, "from", now_us)).time.value; };
  CHECK(time("90 s") == now_us - 90 * kMicrosPerSecond);
  CHECK(time("2023-11-14T22:13:20Z") == now_us);
  CHECK(time("2023-11-14 23:13:20+01:00") == now_us);
  CHECK(must(parse_log_moment("latest", "from", now_us)).kind == LogMoment::Kind::kLatest);
  for (const char* wrong : {"", "now-ish", "2023-13-01T00:00:00Z", "-5 s", "5"}) {
    CHECK_FALSE(parse_log_moment(wrong, "from", now_us));
  }
}

}  // namespace tidegate::api
