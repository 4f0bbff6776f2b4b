// A load generator for MQTT: one thread, many connections, whole buffers of prepared packets per write.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/server_process.h"

namespace tidegate::bench {

struct LoadOptions {
  uint16_t port = 0;
  int connections = 100;
  uint32_t in_flight = 1000;  // QoS 1: unacknowledged messages per connection
  int qos = 0;
  uint64_t messages = 0;      // in all
  double messages_per_s = 0;  // intended; 0: as fast as the server takes them
  double seconds = 0;         // stops then, whatever is left to send or without an answer; 0: never
  uint32_t devices = 1000;
  // Connections authenticate as these devices, in turn, and send their own records; none: nobody authenticates.
  std::vector<DeviceAccount> accounts{};
  // Every n-th message is from device "probe"; its temperature is its number, counting from 0. 0: none.
  uint32_t probe_every = 0;
};

struct LoadResult {
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  double seconds = 0;  // to the last acknowledgement (QoS 1) or the last byte written (QoS 0)
};

// `on_probe(number, intended_us)` is called when a probe is written, with the monotonic time at which it should have
// been.
LoadResult run_load(const LoadOptions& options, const std::function<void(uint32_t, int64_t)>& on_probe = {});

[[nodiscard]] int64_t monotonic_us();

}  // namespace tidegate::bench
