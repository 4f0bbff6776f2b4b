// Simulator: plays the actions of a MessageSource against an MQTT server.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "io/clock.h"
#include "net/tls_context.h"
#include "sim/message_source.h"
#include "sim/profile.h"

namespace tidegate::sim {

struct SimulatorOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  const net::TlsContext* tls = nullptr;  // outlives the run; null: plain text
  uint8_t qos = 1;
  uint16_t window = 100;                      // QoS 1 and 2: messages of one device without an answer
  std::map<std::string, std::string> tokens;  // by device; a device without one connects without a password
  uint64_t limit = 0;                         // messages; 0: all
  std::filesystem::path record;               // if not empty: a JSON line for every message, see docs/formats/sim.md
};

struct SimulatorProgress {
  uint64_t sent = 0;     // publications; resends and duplicates count
  uint64_t acked = 0;    // QoS 0: those handed to the socket
  uint64_t refused = 0;  // answered with an error
  uint64_t resent = 0;   // published again after a connection broke
  uint64_t reconnects = 0;
  size_t connected = 0;
  size_t in_flight = 0;
  int64_t elapsed_us = 0;
  int64_t event_us = 0;  // up to which event time everything was sent
  FaultCounts faults;
};

// Memory: the data file, and per device at most a window of messages. One thread: run() blocks its caller.
class Simulator {
 public:
  static constexpr int64_t kProgressUs = 1'000'000;
  static constexpr int64_t kDrainUs = 30'000'000;        // the last acknowledgements may take so long
  static constexpr int64_t kFirstRetryUs = 200'000;      // reconnecting: then twice as long each time ...
  static constexpr int64_t kLongestRetryUs = 5'000'000;  // ... up to this
  static constexpr size_t kMaxConnecting = 100;          // handshakes at once; a server with one thread keeps up

  // All outlive it. `stop` ends run() soon; it may be set from a signal handler.
  Simulator(const Profile& profile, MessageSource& source, const SimulatorOptions& options, const io::Clock& clock,
            const std::atomic<bool>& stop)
      : profile_(profile), source_(source), options_(options), clock_(clock), stop_(stop) {}

  using OnProgress = std::function<void(const SimulatorProgress&)>;
  // Until the source ends, `stop` is set or `limit` is reached. A connection that breaks is made again, and what was
  // not acknowledged on it is sent again; if the first connection fails, its error ends the run.
  [[nodiscard]] Result<SimulatorProgress> run(const OnProgress& on_progress);

 private:
  const Profile& profile_;
  MessageSource& source_;
  const SimulatorOptions& options_;
  const io::Clock& clock_;
  const std::atomic<bool>& stop_;
};

}  // namespace tidegate::sim
