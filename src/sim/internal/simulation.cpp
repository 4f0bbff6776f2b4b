#include "sim/internal/simulation.h"

#include <algorithm>
#include <utility>

namespace tidegate::sim {

Simulation::Simulation(const Profile& profile, MessageSource& source, const SimulatorOptions& options,
                       const io::Clock& clock, const std::atomic<bool>& stop, const Simulator::OnProgress& on_progress,
                       SentLog log)
    : profile_(profile),
      source_(source),
      options_(options),
      clock_(clock),
      stop_(stop),
      on_progress_(on_progress),
      log_(std::move(log)),
      loop_(net::MqttClientLoop::create()),
      devices_(profile.devices) {
  for (uint32_t index = 0; index < profile_.devices; ++index) {
    devices_[index].name = device_name(profile_, index);
    devices_[index].topic = topic_of(profile_, devices_[index].name);
    to_connect_.push_back(profile_.devices - 1 - index);
  }
}

Result<SimulatorProgress> Simulation::run() {
  const auto first = source_.next_due_us();
  if (!first) return progress();
  first_due_us_ = *first;
  counts_.event_us = *first;
  may_pass_now_ = *first > clock_.now_us();
  started_us_ = last_progress_us_ = clock_.monotonic_us();
  loop_->post([this] {
    connect_some();
    tick();
  });
  loop_->run();
  for (Device& device : devices_) {
    take_back(device);
    for (const Message& message : device.again) {
      log_.write(device.name, message.sequence, false, message.times, message.payload);
    }
    device.client.reset();
  }
  TRY(outcome_);
  TRY(log_.close());
  return progress();
}

void Simulation::connect_some() {
  while (connecting_ < Simulator::kMaxConnecting && !to_connect_.empty()) {
    const uint32_t index = to_connect_.back();
    to_connect_.pop_back();
    connect(index);
  }
}

void Simulation::connect(uint32_t index) {
  Device& device = devices_[index];
  if (finishing_ || device.connecting || device.connected || !device.wanted) return;
  if (device.client == nullptr) {
    net::MqttClientOptions client;
    client.host = options_.host;
    client.port = options_.port;
    client.tls = options_.tls;
    client.client_id = device.name;
    client.max_in_flight = options_.window;
    if (const auto token = options_.tokens.find(device.name); token != options_.tokens.end()) {
      client.username = device.name;
      client.password = token->second;
    }
    net::MqttClient::Callbacks callbacks;
    callbacks.on_connected = [this, index](const Result<>& outcome) { on_connected(index, outcome); };
    callbacks.on_acknowledged = [this, index](uint16_t packet_id, net::MqttReason reason, int64_t) {
      on_acknowledged(index, packet_id, reason);
    };
    callbacks.on_closed = [this, index](const Error&) { on_closed(index); };
    callbacks.on_writable = [this] { pump(); };
    device.client = loop_->make_client(std::move(client), std::move(callbacks));
  }
  device.connecting = true;
  ++connecting_;
  device.client->connect();
}

void Simulation::on_connected(uint32_t index, const Result<>& outcome) {
  Device& device = devices_[index];
  if (std::exchange(device.connecting, false)) --connecting_;
  connect_some();
  if (!outcome) {
    const bool refused = outcome.error().code == ErrorCode::NotAuthenticated;
    if (refused || !ever_connected_) return finish(fail(outcome.error()));
    return retry_later(index);
  }
  ever_connected_ = true;
  device.connected = true;
  ++counts_.connected;
  device.retry_us = Simulator::kFirstRetryUs;
  if (!device.wanted) return drop_out(index);
  pump();
}

void Simulation::on_closed(uint32_t index) {
  Device& device = devices_[index];
  if (std::exchange(device.connected, false)) --counts_.connected;
  take_back(device);
  if (device.wanted && !finishing_) retry_later(index);
}

void Simulation::retry_later(uint32_t index) {
  ++counts_.reconnects;
  Device& device = devices_[index];
  loop_->after_us(device.retry_us, [this, index] {
    to_connect_.push_back(index);
    connect_some();
  });
  device.retry_us = std::min(2 * device.retry_us, Simulator::kLongestRetryUs);
}

void Simulation::take_back(Device& device) {
  const size_t before = device.again.size();
  for (auto& [packet_id, message] : device.in_flight) device.again.push_back(std::move(message));
  device.in_flight.clear();
  std::sort(device.again.begin() + static_cast<std::ptrdiff_t>(before), device.again.end(),
            [](const Message& left, const Message& right) { return left.sequence > right.sequence; });
}

void Simulation::on_acknowledged(uint32_t index, uint16_t packet_id, net::MqttReason reason) {
  Device& device = devices_[index];
  const auto found = device.in_flight.find(packet_id);
  if (found == device.in_flight.end()) return;
  const bool good = static_cast<uint8_t>(reason) < 0x80;
  good ? ++counts_.acked : ++counts_.refused;
  log_.write(device.name, found->second.sequence, good, found->second.times, found->second.payload);
  device.in_flight.erase(found);
}

bool Simulation::publish(Device& device, Message message) {
  uint16_t packet_id = 0;
  if (!device.client->publish(device.topic, message.payload, options_.qos, false, &packet_id)) return false;
  ++counts_.sent;
  if (++message.times > 1) ++counts_.resent;
  if (options_.qos == 0) {
    ++counts_.acked;
    log_.write(device.name, message.sequence, false, message.times, message.payload);
  } else {
    device.in_flight.emplace(packet_id, std::move(message));
  }
  return true;
}

bool Simulation::send_again(Device& device) {
  while (!device.again.empty()) {
    if (!publish(device, device.again.back())) return false;
    device.again.pop_back();
  }
  return true;
}

void Simulation::drop_out(uint32_t index) {
  Device& device = devices_[index];
  device.wanted = false;
  if (!device.connected) return;
  device.client->abort();  // no DISCONNECT: as a device whose network is gone; tells nobody
  device.connected = false;
  --counts_.connected;
  take_back(device);
}

Simulation::Outcome Simulation::perform(Action& action) {
  Device& device = devices_[action.device];
  if (action.kind == ActionKind::kDisconnect) {
    drop_out(action.device);
    return Outcome::kDone;
  }
  if (action.kind == ActionKind::kConnect) {
    device.wanted = true;
    to_connect_.push_back(action.device);
    connect_some();
    return Outcome::kDone;
  }
  if (!device.connected || !send_again(device)) return Outcome::kBlocked;
  return publish(device, {action.sequence, 0, action.payload}) ? Outcome::kDone : Outcome::kBlocked;
}

bool Simulation::due(int64_t due_us) const {
  if (!may_pass_now_ && due_us > clock_.now_us()) return false;
  if (profile_.speed <= 0) return true;
  const double elapsed_us = static_cast<double>(clock_.monotonic_us() - started_us_);
  return static_cast<double>(due_us - first_due_us_) <= elapsed_us * profile_.speed;
}

void Simulation::pump() {
  if (pumping_ || finishing_) return;
  pumping_ = true;
  for (int count = 0; count < kActionsPerTurn; ++count) {
    if (options_.limit > 0 && counts_.sent >= options_.limit) source_ended_ = true;
    if (!has_action_ && !source_ended_) {
      const auto next = source_.next_due_us();
      if (next && !due(*next)) break;
      has_action_ = source_.next(action_);
      source_ended_ = !has_action_;
    }
    if (!has_action_ || perform(action_) == Outcome::kBlocked) break;
    counts_.event_us = std::max(counts_.event_us, action_.due_us);
    has_action_ = false;
    if (count + 1 == kActionsPerTurn && !std::exchange(pump_posted_, true)) {
      loop_->post([this] {
        pump_posted_ = false;
        pump();
      });
    }
  }
  pumping_ = false;
}

// The end comes with devices still dropped out if a limit ended the source: they deliver what they keep.
void Simulation::bring_back_all() {
  for (uint32_t index = 0; index < devices_.size(); ++index) {
    if (std::exchange(devices_[index].wanted, true)) continue;
    to_connect_.push_back(index);
  }
  connect_some();
}

bool Simulation::drained() const {
  return std::all_of(devices_.begin(), devices_.end(),
                     [](const Device& device) { return device.in_flight.empty() && device.again.empty(); });
}

void Simulation::tick() {
  if (finishing_) return;
  pump();
  const int64_t now_us = clock_.monotonic_us();
  if (on_progress_ && now_us - last_progress_us_ >= Simulator::kProgressUs) {
    last_progress_us_ = now_us;
    on_progress_(progress());
  }
  if (stop_.load(std::memory_order_relaxed)) return finish({});
  if (source_ended_ && !has_action_) {
    if (ended_us_ < 0) {
      ended_us_ = now_us;
      bring_back_all();
    }
    for (Device& device : devices_) {
      if (device.connected && !device.again.empty() && !send_again(device)) break;
    }
    if (drained() || now_us - ended_us_ > Simulator::kDrainUs) return finish({});
  }
  loop_->after_us(kTickUs, [this] { tick(); });
}

void Simulation::finish(Result<> outcome) {
  if (std::exchange(finishing_, true)) return;
  outcome_ = std::move(outcome);
  for (Device& device : devices_) {
    if (device.connected) device.client->disconnect();
  }
  // One more turn of the loop, in which the DISCONNECT packets are written.
  loop_->after_us(10 * kTickUs, [this] { loop_->stop(); });
}

SimulatorProgress Simulation::progress() const {
  SimulatorProgress now = counts_;
  now.elapsed_us = clock_.monotonic_us() - started_us_;
  now.faults = source_.faults();
  for (const Device& device : devices_) now.in_flight += device.in_flight.size() + device.again.size();
  return now;
}

Result<SimulatorProgress> Simulator::run(const OnProgress& on_progress) {
  TRY_ASSIGN(SentLog log, SentLog::open(options_.record));
  Simulation simulation(profile_, source_, options_, clock_, stop_, on_progress, std::move(log));
  return simulation.run();
}

}  // namespace tidegate::sim
