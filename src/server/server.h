// The server: all modules wired together for one data folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace tidegate::server {

// A connection takes 3 KB, with TLS 19 KB (docs/benchmarks.md): 2 GB of the machine's memory, if all came over TLS.
inline constexpr size_t kMaxConnections = 100'000;

struct Endpoint {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
};

struct ServerOptions {
  std::filesystem::path data = "data";
  Endpoint http{"127.0.0.1", 8443};
  std::optional<Endpoint> mqtt = Endpoint{"127.0.0.1", 1883};  // plain text: loopback only
  std::optional<Endpoint> mqtts = Endpoint{"127.0.0.1", 8883};
  std::vector<std::filesystem::path> sink_folders;      // file sinks may write below these, besides <data>/sinks
  std::vector<std::filesystem::path> lookup_folders{};  // lookup tables may be read from these, besides <data>/lookups
  // Where webhooks and mail may go (egress/egress_rules.h): HOST[:PORT] each; nowhere else.
  std::vector<std::string> allowed_targets{};
  // MQTT connections; 0: as many as the system's limit of open files allows, up to kMaxConnections.
  size_t max_connections = 0;
  size_t pipeline_memory = 0;  // bytes of state of one pipeline; 0: half of the machine's memory
  std::string time_zone{};     // whose days new queries go by; empty: that of the registry's sites, if they have one
  int network_threads = 1;     // for MQTT; HTTP has one of its own
  int engine_threads = 1;
  // No TLS and no authentication, on loopback only. For trying things out.
  bool insecure_dev = false;
};

// What a person needs to get in, printed by main.
struct Welcome {
  std::string http_url;
  std::string mqtt_address;                   // empty: not listening
  std::string mqtts_address;                  // empty: not listening
  std::optional<std::string> admin_password;  // at the first start only
  std::filesystem::path ca_file;
  size_t streams = 0;
  size_t pipelines = 0;
};

class Server {
 public:
  // Listens and runs all pipelines on return. Errors: DataFolderInUse, DataFolderUnusable, AddressInUse,
  // InsecureRefused, KeyUnavailable, and what the modules report.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(ServerOptions options);
  // Stops cleanly: no more input, everything accepted becomes durable, pipelines snapshot their state.
  virtual ~Server() = default;
  [[nodiscard]] virtual const Welcome& welcome() const = 0;
};

}  // namespace tidegate::server
