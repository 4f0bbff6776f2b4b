#include "api/api.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "log/embedded_log.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "security/audit.h"
#include "security/policy_gate.h"
#include "security/secrets.h"

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

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// The API over loopback on a real store, log, engine and catalog in a folder of its own.
class Platform {
 public:
  explicit Platform(bool authentication = true)
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-api-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open(authentication);
  }
  ~Platform() {
    close();
    std::filesystem::remove_all(folder_);
  }
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  void open(bool authentication) {
    store_ = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random_));
    catalog_ = must(catalog::Catalog::open(*store_, *keys_, random_));
    log_ = must(log::EmbeddedLog::open(*store_, *keys_, random_, clock_, devices_, {}));
    secrets_ = must(security::Secrets::open(*store_, *keys_, random_, clock_));
    audit = must(security::Audit::open(*store_, *keys_, random_, clock_));
    authenticator = must(security::Authenticator::open(*store_, *keys_, random_, clock_));
    registry_ = must(registry::Registry::open(*store_, *keys_, random_, clock_));
    quotas_ = must(registry::Quotas::open(*store_, *keys_, random_, clock_, *registry_));
    ingest_ = ingest::Ingest::create(*log_, clock_, devices_);
    engine_ = engine::Engine::create(*log_, clock_, devices_, {});
    statements = std::make_unique<StatementExecutor>(
        StatementParts{.catalog = *catalog_, .log = *log_, .ingest = *ingest_, .engine = *engine_});
    const auto events = must(catalog_->add_system_stream(registry::device_events_definition()));
    REQUIRE(statements->restore());
    last_values_ = registry::LastValues::create(*log_, devices_, {});
    twins_ = must(registry::Twins::open(*store_, *keys_, random_, clock_));
    commands_ = must(registry::Commands::open(*store_, *keys_, random_, clock_));
    exchange_ = registry::DeviceExchange::create(
        {*registry_, *twins_, *commands_, [](const registry::DeviceMessage&) -> Result<> { return {}; }}, false);
    monitor_ = registry::DeviceMonitor::create({*log_, *registry_, *last_values_, devices_, clock_, events}, false);
    ApiOptions options;
    options.authentication = authentication;
    api_ = Api::create({.catalog = *catalog_,
                        .log = *log_,
                        .ingest = *ingest_,
                        .engine = *engine_,
                        .authenticator = *authenticator,
                        .registry = *registry_,
                        .quotas = *quotas_,
                        .last_values = *last_values_,
                        .monitor = *monitor_,
                        .exchange = *exchange_,
                        .gate = gate_,
                        .statements = *statements,
                        .clock = clock_,
                        .secrets = *secrets_,
                        .audit = audit.get()},
                       std::move(options));
    api_->set_ready(true);
    server_ = must(net::HttpServer::start({}, *api_, clock_));
    client_ = new_client();
  }
  void close() {
    client_.reset();
    api_->stop();
    server_.reset();
    api_.reset();
    monitor_.reset();
    exchange_.reset();
    commands_.reset();
    twins_.reset();
    last_values_.reset();
    statements.reset();
    engine_.reset();
    ingest_.reset();
    log_.reset();
    quotas_.reset();
    registry_.reset();
    authenticator.reset();
    audit.reset();
    secrets_.reset();
    catalog_.reset();
    keys_.reset();
    store_.reset();
  }

  std::unique_ptr<net::HttpClient> new_client(std::string token = {}) {
    return must(net::HttpClient::create(
        {.base_url = "http://127.0.0.1:" + std::to_string(server_->port()), .bearer_token = std::move(token)}));
  }
  net::HttpReply call(std::string method, std::string target, std::string body = {},
                      std::string type = "application/json") {
    return must(client_->send({.method = std::move(method),
                               .target = std::move(target),
                               .body = std::move(body),
                               .content_type = std::move(type)}));
  }
  net::HttpReply get(std::string target) { return call("GET", std::move(target)); }
  net::HttpReply apply(std::string_view sql) {
    return call("POST", "/api/v1/statements", std::string(sql), "application/sql");
  }
  net::HttpClient& client() { return *client_; }

  std::unique_ptr<security::Authenticator> authenticator;
  std::unique_ptr<StatementExecutor> statements;
  std::unique_ptr<security::Audit> audit;

 private:
  io::SystemRandom random_;
  io::SystemClock clock_;
  std::filesystem::path folder_;
  columnar::StringPool devices_;
  security::PolicyGate gate_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<registry::Quotas> quotas_;
  std::unique_ptr<registry::LastValues> last_values_;
  std::unique_ptr<registry::DeviceMonitor> monitor_;
  std::unique_ptr<registry::Twins> twins_;
  std::unique_ptr<registry::Commands> commands_;
  std::unique_ptr<registry::DeviceExchange> exchange_;
  std::unique_ptr<security::Secrets> secrets_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

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
