// One run of the simulator: the devices' connections and the pace.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/mqtt_client.h"
#include "sim/internal/sent_log.h"
#include "sim/simulator.h"

namespace tidegate::sim {

// On its loop's thread only.
class Simulation {
 public:
  Simulation(const Profile& profile, MessageSource& source, const SimulatorOptions& options, const io::Clock& clock,
             const std::atomic<bool>& stop, const Simulator::OnProgress& on_progress, SentLog log);
  [[nodiscard]] Result<SimulatorProgress> run();

 private:
  struct Message {
    uint64_t sequence = 0;
    uint32_t times = 0;
    std::string payload;
  };
  struct Device {
    std::string name;
    std::string topic;
    std::unique_ptr<net::MqttClient> client;
    bool wanted = true;  // false while it is dropped out
    bool connected = false;
    bool connecting = false;
    int64_t retry_us = Simulator::kFirstRetryUs;
    std::unordered_map<uint16_t, Message> in_flight;  // by packet id; at most a window
    std::vector<Message> again;                       // of a connection that broke; the last is sent first
  };
  enum class Outcome : uint8_t { kDone, kBlocked };

  void connect_some();
  void connect(uint32_t index);
  void on_connected(uint32_t index, const Result<>& outcome);
  void on_closed(uint32_t index);
  void retry_later(uint32_t index);
  void on_acknowledged(uint32_t index, uint16_t packet_id, net::MqttReason reason);
  void tick();
  void pump();
  [[nodiscard]] bool due(int64_t due_us) const;
  [[nodiscard]] Outcome perform(Action& action);
  [[nodiscard]] bool publish(Device& device, Message message);
  [[nodiscard]] bool send_again(Device& device);
  void drop_out(uint32_t index);
  void bring_back_all();
  void take_back(Device& device);
  void finish(Result<> outcome);
  [[nodiscard]] bool drained() const;
  [[nodiscard]] SimulatorProgress progress() const;

  static constexpr int64_t kTickUs = 2'000;      // how closely the pace is kept
  static constexpr int kActionsPerTurn = 2'000;  // then sockets are looked at again

  const Profile& profile_;
  MessageSource& source_;
  const SimulatorOptions& options_;
  const io::Clock& clock_;
  const std::atomic<bool>& stop_;
  const Simulator::OnProgress& on_progress_;
  SentLog log_;
  std::unique_ptr<net::MqttClientLoop> loop_;
  std::vector<Device> devices_;
  std::vector<uint32_t> to_connect_;  // the last comes first
  size_t connecting_ = 0;
  Action action_;
  bool has_action_ = false;
  bool source_ended_ = false;
  bool ever_connected_ = false;
  bool finishing_ = false;
  bool pumping_ = false;
  bool pump_posted_ = false;
  int64_t started_us_ = 0;  // monotonic
  int64_t ended_us_ = -1;   // monotonic, when the last message was handed over
  int64_t last_progress_us_ = 0;
  int64_t first_due_us_ = 0;   // event time
  bool may_pass_now_ = false;  // the replay was asked to start in the future
  SimulatorProgress counts_;
  Result<> outcome_;
};

}  // namespace tidegate::sim
