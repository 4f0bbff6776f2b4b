// Tests only: the API over loopback on a real store, log, engine and catalog.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>

#include "api/api.h"
#include "api/corrections.h"
#include "log/embedded_log.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "security/audit.h"
#include "security/policy_gate.h"
#include "security/secrets.h"

namespace tidegate::api {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// In a folder of its own.
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
        StatementParts{.catalog = *catalog_, .log = *log_, .ingest = *ingest_, .engine = *engine_, .time_zone = [this] {
                         return registry_->site_time_zone();
                       }});
    const auto events = must(catalog_->add_system_stream(registry::device_events_definition()));
    REQUIRE(catalog_->add_system_stream(corrections_definition()));
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

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace tidegate::api
