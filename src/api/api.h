// The REST API: every address under /api/v1, the health checks and the metrics. schema/openapi.yaml describes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/statements.h"
#include "catalog/catalog.h"
#include "columnar/string_pool.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "io/clock.h"
#include "log/log.h"
#include "net/http_handler.h"
#include "registry/device_exchange.h"
#include "registry/device_monitor.h"
#include "registry/last_values.h"
#include "registry/quotas.h"
#include "registry/registry.h"
#include "security/authenticator.h"
#include "sinks/sink_runner.h"

namespace tidegate::security {
class Audit;
class Secrets;
class PolicyGate;
}  // namespace tidegate::security

namespace tidegate::api {

// One more line of /metrics, from a module that the API does not know (the MQTT broker).
struct Metric {
  std::string name;  // "tidegate_mqtt_connections"
  std::string help;
  bool counter = false;  // else a gauge
  double value = 0;
};

// All must outlive the Api.
struct ApiParts {
  catalog::Catalog& catalog;
  log::Log& log;
  ingest::Ingest& ingest;
  engine::Engine& engine;
  security::Authenticator& authenticator;
  registry::Registry& registry;
  registry::Quotas& quotas;
  const registry::LastValues& last_values;
  const registry::DeviceMonitor& monitor;
  registry::DeviceExchange& exchange;
  const security::PolicyGate& gate;  // everything that leaves goes through it
  StatementExecutor& statements;
  const io::Clock& clock;
  security::Secrets& secrets;
  security::Audit* audit = nullptr;  // null: nothing is written
  lookup::Tables* tables = nullptr;  // null: no lookup tables
};

struct ApiOptions {
  std::string version = "0.1.0";
  int worker_threads = 2;      // for what blocks; scrypt takes a tenth of a second of one
  int ingest_lanes = 2;        // as many as network threads: then none waits for another
  bool authentication = true;  // false: everybody is an admin (the server allows that on loopback only)
  std::function<std::vector<Metric>()> more_metrics{};
  std::function<std::vector<std::string>()> warnings{};     // what an operator should look at; shown by the status
  std::function<std::vector<sinks::SinkStatus>()> sinks{};  // how every sink is doing
};

class Api : public net::HttpHandler {
 public:
  [[nodiscard]] static std::unique_ptr<Api> create(ApiParts parts, ApiOptions options);

  // /readyz says 200 from here on (503 before).
  virtual void set_ready(bool ready) = 0;
  // Ends live queries and waits for the work under way; later requests get 503. Before the engine goes.
  virtual void stop() = 0;
};

}  // namespace tidegate::api
