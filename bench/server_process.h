// The real binary as a child process on free loopback ports, in its development mode (no TLS, no authentication).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "net/http_client.h"

namespace tidegate::bench {

class ServerProcess {
 public:
  // Ready to serve on return; ends the benchmark with a message if it does not start.
  explicit ServerProcess(const std::filesystem::path& binary);
  ~ServerProcess();  // stops it and removes its data folder
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] uint16_t mqtt_port() const { return mqtt_port_; }
  [[nodiscard]] std::unique_ptr<net::HttpClient> client() const;
  void sql(const std::string& script) const;
  // Offset after the last record of the stream.
  [[nodiscard]] uint64_t stream_end(const std::string& stream) const;

 private:
  int pid_ = -1;
  std::filesystem::path folder_;
  uint16_t http_port_ = 0;
  uint16_t mqtt_port_ = 0;
};

}  // namespace tidegate::bench
