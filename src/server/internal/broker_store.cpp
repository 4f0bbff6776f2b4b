#include "server/internal/broker_store.h"

namespace tidegate::server {

Result<> BrokerStore::load(const std::function<void(std::string_view key, std::string_view value)>& visit) {
  Result<> outcome;
  TRY(store_.scan(store::Family::kBroker, "", "", [&](std::string_view key, std::string_view sealed) {
    auto value = crypto::open_seal(key_, key, sealed);
    if (!value) {
      outcome = fail(std::move(value.error()));
      return false;
    }
    visit(key, *value);
    return true;
  }));
  return outcome;
}

Result<> BrokerStore::write(std::span<const net::MqttChange> changes) {
  store::WriteBatch batch;
  for (const net::MqttChange& change : changes) {
    if (change.value) {
      batch.put(store::Family::kBroker, change.key, crypto::seal(key_, random_, change.key, *change.value));
    } else {
      batch.erase(store::Family::kBroker, change.key);
    }
  }
  return store_.write(std::move(batch), store::Durability::kSynced);
}

}  // namespace tidegate::server
