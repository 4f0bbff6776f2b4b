#include "api/api.h"

#include <doctest/doctest.h>

#include "api/internal/fixture.h"

namespace tidegate::api {
namespace {

constexpr std::string_view kScript = R"(
CREATE TABLE readings (
  device STRING, ts TIMESTAMP_LTZ(3), power DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('device' = 'device');
CREATE TABLE high (device STRING, ts TIMESTAMP_LTZ(3), power DOUBLE, WATERMARK FOR ts AS ts);
INSERT INTO high SELECT device, ts, power FROM readings WHERE power > 10;
)";

}  // namespace

TEST_CASE("a script is applied once, and again changes nothing") {
  Platform platform(false);
  const auto first = platform.apply(kScript);
  CHECK_MESSAGE(first.status == 200, first.body);
  CHECK(contains(first.body, R"({"action":"created","kind":"stream","name":"readings"})"));
  CHECK(contains(first.body, R"({"action":"created","kind":"pipeline","name":"high"})"));
  const auto second = platform.apply(kScript);
  CHECK(second.status == 200);
  CHECK(!contains(second.body, "created"));
  const auto changed = platform.apply("CREATE TABLE readings (device STRING)");
  CHECK(changed.status == 409);
  CHECK(contains(changed.body, "\"code\":2013"));
  CHECK(contains(changed.body, "\"hint\":"));
  const auto wrong = platform.apply("SHOW TABLES;\nINSERT INTO high SELECT device, ts, nothing FROM readings");
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, "\"code\":2003"));
  CHECK(contains(wrong.body, "\"line\":2"));
  CHECK(contains(wrong.body, "\"listed\""));
}

TEST_CASE("records go in, are answered when durable, and come out by offset") {
  Platform platform(false);
  REQUIRE(platform.apply(kScript).status == 200);
  const auto sent = platform.call("POST", "/api/v1/streams/readings/records",
                                  R"([{"device":"a","ts":"2020-01-01T00:00:00Z","power":1.5},)"
                                  R"({"device":"a","ts":"not a time","power":1}])");
  CHECK_MESSAGE(sent.status == 200, sent.body);
  CHECK(contains(sent.body, "\"accepted\":1,\"dead_letters\":1"));
  CHECK(contains(sent.body, "first_reason"));
  const auto read = platform.get("/api/v1/streams/readings/records?from=0");
  CHECK(contains(read.body, "\"power\":1.5"));
  CHECK(contains(read.body, "\"next\":1"));
  CHECK(contains(platform.get("/api/v1/streams/readings_dead_letters/records?from=-1").body, "not a time"));
  CHECK(platform.call("POST", "/api/v1/streams/readings/records", "{broken").status == 422);
  CHECK(platform.call("POST", "/api/v1/streams/nowhere/records", "{}").status == 404);
  CHECK(platform.get("/api/v1/streams/readings/records?limit=0").status == 400);
  CHECK(platform.get("/api/v1/streams/readings/records?from=999").status == 416);
}

TEST_CASE("a live query sends its schema and its rows") {
  Platform platform(false);
  REQUIRE(platform.apply(kScript).status == 200);
  const auto sender = platform.new_client();
  std::string all;
  const auto target =
      "/api/v1/query/live?sql=" + net::percent_encode("SELECT device, power * 2 AS twice FROM high WHERE power > 0");
  const auto reply = platform.client().stream({.target = target}, [&](std::string_view chunk) {
    const bool first = all.empty();
    all += chunk;
    if (first) {
      CHECK(must(sender->send({.method = "POST",
                               .target = "/api/v1/streams/readings/records",
                               .body = R"({"device":"b","ts":"2020-01-01T00:00:00Z","power":21})"}))
                .status == 200);
    }
    return !contains(all, "event: rows");
  });
  CHECK(reply);
  CHECK(contains(all, "event: schema\ndata: {\"columns\":[{\"name\":\"device\""));
  CHECK_MESSAGE(contains(all, "\"twice\":42"), all);
  CHECK(must(platform.client().stream({.target = "/api/v1/query/live?sql=SELEC"}, [](auto) { return true; })).status ==
        400);
}

TEST_CASE("what was declared is there and runs after a restart") {
  Platform platform(false);
  REQUIRE(platform.apply(kScript).status == 200);
  platform.close();
  platform.open(false);
  CHECK(contains(platform.get("/api/v1/pipelines/high").body, "\"state\":\"running\""));
  CHECK(platform.call("POST", "/api/v1/pipelines/high/stop").status == 204);
  CHECK(contains(platform.get("/api/v1/pipelines").body, "\"state\":\"stopped\",\"wanted\":\"stopped\""));
  CHECK(platform.call("POST", "/api/v1/pipelines/high/start").status == 204);
  CHECK(contains(platform.get("/api/v1/pipelines/high").body, "\"state\":\"running\""));
  CHECK(platform.call("DELETE", "/api/v1/streams/readings").status == 409);
  CHECK(platform.call("DELETE", "/api/v1/pipelines/high").status == 204);
  CHECK(platform.call("DELETE", "/api/v1/streams/readings").status == 204);
  CHECK(platform.get("/api/v1/streams/readings").status == 404);
  CHECK(contains(platform.get("/api/v1/status").body, "\"pipelines\":0"));
}

TEST_CASE("nobody gets in without credentials") {
  Platform platform;
  const std::string one_time = must(platform.authenticator->bootstrap_admin()).value();
  CHECK(platform.get("/healthz").status == 200);
  CHECK(platform.get("/readyz").status == 200);
  for (const char* target : {"/metrics", "/api/v1/streams", "/api/v1/query/live?sql=SELECT", "/api/v1/devices"}) {
    const auto refused = platform.get(target);
    CHECK(refused.status == 401);
    CHECK(refused.header("www-authenticate").starts_with("Bearer"));
  }
  const auto login = [&](const std::string& password) {
    return platform.call("POST", "/api/v1/login", R"({"user":"admin","password":")" + password + "\"}");
  };
  CHECK(login("wrong").status == 401);
  CHECK(contains(login(one_time).body, "\"code\":7005"));
  CHECK(platform
            .call("POST", "/api/v1/password",
                  R"({"user":"admin","old_password":")" + one_time + R"(","new_password":"a long password"})")
            .status == 204);
  const std::string answer = login("a long password").body;
  REQUIRE(contains(answer, "{\"token\":\""));
  platform.client().set_bearer_token(answer.substr(10, answer.size() - 12));
  REQUIRE(platform.apply(kScript).status == 200);
  CHECK(platform.get("/metrics").status == 200);
  CHECK(contains(platform.get("/metrics").body, "tidegate_pipeline_up{pipeline=\"high\"} 1"));

  const auto added = platform.call("POST", "/api/v1/devices", R"({"name":"meter"})");
  CHECK(added.status == 201);
  CHECK(platform.call("POST", "/api/v1/devices", R"({"name":"meter"})").status == 409);
  CHECK(platform.call("POST", "/api/v1/devices", R"({"name":"a:b"})").status == 400);
  const size_t at = added.body.find("\"token\":\"") + 9;
  const auto device = platform.new_client("meter:" + added.body.substr(at, added.body.find('"', at) - at));
  const auto ask = [&](std::string method, std::string target, std::string body) {
    return must(device->send({.method = std::move(method), .target = std::move(target), .body = std::move(body)}));
  };
  CHECK(ask("POST", "/api/v1/streams/readings/records", R"({"device":"meter","ts":"2020-01-01T00:00:00Z"})").status ==
        200);
  CHECK(ask("GET", "/api/v1/streams/readings/records", "").status == 403);
  CHECK(ask("POST", "/api/v1/statements", "{}").status == 403);
  CHECK(platform.call("DELETE", "/api/v1/devices/meter").status == 204);
  CHECK(ask("POST", "/api/v1/streams/readings/records", "{}").status == 401);
  CHECK(platform.call("POST", "/api/v1/logout").status == 204);
  CHECK(platform.get("/api/v1/status").status == 401);
}

TEST_CASE("a secret is set and listed by name, and its value is in no answer") {
  Platform platform(false);
  CHECK(platform.call("PUT", "/api/v1/secrets/hooks", R"({"value":"correct horse"})").status == 204);
  CHECK(platform.call("PUT", "/api/v1/secrets/a%20b", R"({"value":"x"})").status == 400);
  const auto wrong = platform.call("PUT", "/api/v1/secrets/two", R"({"value":"correct\nhorse"})");
  CHECK(wrong.status == 400);
  CHECK(!contains(wrong.body, "correct"));
  const auto listed = platform.get("/api/v1/secrets");
  CHECK(contains(listed.body, R"({"name":"hooks","changed":")"));
  CHECK(!contains(listed.body, "correct"));
  CHECK(platform.get("/api/v1/secrets/hooks").status == 405);
  REQUIRE(platform.apply("CREATE TABLE out (n INT) WITH ('connector'='webhook', 'url'='https://h', 'secret'='hooks')")
              .status == 200);
  CHECK(contains(platform.get("/api/v1/secrets").body, R"("used_by":"out")"));
  CHECK(platform.call("DELETE", "/api/v1/secrets/hooks").status == 409);
  REQUIRE(platform.apply("DROP TABLE out").status == 200);
  CHECK(platform.call("DELETE", "/api/v1/secrets/hooks").status == 204);
  CHECK(platform.call("DELETE", "/api/v1/secrets/hooks").status == 404);
}

TEST_CASE("a changed quota is in the audit log, whether it was allowed or not") {
  Platform platform(false);
  CHECK(platform.call("PATCH", "/api/v1/quotas/type%3Ameter", R"({"messages_per_s":10})").status == 201);
  CHECK(platform.call("PATCH", "/api/v1/quotas/type%3Ameter", R"({"messages_per_s":-1})").status == 400);
  CHECK(platform.call("DELETE", "/api/v1/quotas/type%3Ameter").status == 204);
  const auto events = must(platform.audit->newest(3));
  REQUIRE(events.size() == 3);
  CHECK(events[2].who == "developer");
  CHECK(events[2].what == "quota.change");
  CHECK(events[2].target == R"(type:meter {"messages_per_s":10})");
  CHECK(events[2].allowed);
  CHECK_FALSE(events[1].allowed);
  CHECK(events[0].what == "quota.remove");
  CHECK(events[0].target == "type:meter");
}

TEST_CASE("unknown addresses and wrong methods say so") {
  Platform platform(false);
  CHECK(platform.get("/api/v2/streams").status == 404);
  const auto wrong = platform.call("DELETE", "/api/v1/streams");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("allow") == "GET, HEAD");
  CHECK(platform.call("POST", "/api/v1/statements", "{\"sql\":1}").status == 400);
  CHECK(platform.call("POST", "/api/v1/devices", "[]").status == 400);
}

}  // namespace tidegate::api
