// Carries twins and commands between the platform and its devices.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "registry/commands.h"
#include "registry/registry.h"
#include "registry/twins.h"

namespace tidegate::registry {

// Messages of devices that wait for the disk; beyond it a device is told that there is no room (quota exceeded).
inline constexpr size_t kMaxWaitingMessages = 10'000;
inline constexpr int64_t kExpiryLookMs = 500;  // how often commands whose time is over are looked for

// On its way to devices, at least once.
struct DeviceMessage {
  std::string topic;
  std::string payload;
  std::string answer_topic;  // of a command: where the answer goes (MQTT 5 response topic)
  std::string correlation;   // of a command: its id
  int64_t expires_us = 0;    // above 0: worth nothing after this
};

// What a device published, and what is to be called once it is durable.
struct Incoming {
  std::string topic;
  std::string payload;
};

struct ExchangeParts {
  const Registry& registry;
  Twins& twins;
  Commands& commands;
  std::function<Result<>(const DeviceMessage&)> publish;  // to subscribers; any thread
};

// Any thread. One of its own makes what devices send durable, several messages in one write.
class DeviceExchange {
 public:
  // `manual`: no thread, run_once() does a round. The parts outlive it.
  [[nodiscard]] static std::unique_ptr<DeviceExchange> create(ExchangeParts parts, bool manual);
  virtual ~DeviceExchange() = default;

  // True when the topic is one that devices send reports and answers to.
  [[nodiscard]] static bool takes(std::string_view topic);
  // Overloaded: nothing is taken. `done` is called once, on the exchange's thread, when all of it is durable or failed.
  [[nodiscard]] virtual Result<> receive(std::vector<Incoming> messages, std::function<void(Result<>)> done) = 0;
  [[nodiscard]] virtual bool has_room() const = 0;
  // A subscriber has come: what it should know of now is sent (again). `may_hear` says for which devices.
  virtual void subscribed(std::string_view filter, std::function<bool(std::string_view device)> may_hear) = 0;

  // Durable on return, and on its way to the device. NotFound where the registry has no such device.
  [[nodiscard]] virtual Result<Command> send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                             std::string_view sender) = 0;
  // As if the device had published it. RecordTooLarge; NotFound when the device has no such pending command.
  [[nodiscard]] virtual Result<Command> answer(std::string_view device, std::string_view id,
                                               std::string_view answer) = 0;
  [[nodiscard]] virtual Result<Twin> change_desired(std::string_view device, std::string_view patch,
                                                    Registry::Expected revision) = 0;
  [[nodiscard]] virtual Result<Twin> report(std::string_view device, std::string_view patch) = 0;
  [[nodiscard]] virtual Result<Twin> twin(std::string_view device) = 0;
  [[nodiscard]] virtual Result<std::vector<Command>> commands(std::string_view device) = 0;
  // Of a device that is deleted.
  [[nodiscard]] virtual Result<> forget(std::string_view device) = 0;
  // Once, after a start: commands that were sent before and may not have reached the sessions that wait for them.
  virtual void resend() = 0;
  virtual void run_once() = 0;
};

}  // namespace tidegate::registry
