// Commands to devices: durable from when they are sent until they are answered or their time is over.
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

namespace tidegate::registry {

inline constexpr size_t kMaxCommandBytes = 64U << 10;  // of a payload, and of an answer
inline constexpr size_t kMaxPendingCommands = 100;     // of a device: one that never answers fills no disk
inline constexpr size_t kMaxFinishedCommands = 50;     // kept of a device; the oldest go first
inline constexpr int64_t kMaxCommandTimeoutUs = int64_t{7} * 24 * 3600 * 1'000'000;

enum class CommandStatus : uint8_t { kPending = 0, kAcked = 1, kFailed = 2, kExpired = 3 };
[[nodiscard]] std::string_view command_status_name(CommandStatus status);

struct Command {
  std::string id;  // 16 hex digits, in the order of sending
  std::string device;
  std::string payload;  // any bytes
  CommandStatus status = CommandStatus::kPending;
  std::string sender;  // who sent it, for the record
  std::string answer;  // what the device said
  int64_t created_us = 0;
  int64_t expires_us = 0;
  int64_t finished_us = 0;  // 0: not yet
};

// Pending commands are in memory as well as in the store; finished ones in the store only. Changes are durable on
// return. Any thread.
class Commands {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Commands>> open(store::Store& store, crypto::KeyRing& keys,
                                                              io::Random& random, const io::Clock& clock);
  virtual ~Commands() = default;

  // BadRequest (timeout), RecordTooLarge, LimitReached.
  [[nodiscard]] virtual Result<Command> send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                             std::string_view sender) = 0;
  // The device's answer. NotFound when it has no such pending command: answered before, expired, or another's.
  [[nodiscard]] virtual Result<Command> finish(std::string_view device, std::string_view id, bool good,
                                               std::string_view answer) = 0;
  // Ends all whose time is over.
  [[nodiscard]] virtual Result<size_t> expire() = 0;
  [[nodiscard]] virtual std::vector<Command> pending(std::string_view device) const = 0;
  [[nodiscard]] virtual std::vector<Command> all_pending() const = 0;
  // Pending and finished ones, newest first.
  [[nodiscard]] virtual Result<std::vector<Command>> list(std::string_view device) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view device) = 0;
};

}  // namespace tidegate::registry
