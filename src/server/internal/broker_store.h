// The MQTT broker's persistence in the embedded store, sealed.
#pragma once

#include "crypto/key_ring.h"
#include "crypto/sealing.h"
#include "io/random.h"
#include "net/mqtt_persistence.h"
#include "store/store.h"

namespace tidegate::server {

// Family kBroker; values sealed with their key as place. One thread at a time, the broker's.
class BrokerStore final : public net::MqttPersistence {
 public:
  BrokerStore(store::Store& store, const crypto::Key& key, io::Random& random)
      : store_(store), key_(key), random_(random) {}

  [[nodiscard]] Result<> load(const std::function<void(std::string_view key, std::string_view value)>& visit) override;
  [[nodiscard]] Result<> write(std::span<const net::MqttChange> changes) override;

 private:
  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
};

}  // namespace tidegate::server
