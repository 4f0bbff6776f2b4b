#include "server/internal/mqtt_gateway.h"

#include <fmt/format.h>

#include <utility>

#include "base/guarded.h"
#include "base/logging.h"
#include "security/topic_rules.h"

namespace tidegate::server {
namespace {

class Identity final : public net::MqttIdentity {
 public:
  Identity(security::Principal principal, std::shared_ptr<registry::QuotaMeter> meter)
      : principal_(std::move(principal)), meter_(std::move(meter)) {}
  [[nodiscard]] std::string_view name() const override { return principal_.name; }
  [[nodiscard]] const security::Principal& principal() const { return principal_; }
  [[nodiscard]] const std::shared_ptr<registry::QuotaMeter>& meter() const { return meter_; }

 private:
  const security::Principal principal_;
  const std::shared_ptr<registry::QuotaMeter> meter_;  // shared with the sender's other connections; null: no quota
};

const Identity& own(const net::MqttIdentity& identity) {
  return static_cast<const Identity&>(identity);  // the broker only ever sees what authenticate() made
}
const security::Principal& principal_of(const net::MqttIdentity& identity) { return own(identity).principal(); }

class Place final : public net::MqttPlace {
 public:
  explicit Place(std::shared_ptr<registry::QuotaMeter> meter) : meter_(std::move(meter)) {}
  ~Place() override { meter_->disconnect(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  const std::shared_ptr<registry::QuotaMeter> meter_;  // shared as in Identity
};

// Calls `done` once, when both halves of a flush have been answered, with the first error.
class BothHalves {
 public:
  explicit BothHalves(std::function<void(Result<>)> done) : done_(std::move(done)) {}
  void answered(Result<> half) {
    {
      auto state = state_.lock();
      if (!half && state->outcome) state->outcome = std::move(half);
      if (--state->left > 0) return;
    }
    done_(state_.lock()->outcome);
  }

 private:
  struct State {
    int left = 2;
    Result<> outcome;
  };
  Guarded<State> state_;
  const std::function<void(Result<>)> done_;
};

class Lane final : public net::MqttLane {
 public:
  Lane(ingest::Ingest& ingest, registry::DeviceExchange& exchange)
      : ingest_(ingest), exchange_(exchange), lane_(ingest.open_lane()) {}

  // A topic that belongs to no stream is for subscribers only; nothing waits for the log then.
  [[nodiscard]] Result<net::MqttTaken> publish(const net::MqttArrival& message) override {
    const auto& meter = own(message.identity).meter();
    if (meter != nullptr && message.over_quota != net::MqttOverQuota::kTake) {
      const registry::QuotaAnswer answer = meter->take(message.payload.size());
      if (answer.verdict != registry::QuotaVerdict::kTaken) return over_quota(message, *meter, answer);
    }
    ingest_.capture().offer(message.topic, message.payload);
    if (registry::DeviceExchange::takes(message.topic)) return keep(message.topic, message.payload);
    const auto stream = ingest_.route(message.topic);
    if (!stream) return net::MqttTaken{};
    TRY(lane_->accept(*stream, arrival_of(message)));
    return net::MqttTaken{.waits = true};
  }
  bool flush(std::function<void(Result<>)> done) override {
    if (incoming_.empty()) return lane_->flush(std::move(done));
    // Shared by the callbacks of the log and of the exchange, of which either may be the last.
    const auto both = std::make_shared<BothHalves>(std::move(done));
    if (!lane_->flush([both](Result<> rows) { both->answered(std::move(rows)); })) both->answered({});
    auto taken = exchange_.receive(std::exchange(incoming_, {}),
                                   [both](Result<> messages) { both->answered(std::move(messages)); });
    if (!taken) both->answered(std::move(taken));
    return true;
  }
  [[nodiscard]] size_t waiting_rows() const override { return lane_->waiting_rows() + incoming_.size(); }

 private:
  static ingest::Arrival arrival_of(const net::MqttArrival& message) {
    ingest::Arrival arrival;
    arrival.payload = message.payload;
    arrival.topic = message.topic;
    arrival.principal = &principal_of(message.identity);
    arrival.padded = true;
    return arrival;
  }

  Result<net::MqttTaken> over_quota(const net::MqttArrival& message, registry::QuotaMeter& meter,
                                    const registry::QuotaAnswer& answer) {
    using enum net::MqttOverQuota;
    if (message.over_quota == kDrop) {
      meter.dropped();
      return net::MqttTaken{.dropped = true};
    }
    const bool never = answer.verdict == registry::QuotaVerdict::kPayload;
    if (message.over_quota == kHold && !never) {
      meter.held();
      return net::MqttTaken{.hold_us = answer.wait_us};
    }
    meter.refused(answer.verdict);
    Error reason = registry::over_quota_error(meter.subject(), answer);
    if (message.over_quota == kRefuse) return fail(std::move(reason));
    const auto stream = ingest_.route(message.topic);
    if (!stream) return net::MqttTaken{};
    TRY_ASSIGN(const bool waits, lane_->refuse(*stream, arrival_of(message), reason));
    return net::MqttTaken{.waits = waits};
  }

  Result<net::MqttTaken> keep(std::string_view topic, std::string_view payload) {
    if (!exchange_.has_room()) {
      return fail(ErrorCode::LimitReached, "too many messages of devices wait", "send it again in a moment");
    }
    incoming_.push_back({std::string(topic), std::string(payload)});
    return net::MqttTaken{.waits = true};
  }

  ingest::Ingest& ingest_;
  registry::DeviceExchange& exchange_;
  std::unique_ptr<ingest::Lane> lane_;
  std::vector<registry::Incoming> incoming_;  // reports and answers that wait for the flush
};

}  // namespace

MqttGateway::MqttGateway(security::Authenticator& authenticator, security::Audit& audit, ingest::Ingest& ingest,
                         registry::DeviceMonitor& monitor, registry::DeviceExchange& exchange, registry::Quotas& quotas,
                         bool open)
    : authenticator_(authenticator),
      audit_(audit),
      ingest_(ingest),
      monitor_(monitor),
      exchange_(exchange),
      quotas_(quotas),
      open_(open) {}

void MqttGateway::connected(const net::MqttIdentity& identity) {
  const security::Principal& who = server::principal_of(identity);
  if (who.kind == security::PrincipalKind::kDevice) monitor_.connected(who.name);
}

// Called again by the exchange's thread: the identity is kept, not the connection.
void MqttGateway::subscribed(const std::shared_ptr<const net::MqttIdentity>& identity, std::string_view filter) {
  if (!open_ && !security::is_machine(server::principal_of(*identity))) return;
  exchange_.subscribed(filter, [identity](std::string_view device) {
    return security::may_subscribe(server::principal_of(*identity), fmt::format("devices/{}/", device));
  });
}

void MqttGateway::disconnected(const net::MqttIdentity& identity, bool properly) {
  const security::Principal& who = server::principal_of(identity);
  if (who.kind == security::PrincipalKind::kDevice) monitor_.disconnected(who.name, properly);
}

Result<security::Principal> MqttGateway::principal_of(const net::MqttCredentials& who) {
  if (open_) {
    return security::Principal{security::PrincipalKind::kService, std::string(who.username.value_or("anybody")), true,
                               nullptr};
  }
  if (who.username && who.password) return authenticator_.device_by_token(*who.username, *who.password);
  if (who.certificate_fingerprint) return authenticator_.device_by_certificate(*who.certificate_fingerprint);
  return fail(ErrorCode::NotAuthenticated, "the connection gave no credentials",
              "set the device's name as user name and its token as password, or use a client certificate");
}

Result<std::shared_ptr<const net::MqttIdentity>> MqttGateway::authenticate(const net::MqttCredentials& who) {
  auto principal = principal_of(who);
  if (!principal) {
    audit_.record({std::string(who.username.value_or("")), "mqtt.connect", std::string(who.client_id), false,
                   principal.error().message});
    return fail(std::move(principal.error()));
  }
  if (!open_) audit_.record({security::audit_name(*principal), "mqtt.connect", std::string(who.client_id), true, {}});
  auto meter = security::is_machine(*principal) ? quotas_.meter(security::quota_subject(*principal)) : nullptr;
  return std::make_shared<const Identity>(std::move(*principal), std::move(meter));
}

Result<std::unique_ptr<net::MqttPlace>> MqttGateway::admit(const net::MqttIdentity& identity, bool replaces) {
  const auto& meter = own(identity).meter();
  if (meter == nullptr) return nullptr;
  if (meter->connect(replaces)) return std::make_unique<Place>(meter);
  Error refusal = registry::over_quota_error(meter->subject(), {registry::QuotaVerdict::kConnections, 0});
  audit_.record({security::audit_name(own(identity).principal()), "mqtt.connect", {}, false, refusal.message});
  return fail(std::move(refusal));
}

bool MqttGateway::may_publish(const net::MqttIdentity& identity, std::string_view topic) {
  return security::may_publish(server::principal_of(identity), topic);
}

bool MqttGateway::may_subscribe(const net::MqttIdentity& identity, std::string_view filter) {
  return security::may_subscribe(server::principal_of(identity), filter);
}

bool MqttGateway::may_receive(const net::MqttIdentity& identity, std::string_view topic) {
  return gate_.check_message(server::principal_of(identity), {topic}).has_value();
}

std::unique_ptr<net::MqttLane> MqttGateway::open_lane() { return std::make_unique<Lane>(ingest_, exchange_); }
bool MqttGateway::overloaded() { return ingest_.overloaded(); }

}  // namespace tidegate::server
