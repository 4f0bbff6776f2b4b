#include "server/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>

#include "api/api.h"
#include "api/corrections.h"
#include "base/logging.h"
#include "io/file.h"
#include "io/process.h"
#include "log/embedded_log.h"
#include "lookup/tables.h"
#include "net/http_server.h"
#include "net/mqtt_listener.h"
#include "registry/device_exchange.h"
#include "registry/device_monitor.h"
#include "security/secrets.h"
#include "security/tls_setup.h"
#include "server/internal/adopt_devices.h"
#include "server/internal/broker_store.h"
#include "server/internal/device_messages.h"
#include "server/internal/mqtt_gateway.h"
#include "server/internal/server_metrics.h"
#include "sinks/sink_runner.h"

namespace tidegate::server {
namespace {

constexpr std::string_view kVersion = "0.1.0";
// Descriptors for other things than MQTT connections: HTTP has a limit of 4,096 connections, the store keeps up to 256
// files open, sinks and live queries have some.
constexpr uint64_t kReservedFiles = 5'120;

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

// What the descriptors leave; at least half of them, where there are few.
size_t possible_connections(uint64_t open_files) { return open_files - std::min(kReservedFiles, open_files / 2); }

Result<> check_insecure(const ServerOptions& options) {
  const auto outside = [](const std::optional<Endpoint>& endpoint) {
    return endpoint && !is_loopback(endpoint->address);
  };
  if (outside(options.mqtt)) {
    return fail(
        ErrorCode::InsecureRefused,
        fmt::format("plain-text MQTT on {} would show every record and token to the network", options.mqtt->address),
        "use --mqtts for other machines, and keep --mqtt on 127.0.0.1");
  }
  if (options.insecure_dev && (outside(options.http) || outside(options.mqtts))) {
    return fail(ErrorCode::InsecureRefused, "--insecure-dev takes everybody, so it listens on loopback only",
                "leave --insecure-dev out, or listen on 127.0.0.1");
  }
  return {};
}

// Every part in the order in which it is built; destroyed in the reverse.
class WiredServer final : public Server {
 public:
  explicit WiredServer(ServerOptions options) : options_(std::move(options)) {}
  ~WiredServer() override { stop(); }

  [[nodiscard]] Result<> start() {
    TRY(check_insecure(options_));
    limit_connections();
    TRY(open_storage());
    TRY(open_platform());
    TRY(open_mqtt());
    TRY(open_http());
    return announce();
  }
  [[nodiscard]] const Welcome& welcome() const override { return welcome_; }

 private:
  void limit_connections();
  [[nodiscard]] Result<> open_storage();
  [[nodiscard]] Result<> open_platform();
  [[nodiscard]] Result<> open_mqtt();
  [[nodiscard]] Result<> open_http();
  [[nodiscard]] Result<> announce();
  [[nodiscard]] Result<> write_server_file() const;
  [[nodiscard]] std::vector<api::Metric> metrics() const;
  // To the subscribers of the broker; Overloaded before it runs, so that a sink tries again.
  [[nodiscard]] Result<> publish(std::string_view topic, std::string_view payload);
  void forget_sink(StreamId stream);
  void stop();

  const ServerOptions options_;
  size_t max_connections_ = 0;
  Welcome welcome_;
  io::SystemClock clock_;
  io::SystemRandom random_;
  columnar::StringPool devices_;
  security::TlsFiles tls_;
  security::PolicyGate gate_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<security::Authenticator> authenticator_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<registry::Quotas> quotas_;
  std::unique_ptr<security::Audit> audit_;
  std::unique_ptr<security::Secrets> secrets_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<lookup::Tables> tables_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<sinks::SinkRunner> sinks_;
  std::unique_ptr<registry::LastValues> last_values_;
  std::unique_ptr<api::StatementExecutor> statements_;
  std::unique_ptr<registry::DeviceMonitor> monitor_;
  std::unique_ptr<registry::Twins> twins_;
  std::unique_ptr<registry::Commands> commands_;
  std::unique_ptr<registry::DeviceExchange> exchange_;
  std::unique_ptr<MqttGateway> gateway_;
  std::unique_ptr<BrokerStore> broker_store_;
  std::unique_ptr<net::MqttBroker> broker_;
  std::atomic<net::MqttBroker*> publisher_{nullptr};  // the broker, once it runs
  std::unique_ptr<net::MqttListener> mqtt_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<net::HttpServer> http_;
};

void WiredServer::limit_connections() {
  const uint64_t open_files = io::raise_open_files();
  const size_t wanted = options_.max_connections == 0 ? kMaxConnections : options_.max_connections;
  max_connections_ = std::min(wanted, possible_connections(open_files));
  if (options_.max_connections <= max_connections_) return;
  log_warn("fewer MQTT connections than wanted: the system's limit of open files is too low (ulimit -Hn)",
           {{"open_files", open_files}, {"connections", max_connections_}, {"wanted", options_.max_connections}});
}

Result<> WiredServer::open_storage() {
  TRY(io::create_private_folder(options_.data));
  TRY_ASSIGN(store_, store::Store::open(options_.data / "store"));
  TRY_ASSIGN(keys_, crypto::KeyRing::open(options_.data / "keys", random_));
  TRY_ASSIGN(tls_, security::prepare_tls(options_.data / "tls", {}, clock_, random_));
  TRY_ASSIGN(catalog_, catalog::Catalog::open(*store_, *keys_, random_));
  TRY_ASSIGN(authenticator_, security::Authenticator::open(*store_, *keys_, random_, clock_));
  TRY_ASSIGN(registry_, registry::Registry::open(*store_, *keys_, random_, clock_));
  TRY(adopt_devices(*authenticator_, *registry_));
  TRY_ASSIGN(quotas_, registry::Quotas::open(*store_, *keys_, random_, clock_, *registry_));
  TRY_ASSIGN(twins_, registry::Twins::open(*store_, *keys_, random_, clock_));
  TRY_ASSIGN(commands_, registry::Commands::open(*store_, *keys_, random_, clock_));
  TRY_ASSIGN(secrets_, security::Secrets::open(*store_, *keys_, random_, clock_));
  TRY_ASSIGN(audit_, security::Audit::open(*store_, *keys_, random_, clock_));
  TRY_ASSIGN(log_, log::EmbeddedLog::open(*store_, *keys_, random_, clock_, devices_, {}));
  return {};
}

Result<> WiredServer::open_platform() {
  TRY(io::create_private_folder(options_.data / "lookups"));
  TRY_ASSIGN(tables_, lookup::Tables::open({.store = *store_,
                                            .keys = *keys_,
                                            .random = random_,
                                            .clock = clock_,
                                            .folders = {options_.data / "lookups", options_.lookup_folders},
                                            .registry = registry_.get()},
                                           false));
  if (const auto devices = catalog_->add_system_table(lookup::devices_definition()); !devices) {
    log_error("devices cannot be joined with", {{"error", devices.error().to_string()}});
  }
  engine::EngineOptions engine_options;
  engine_options.tables = tables_.get();
  engine_options.threads = options_.engine_threads;
  engine_options.max_state_bytes = options_.pipeline_memory == 0 ? io::memory_bytes() / 2 : options_.pipeline_memory;
  // Half: as much again may be on its way into the store as pages, and what comes in one epoch goes on top.
  engine_options.spill_state_bytes = engine_options.max_state_bytes / 2;
  engine_ = engine::Engine::create(*log_, clock_, devices_, engine_options);
  ingest_ = ingest::Ingest::create(*log_, clock_, devices_);
  TRY_ASSIGN(egress::EgressRules rules, egress::EgressRules::parse(options_.allowed_targets));
  sinks_ = sinks::SinkRunner::create(
      *log_, clock_, random_, devices_,
      {.folders = {options_.data / "sinks", options_.sink_folders},
       .publish = [this](std::string_view topic, std::string_view payload) { return publish(topic, payload); },
       .rules = std::move(rules),
       .read_secret = [this](std::string_view name) { return secrets_->value(name); }});
  last_values_ = registry::LastValues::create(*log_, devices_, {});
  auto events = catalog_->add_system_stream(registry::device_events_definition());
  if (!events) log_error("who is online cannot be written down", {{"error", events.error().to_string()}});
  if (const auto made = catalog_->add_system_stream(api::corrections_definition()); !made) {
    log_error("records cannot be corrected", {{"error", made.error().to_string()}});
  }
  statements_ = std::make_unique<api::StatementExecutor>(api::StatementParts{
      .catalog = *catalog_,
      .log = *log_,
      .ingest = *ingest_,
      .engine = *engine_,
      .tables = tables_.get(),
      .start_sink =
          [this](const catalog::Catalog::StreamPtr& stream) {
            return sinks_->add_sink(stream, catalog_->find_stream(catalog::dead_letter_name(stream->name)));
          },
      .check_sink = [this](const catalog::StreamDefinition& stream) { return sinks_->check(stream); },
      .stop_sink = [this](StreamId stream) { forget_sink(stream); },
      .stream_opened = [this](catalog::Catalog::StreamPtr stream) { last_values_->follow(std::move(stream)); },
      .stream_dropped = [this](StreamId stream) { last_values_->forget(stream); },
      .time_zone = [this] { return options_.time_zone.empty() ? registry_->site_time_zone() : options_.time_zone; }});
  TRY(statements_->restore());
  monitor_ = registry::DeviceMonitor::create(
      {*log_, *registry_, *last_values_, devices_, clock_, events ? *events : nullptr}, false);
  exchange_ = registry::DeviceExchange::create({*registry_, *twins_, *commands_,
                                                [this](const registry::DeviceMessage& message) {
                                                  return publish_to_device(publisher_.load(), message, clock_);
                                                }},
                                               false);
  return {};
}

Result<> WiredServer::open_mqtt() {
  if (!options_.mqtt && !options_.mqtts) return {};
  gateway_ = std::make_unique<MqttGateway>(*authenticator_, *audit_, *ingest_, *monitor_, *exchange_, *quotas_,
                                           options_.insecure_dev);
  TRY_ASSIGN(crypto::Key key, keys_->data_key("broker"));
  broker_store_ = std::make_unique<BrokerStore>(*store_, std::move(key), random_);
  TRY_ASSIGN(broker_, net::MqttBroker::create({}, *gateway_, broker_store_.get(), clock_, random_));
  publisher_ = broker_.get();
  net::MqttListenerOptions listen;
  listen.threads = options_.network_threads;
  listen.max_connections = max_connections_;
  if (options_.mqtt) {
    listen.plain_address = options_.mqtt->address;
    listen.plain_port = options_.mqtt->port;
  }
  if (options_.mqtts) {
    listen.tls_address = options_.mqtts->address;
    listen.tls_port = options_.mqtts->port;
    listen.tls = {tls_.server.certificate_pem, tls_.server.private_key_pem, tls_.authority.certificate_pem, false};
  }
  TRY_ASSIGN(mqtt_, net::MqttListener::start(std::move(listen), *broker_, *gateway_, clock_));
  return {};
}

Result<> WiredServer::publish(std::string_view topic, std::string_view payload) {
  net::MqttBroker* broker = publisher_.load();
  if (broker == nullptr) return fail(ErrorCode::Overloaded, "the MQTT broker is not running");
  constexpr uint8_t kAtLeastOnce = 1;
  return broker->publish(topic, payload, kAtLeastOnce, false);
}

void WiredServer::forget_sink(StreamId stream) {
  if (auto removed = sinks_->remove_sink(stream); !removed) {
    log_warn("a sink's position could not be removed", {{"error", removed.error().to_string()}});
  }
}

std::vector<api::Metric> WiredServer::metrics() const {
  std::vector<api::Metric> all;
  add_log_metrics(all, *log_, *store_);
  add_device_metrics(all, *registry_, *last_values_);
  add_quota_metrics(all, *quotas_);
  add_sink_metrics(all, *sinks_);
  if (mqtt_) add_mqtt_metrics(all, *broker_, *mqtt_, max_connections_);
  return all;
}

Result<> WiredServer::open_http() {
  api::ApiOptions options;
  options.version = kVersion;
  options.authentication = !options_.insecure_dev;
  options.more_metrics = [this] { return metrics(); };
  options.warnings = [this] { return damage_warnings(*store_); };
  options.sinks = [this] { return sinks_->status(); };
  api_ = api::Api::create({.catalog = *catalog_,
                           .log = *log_,
                           .ingest = *ingest_,
                           .engine = *engine_,
                           .authenticator = *authenticator_,
                           .registry = *registry_,
                           .quotas = *quotas_,
                           .last_values = *last_values_,
                           .monitor = *monitor_,
                           .exchange = *exchange_,
                           .gate = gate_,
                           .statements = *statements_,
                           .clock = clock_,
                           .secrets = *secrets_,
                           .audit = audit_.get(),
                           .tables = tables_.get()},
                          std::move(options));
  net::HttpServerOptions listen;
  listen.address = options_.http.address;
  listen.port = options_.http.port;
  if (!options_.insecure_dev) {
    listen.tls = net::TlsServerOptions{tls_.server.certificate_pem, tls_.server.private_key_pem, {}, false};
  }
  TRY_ASSIGN(http_, net::HttpServer::start(std::move(listen), *api_, clock_));
  return {};
}

// Tells the command line of this machine and the person in front of it how to get in.
Result<> WiredServer::announce() {
  TRY_ASSIGN(welcome_.admin_password, authenticator_->bootstrap_admin());
  TRY_ASSIGN(const std::string token, authenticator_->issue_api_token("operator"));
  TRY(io::write_file_atomic(options_.data / "operator.token", token + "\n", io::FilePrivacy::kOwnerOnly));
  welcome_.http_url =
      fmt::format("{}://{}:{}", options_.insecure_dev ? "http" : "https", options_.http.address, http_->port());
  if (options_.mqtt) welcome_.mqtt_address = fmt::format("{}:{}", options_.mqtt->address, mqtt_->plain_port());
  if (options_.mqtts) welcome_.mqtts_address = fmt::format("{}:{}", options_.mqtts->address, mqtt_->tls_port());
  welcome_.ca_file = tls_.ca_file;
  welcome_.streams = catalog_->streams().size();
  welcome_.pipelines = catalog_->pipelines().size();
  TRY(write_server_file());
  exchange_->resend();
  api_->set_ready(true);
  log_info("ready", {{"http", welcome_.http_url},
                     {"mqtt", welcome_.mqtt_address},
                     {"mqtts", welcome_.mqtts_address},
                     {"connections_limit", max_connections_}});
  return {};
}

Result<> WiredServer::write_server_file() const {
  const boost::json::object file{{"http_url", welcome_.http_url},
                                 {"http_port", http_->port()},
                                 {"mqtt_port", options_.mqtt ? mqtt_->plain_port() : 0},
                                 {"mqtts_port", options_.mqtts ? mqtt_->tls_port() : 0},
                                 {"pid", ::getpid()}};
  return io::write_file_atomic(options_.data / "server.json", boost::json::serialize(file) + "\n",
                               io::FilePrivacy::kOwnerOnly);
}

// First no more input, then no more readers; the engine's and the log's destructors make everything durable.
void WiredServer::stop() {
  if (api_) api_->set_ready(false);
  if (mqtt_) mqtt_->stop();
  if (api_) api_->stop();
  if (http_) http_->stop();
  exchange_.reset();  // before the broker that it publishes to
  sinks_.reset();     // before the broker that they publish to
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  auto server = std::make_unique<WiredServer>(std::move(options));
  TRY(server->start());
  return server;
}

}  // namespace tidegate::server
