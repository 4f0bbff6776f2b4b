// Between the MQTT broker and the platform: identities, topic rules, and publications into ingest.
#pragma once

#include <memory>

#include "ingest/ingest.h"
#include "net/mqtt_handler.h"
#include "registry/device_exchange.h"
#include "registry/device_monitor.h"
#include "registry/quotas.h"
#include "security/audit.h"
#include "security/authenticator.h"
#include "security/policy_gate.h"

namespace tidegate::server {

// Any thread; identities are shared because sessions and connections outlive each other. The referenced parts must
// outlive it.
class MqttGateway final : public net::MqttHandler {
 public:
  // `open`: take everybody (the insecure development mode).
  MqttGateway(security::Authenticator& authenticator, security::Audit& audit, ingest::Ingest& ingest,
              registry::DeviceMonitor& monitor, registry::DeviceExchange& exchange, registry::Quotas& quotas,
              bool open);

  [[nodiscard]] Result<std::shared_ptr<const net::MqttIdentity>> authenticate(const net::MqttCredentials& who) override;
  [[nodiscard]] Result<std::unique_ptr<net::MqttPlace>> admit(const net::MqttIdentity& identity,
                                                              bool replaces) override;
  [[nodiscard]] bool may_publish(const net::MqttIdentity& identity, std::string_view topic) override;
  [[nodiscard]] bool may_subscribe(const net::MqttIdentity& identity, std::string_view filter) override;
  void connected(const net::MqttIdentity& identity) override;
  void subscribed(const std::shared_ptr<const net::MqttIdentity>& identity, std::string_view filter) override;
  void disconnected(const net::MqttIdentity& identity, bool properly) override;
  [[nodiscard]] std::unique_ptr<net::MqttLane> open_lane() override;
  [[nodiscard]] bool overloaded() override;

 private:
  [[nodiscard]] bool may_receive(const net::MqttIdentity& identity, std::string_view topic) override;
  [[nodiscard]] Result<security::Principal> principal_of(const net::MqttCredentials& who);

  security::Authenticator& authenticator_;
  security::Audit& audit_;
  ingest::Ingest& ingest_;
  registry::DeviceMonitor& monitor_;
  registry::DeviceExchange& exchange_;
  registry::Quotas& quotas_;
  security::PolicyGate gate_;
  const bool open_;
};

}  // namespace tidegate::server
