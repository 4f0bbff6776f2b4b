#include "bench/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/harness.h"
#include "bench/mqtt_load.h"

namespace tidegate::bench {
namespace {

constexpr int64_t kPublishTickUs = 5'000;
constexpr int64_t kRetryUs = 500'000;               // between attempts of a device, which spread by their number
constexpr int64_t kConnectPatienceUs = 10'000'000;  // then it tries again

}  // namespace

struct Fleet::Member {
  DeviceAccount account;
  size_t number = 0;
  std::unique_ptr<net::MqttClient> client;
  bool connected = false;
  uint64_t attempt = 0;
  std::vector<bool> acknowledged;                        // by message
  std::vector<std::pair<uint16_t, uint32_t>> in_flight;  // packet id, message
  std::vector<uint32_t> unsent;                          // for the next connection
};

Fleet::Fleet(FleetOptions options, std::vector<DeviceAccount> devices)
    : options_(std::move(options)), loop_(net::MqttClientLoop::create()) {
  for (DeviceAccount& device : devices) {
    members_.push_back(std::make_unique<Member>());
    members_.back()->account = std::move(device);
    members_.back()->number = members_.size() - 1;
    make_client(*members_.back());
  }
}

Fleet::~Fleet() = default;

void Fleet::make_client(Member& member) {
  net::MqttClientOptions options;
  options.port = options_.port;
  options.tls = options_.tls;
  options.client_id = options.username = member.account.name;
  options.password = member.account.token;
  options.clean_start = false;
  options.session_expiry_s = options_.session_expiry_s;
  options.keep_alive_s = 300;
  net::MqttClient::Callbacks callbacks;
  callbacks.on_connected = [this, &member](const Result<>& result) {
    if (!result) return connect_later(member);
    member.connected = true;
    ++connected_;
    connecting_.tls_resumed += member.client->tls_resumed() ? 1 : 0;
    connecting_.sessions_present += member.client->session_present() ? 1 : 0;
    for (const uint32_t number : std::exchange(member.unsent, {})) send(member, number);
    if (reached(until_)) loop_->stop();
  };
  callbacks.on_closed = [this, &member](const Error&) {
    member.connected = false;
    --connected_;
    for (const auto& [packet_id, number] : std::exchange(member.in_flight, {})) member.unsent.push_back(number);
    if (!cut_) connect_later(member);
  };
  callbacks.on_acknowledged = [this, &member](uint16_t packet_id, net::MqttReason reason, int64_t latency_us) {
    on_acknowledged(member, packet_id, reason, latency_us);
  };
  member.client = loop_->make_client(std::move(options), std::move(callbacks));
}

void Fleet::connect(Member& member) {
  ++connecting_.attempts;
  const uint64_t attempt = ++member.attempt;
  member.client->connect();
  loop_->after_us(kConnectPatienceUs, [this, &member, attempt] {
    if (!cut_ && !member.connected && member.attempt == attempt) connect(member);
  });
}

void Fleet::connect_later(Member& member) {
  const auto spread_us = static_cast<int64_t>(member.number % 100) * (kRetryUs / 100);
  loop_->after_us(kRetryUs + spread_us, [this, &member] {
    if (!cut_ && !member.connected) connect(member);
  });
}

bool Fleet::reached(Until until) const {
  return (until == Until::kConnected && connected_ == members_.size()) ||
         (until == Until::kSettled && unanswered_ == 0);
}

bool Fleet::run(Until until, double patience_s) {
  if (reached(until)) return true;
  until_ = until;
  loop_->run_for_ms(static_cast<int64_t>(patience_s * 1e3));
  until_ = Until::kTime;
  return reached(until);
}

ConnectResult Fleet::connect_all(double patience_s) {
  cut_ = false;
  connecting_ = {};
  const int64_t start_us = monotonic_us();
  for (const auto& member : members_) {
    loop_->post([this, raw = member.get()] {
      if (!raw->connected) connect(*raw);
    });
  }
  const bool all = run(Until::kConnected, patience_s);
  connecting_.seconds = static_cast<double>(monotonic_us() - start_us) * 1e-6;
  if (!all) {
    give_up(fmt::format("{} of {} devices connected in {:.1f} s", connected_, members_.size(), connecting_.seconds));
  }
  return connecting_;
}

void Fleet::send(Member& member, uint32_t number) {
  uint16_t packet_id = 0;
  const std::string payload = fmt::format(R"({{"n":{}}})", number);
  if (member.connected && member.client->publish(options_.topic, payload, 1, false, &packet_id)) {
    member.in_flight.emplace_back(packet_id, number);
  } else {
    member.unsent.push_back(number);
  }
}

void Fleet::on_acknowledged(Member& member, uint16_t packet_id, net::MqttReason reason, int64_t latency_us) {
  const auto found = std::ranges::find(member.in_flight, packet_id, &std::pair<uint16_t, uint32_t>::first);
  if (found == member.in_flight.end()) return;
  const uint32_t number = found->second;
  member.in_flight.erase(found);
  if (static_cast<uint8_t>(reason) >= 0x80) {
    ++refused_;
    return send(member, number);
  }
  member.acknowledged[number] = true;
  ++acknowledged_;
  latencies_ms_.push_back(static_cast<double>(latency_us) * 1e-3);
  --unanswered_;
  if (reached(until_)) loop_->stop();
}

void Fleet::publish_due() {
  publishing_ = rate_ > 0;
  if (!publishing_) return;
  const auto due = static_cast<uint64_t>(static_cast<double>(monotonic_us() - since_us_) * 1e-6 * rate_);
  for (; published_ < due; ++published_) {
    Member& member = *members_[next_member_++ % members_.size()];
    member.acknowledged.push_back(false);
    ++unanswered_;
    send(member, static_cast<uint32_t>(member.acknowledged.size() - 1));
  }
  loop_->after_us(kPublishTickUs, [this] { publish_due(); });
}

void Fleet::set_rate(double messages_per_s) {
  rate_ = messages_per_s;
  since_us_ = monotonic_us();
  published_ = 0;
  if (!publishing_ && rate_ > 0) {
    publishing_ = true;
    loop_->post([this] { publish_due(); });
  }
}

void Fleet::cut() {
  cut_ = true;
  for (const auto& member : members_) {
    if (!member->connected) continue;
    member->client->abort();
    member->connected = false;
    --connected_;
    for (const auto& [packet_id, number] : std::exchange(member->in_flight, {})) member->unsent.push_back(number);
  }
}

void Fleet::wait(double seconds) { run(Until::kTime, seconds); }

void Fleet::settle(double patience_s) {
  if (run(Until::kSettled, patience_s)) return;
  give_up(fmt::format("{} messages have no answer after {:.1f} s", unanswered_, patience_s));
}

std::map<std::string, std::vector<bool>> Fleet::messages() const {
  std::map<std::string, std::vector<bool>> all;
  for (const auto& member : members_) all[member->account.name] = member->acknowledged;
  return all;
}

}  // namespace tidegate::bench
