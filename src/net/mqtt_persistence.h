// Where the broker keeps what must survive a restart: retained messages, sessions, their queued messages.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::net {

struct MqttChange {
  std::string key;
  std::optional<std::string> value;  // nothing: the key is erased
};

// load() once before anything else; write() from one thread of the broker's, which may block.
class MqttPersistence {
 public:
  virtual ~MqttPersistence() = default;
  [[nodiscard]] virtual Result<> load(
      const std::function<void(std::string_view key, std::string_view value)>& visit) = 0;
  // All of them or none; durable when it returns.
  [[nodiscard]] virtual Result<> write(std::span<const MqttChange> changes) = 0;
};

}  // namespace tidegate::net
