// The real binary as a child process on free loopback ports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "net/http_client.h"

namespace tidegate::bench {

enum class ServerMode : uint8_t {
  kOpen,    // --insecure-dev: no TLS, no authentication, no TLS entrance
  kSecure,  // as it is started by people: tokens everywhere, TLS but for plain MQTT on loopback
};

struct DeviceAccount {
  std::string name;
  std::string token;
};

class ServerProcess {
 public:
  // Ready to serve on return; ends the benchmark with a message if it does not start.
  explicit ServerProcess(const std::filesystem::path& binary, ServerMode mode = ServerMode::kOpen);
  ~ServerProcess();  // stops it and removes its data folder
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] uint16_t mqtt_port() const { return mqtt_port_; }
  [[nodiscard]] uint16_t mqtts_port() const { return mqtts_port_; }
  [[nodiscard]] std::string authority() const;  // PEM
  // kill -9, and a new process on the same data and ports; ready on return.
  void kill_and_restart();
  [[nodiscard]] std::unique_ptr<net::HttpClient> client() const;
  void sql(const std::string& script) const;
  // The answer's body.
  std::string call(const std::string& method, const std::string& target, const std::string& body = {}) const;
  // Of type "meter", named PREFIX-000000 and so on.
  [[nodiscard]] std::vector<DeviceAccount> add_devices(const std::string& prefix, size_t count) const;
  // Offset after the last record of the stream.
  [[nodiscard]] uint64_t stream_end(const std::string& stream) const;

 private:
  void start();

  const std::filesystem::path binary_;
  const ServerMode mode_;
  int pid_ = -1;
  std::filesystem::path folder_;
  std::string token_;
  uint16_t http_port_ = 0;
  uint16_t mqtt_port_ = 0;
  uint16_t mqtts_port_ = 0;
};

}  // namespace tidegate::bench
