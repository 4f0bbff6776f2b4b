// Carries live queries to their readers as server-sent events (WHATWG HTML section 9.2).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "net/http_handler.h"
#include "security/principal.h"

namespace tidegate::security {
class PolicyGate;
}

namespace tidegate::api {

// One thread encodes for all readers, so a slow one costs nobody: while its socket takes nothing, its rows stay in the
// query's bounded queue, and those that do not fit are counted and told ("missed").
class LiveHub {
 public:
  LiveHub(const security::PolicyGate& gate, engine::Engine& engine);
  ~LiveHub();

  // Opens the query and answers `responder`, with the stream or with the error. Not on a network thread.
  void open(sql::Plan plan, std::vector<engine::SourceStart> starts, security::Principal reader,
            const std::shared_ptr<net::HttpResponder>& responder);
  void stop();  // every reader gets `end`
  [[nodiscard]] size_t readers() const;

 private:
  struct Signals;
  struct Session;
  void run();
  void serve(const std::vector<std::shared_ptr<Session>>& sessions);
  bool pump(Session& session);
  static void take(Session& session);
  void write_rows(Session& session);
  void wake();

  // A reader may hold back this much before the hub stops writing to it; half of what a stream may queue.
  static constexpr size_t kMaxUnsentBytes = 4U << 20;
  static constexpr size_t kMaxReaders = 256;  // a thread encodes for all of them
  static constexpr int kHeartbeatMs = 15'000;
  static constexpr int kRetryMs = 50;  // until a reader that was too slow is looked at again
  static constexpr size_t kRowsPerEvent = 1024;
  static constexpr size_t kBytesPerEvent = 256U << 10;  // in memory; rows may be large

  const security::PolicyGate& gate_;
  engine::Engine& engine_;
  mutable std::mutex mutex_;  // with a condition variable
  std::condition_variable wake_;
  bool work_ = false;
  bool stopping_ = false;
  std::vector<std::shared_ptr<Session>> sessions_;  // shared with the callbacks of engine and socket
  std::thread thread_;
};

}  // namespace tidegate::api
