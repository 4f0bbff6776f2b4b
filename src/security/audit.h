// The audit log: who did what, when, with what outcome. Append-only, each event sealed and chained to the one before.
// One event per session, change and denial; never one per message or record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "store/store.h"

namespace tidegate::security {

struct AuditEvent {
  std::string who;     // "admin", "device/meter-1", "" if not known
  std::string what;    // "login", "device.add", "mqtt.connect", ...
  std::string target;  // what it was done to
  bool allowed = true;
  std::string detail;
  int64_t time_us = 0;  // set by record()
};

// Any thread.
class Audit {
 public:
  static constexpr size_t kMaxTextBytes = 256;  // of each text; what is longer is cut, as it may come from anybody
  // Denials recorded one by one in a minute; the others are counted in one event "audit.suppressed", so that nobody
  // fills the disk with wrong passwords.
  static constexpr uint32_t kMaxDenialsPerMinute = 300;

  [[nodiscard]] static Result<std::unique_ptr<Audit>> open(store::Store& store, crypto::KeyRing& keys,
                                                           io::Random& random, const io::Clock& clock);
  virtual ~Audit() = default;
  // Durable with the store's next synced write; a failure is logged, not returned: it must not stop the work.
  virtual void record(AuditEvent event) = 0;
  // The newest `count` events, newest first.
  [[nodiscard]] virtual Result<std::vector<AuditEvent>> newest(size_t count) = 0;
  // Reads all of it: SealBroken, with the event's number, where one was changed, removed or moved.
  [[nodiscard]] virtual Result<uint64_t> verify() = 0;
};

}  // namespace tidegate::security
