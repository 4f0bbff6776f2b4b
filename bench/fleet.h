// A fleet of MQTT devices on one thread, each with its own connection, identity and numbered messages: what they sent,
// and what the server acknowledged of it. Messages without an answer are sent again after a reconnection.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/server_process.h"
#include "net/mqtt_client.h"

namespace tidegate::bench {

struct FleetOptions {
  uint16_t port = 0;
  const net::TlsContext* tls = nullptr;  // outlives the fleet; null: plain TCP
  std::string topic;
  uint32_t session_expiry_s = 3600;  // the MQTT sessions outlive their connections
};

struct ConnectResult {
  double seconds = 0;     // until the last one was in
  uint64_t attempts = 0;  // more than devices: some were refused, or gave up
  uint64_t tls_resumed = 0;
  uint64_t sessions_present = 0;
};

// One thread, the caller's.
class Fleet {
 public:
  Fleet(FleetOptions options, std::vector<DeviceAccount> devices);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // All at once, those that fail again after a pause; the benchmark ends if not all are in within `patience_s`.
  ConnectResult connect_all(double patience_s);
  // QoS 1 messages of all devices in turn from here on, so many a second, while one of these functions runs; 0: none.
  // What cannot be sent now is sent after the next connection.
  void set_rate(double messages_per_s);
  void wait(double seconds);
  // Every connection at once, without a word, as when a switch dies.
  void cut();
  // Until every message is acknowledged.
  void settle(double patience_s);

  [[nodiscard]] size_t size() const { return members_.size(); }
  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] uint64_t refused() const { return refused_; }
  [[nodiscard]] std::vector<double> take_latencies_ms() { return std::exchange(latencies_ms_, {}); }
  // By device: for each message, whether it was acknowledged.
  [[nodiscard]] std::map<std::string, std::vector<bool>> messages() const;

 private:
  struct Member;
  enum class Until : uint8_t { kTime, kConnected, kSettled };  // what ends the loop's run
  void make_client(Member& member);
  void connect(Member& member);
  void connect_later(Member& member);
  void send(Member& member, uint32_t number);
  void on_acknowledged(Member& member, uint16_t packet_id, net::MqttReason reason, int64_t latency_us);
  void publish_due();
  // Runs the loop until that is so; false if it took longer.
  bool run(Until until, double patience_s);
  [[nodiscard]] bool reached(Until until) const;

  const FleetOptions options_;
  std::unique_ptr<net::MqttClientLoop> loop_;
  std::vector<std::unique_ptr<Member>> members_;
  size_t connected_ = 0;
  size_t unanswered_ = 0;
  bool cut_ = false;
  ConnectResult connecting_;
  uint64_t acknowledged_ = 0;
  uint64_t refused_ = 0;
  std::vector<double> latencies_ms_;
  Until until_ = Until::kTime;
  double rate_ = 0;
  int64_t since_us_ = 0;
  uint64_t published_ = 0;  // at this rate
  bool publishing_ = false;
  size_t next_member_ = 0;
};

}  // namespace tidegate::bench
