// Watches who is online and writes it into the stream `device_events`, where pipelines read it like any other.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "catalog/definitions.h"
#include "columnar/string_pool.h"
#include "io/clock.h"
#include "log/log.h"
#include "registry/last_values.h"
#include "registry/presence.h"
#include "registry/registry.h"

namespace tidegate::registry {

inline constexpr std::string_view kDeviceEvents = "device_events";
// device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, event STRING NOT NULL ('online', 'offline'), reason STRING NOT
// NULL; its device and time columns are set. Kept for a year.
[[nodiscard]] catalog::StreamDefinition device_events_definition();

// Events read again at a start, to know who was online; what came before is taken as unknown.
inline constexpr int64_t kRestoredEvents = 200'000;
// Events that wait for the log, when its disk is full; the oldest are lost beyond it, and counted.
inline constexpr size_t kMaxWaitingEvents = 500'000;
inline constexpr int64_t kLookMs = 1000;  // how often silence is looked for

struct DeviceMonitorParts {
  log::Log& log;
  const Registry& registry;
  const LastValues& last_values;
  columnar::StringPool& devices;
  const io::Clock& clock;
  // Open in the log; shared with the catalog. Null: nothing is written.
  std::shared_ptr<const catalog::StreamDefinition> events;
};

// Any thread.
class DeviceMonitor {
 public:
  // Reads the stream's end. `manual`: no thread, look() does a round. The parts outlive it.
  [[nodiscard]] static std::unique_ptr<DeviceMonitor> create(DeviceMonitorParts parts, bool manual);
  virtual ~DeviceMonitor() = default;

  virtual void connected(std::string_view device) = 0;
  // `properly`: the device said goodbye.
  virtual void disconnected(std::string_view device, bool properly) = 0;
  [[nodiscard]] virtual std::optional<Presence> presence(std::string_view device) const = 0;
  virtual void look() = 0;
};

}  // namespace tidegate::registry
