// Who is online: rules without clock, thread or log. Connections, records and the passing of time in, events out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tidegate::registry {

// A device with an expected interval is silent when nothing came for one and a half of it: one report may be a little
// late without a false alarm, two missing ones are noticed before the second is due again.
[[nodiscard]] constexpr int64_t allowed_silence_us(int64_t interval_us) { return interval_us + interval_us / 2; }
// After a start, devices that were connected before have this long to come back before they are said to be offline.
inline constexpr int64_t kReturnUs = 120'000'000;

// Why a device is online or offline, as it stands in the events.
namespace reason {
inline constexpr std::string_view kConnected = "connected";               // online: it opened an MQTT connection
inline constexpr std::string_view kRecord = "record";                     // online: a record of it came
inline constexpr std::string_view kDisconnected = "disconnected";         // offline: it closed its last connection
inline constexpr std::string_view kConnectionLost = "connection lost";    // offline: its last connection broke
inline constexpr std::string_view kSilent = "silent";                     // offline: nothing came for too long
inline constexpr std::string_view kNotBack = "not back after a restart";  // offline: of the server
}  // namespace reason

struct PresenceEvent {
  std::string device;
  int64_t time_us = 0;
  bool online = false;
  std::string_view reason;  // one of the above
};

struct Presence {
  std::optional<bool> online;  // nothing: unknown yet
  int64_t since_us = 0;
  std::string_view reason;
  uint32_t connections = 0;
};

// A device that is to report in time.
struct ExpectedDevice {
  std::string name;
  int64_t interval_us = 0;
  int64_t since_us = 0;  // silence counts from here at the earliest
};

// With an expected interval a device is judged by its silence, connected or not, and closing its connection properly
// is no reason: devices that sleep do so. A connection that breaks is one. Without an interval only connections count.
// One thread at a time.
class PresenceRules {
 public:
  explicit PresenceRules(int64_t now_us) : started_us_(now_us) {}

  // What the last event before the start said.
  void restore(std::string_view device, bool online, int64_t time_us);
  // All devices with an interval, in place of those before.
  void expect(const std::vector<ExpectedDevice>& devices);
  void connected(std::string_view device, int64_t now_us);
  void disconnected(std::string_view device, bool properly, int64_t now_us);
  // Ingest time of the device's last record.
  using Seen = std::function<std::optional<int64_t>(std::string_view device)>;
  void look(int64_t now_us, const Seen& seen);

  [[nodiscard]] std::vector<PresenceEvent> take_events() { return std::exchange(events_, {}); }
  [[nodiscard]] std::optional<Presence> of(std::string_view device) const;

 private:
  struct Tracked {
    Presence presence;
    int64_t interval_us = 0;
    int64_t heard_us = 0;      // it connected, or silence counts from here
    int64_t return_by_us = 0;  // above 0: it was connected before the start
  };
  void set(const std::string& device, Tracked& tracked, bool online, int64_t time_us, std::string_view why);
  void look_at(const std::string& device, Tracked& tracked, int64_t now_us, const Seen& seen);

  const int64_t started_us_;
  std::unordered_map<std::string, Tracked> devices_;
  std::vector<PresenceEvent> events_;
};

}  // namespace tidegate::registry
