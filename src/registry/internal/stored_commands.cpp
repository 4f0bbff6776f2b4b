// Commands over the embedded store. docs/formats/registry.md has the documents.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/guarded.h"
#include "crypto/sealing.h"
#include "registry/commands.h"
#include "registry/internal/stored_keys.h"

namespace tidegate::registry {
namespace {

constexpr uint8_t kVersion = 1;

std::string folder_of(std::string_view prefix, std::string_view device) { return fmt::format("{}{}/", prefix, device); }
std::string key_of(const Command& command) {
  const bool pending = command.status == CommandStatus::kPending;
  return folder_of(pending ? kPendingPrefix : kFinishedPrefix, command.device) + command.id;
}

std::string encode(const Command& command) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(static_cast<uint8_t>(command.status));
  out.fixed(command.created_us);
  out.fixed(command.expires_us);
  out.fixed(command.finished_us);
  out.text(command.sender);
  out.text(command.payload);
  out.text(command.answer);
  return bytes;
}

// The key names device and id: <prefix><device>/<id>.
Result<Command> decode(std::string_view key, std::string_view prefix, std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.fixed<uint8_t>();
  Command command;
  command.status = static_cast<CommandStatus>(in.fixed<uint8_t>());
  command.created_us = in.fixed<int64_t>();
  command.expires_us = in.fixed<int64_t>();
  command.finished_us = in.fixed<int64_t>();
  command.sender = in.text();
  command.payload = in.text();
  command.answer = in.text();
  const size_t slash = key.rfind('/');
  command.device = key.substr(prefix.size(), slash - prefix.size());
  command.id = key.substr(slash + 1);
  if (version == kVersion && in.finished() && command.status <= CommandStatus::kExpired) return command;
  return fail(ErrorCode::FormatUnknown, fmt::format("the stored command '{}' has an unknown format", key),
              "it was written by a newer version; start that version, or restore a backup");
}

using Pending = std::map<std::string, std::map<std::string, Command>, std::less<>>;  // by device, by id

class StoredCommands final : public Commands {
 public:
  StoredCommands(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock) {}

  [[nodiscard]] Result<> load() {
    TRY_ASSIGN(std::vector<Command> commands, read(kPendingPrefix, kPendingPrefix));
    auto pending = pending_.lock();
    for (Command& command : commands) add(*pending, std::move(command));
    return {};
  }
  [[nodiscard]] Result<Command> send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                     std::string_view sender) override;
  [[nodiscard]] Result<Command> finish(std::string_view device, std::string_view id, bool good,
                                       std::string_view answer) override;
  [[nodiscard]] Result<size_t> expire() override;
  [[nodiscard]] std::vector<Command> pending(std::string_view device) const override;
  [[nodiscard]] std::vector<Command> all_pending() const override;
  [[nodiscard]] Result<std::vector<Command>> list(std::string_view device) override;
  [[nodiscard]] Result<> remove(std::string_view device) override;

 private:
  static void add(Pending& pending, Command command) {
    std::string id = command.id;
    pending[command.device].emplace(std::move(id), std::move(command));
  }
  static void take_out(Pending& pending, const Command& command) {
    const auto of_device = pending.find(command.device);
    if (of_device == pending.end()) return;
    of_device->second.erase(command.id);
    if (of_device->second.empty()) pending.erase(of_device);
  }
  [[nodiscard]] Result<std::vector<Command>> read(std::string_view begin, std::string_view prefix);
  // Both under changing_.
  [[nodiscard]] Result<> settle(const std::vector<Command>& commands);
  [[nodiscard]] Result<> drop_oldest(store::WriteBatch& batch, std::string_view device, size_t more);

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  Guarded<uint64_t> changing_;  // the last id; held over the durable write
  Guarded<Pending> pending_;
};

Result<std::vector<Command>> StoredCommands::read(std::string_view begin, std::string_view prefix) {
  std::vector<Command> out;
  Result<> outcome;
  TRY(store_.scan(store::Family::kCatalog, begin, end_of(begin), [&](std::string_view key, std::string_view sealed) {
    const auto one = [&]() -> Result<> {
      TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, sealed));
      TRY_ASSIGN(Command command, decode(key, prefix, bytes));
      out.push_back(std::move(command));
      return {};
    };
    outcome = one();
    return outcome.has_value();
  }));
  TRY(outcome);
  return out;
}

Result<Command> StoredCommands::send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                     std::string_view sender) {
  if (timeout_us <= 0 || timeout_us > kMaxCommandTimeoutUs) {
    return fail(ErrorCode::BadRequest, "a command's timeout is more than 0 and at most 7 days");
  }
  if (payload.size() > kMaxCommandBytes) {
    return fail(ErrorCode::RecordTooLarge,
                fmt::format("the command has {} bytes, {} are allowed", payload.size(), kMaxCommandBytes));
  }
  auto last_id = changing_.lock();
  if (pending(device).size() >= kMaxPendingCommands) {
    return fail(ErrorCode::LimitReached, fmt::format("'{}' has {} commands that wait", device, kMaxPendingCommands),
                "wait until it answers, or until their time is over");
  }
  const int64_t now_us = clock_.now_us();
  // Ids follow the clock, so that they are in order after a restart too, and never repeat within a run.
  *last_id = std::max(*last_id + 1, static_cast<uint64_t>(now_us));
  Command command;
  command.id = fmt::format("{:016x}", *last_id);
  command.device = device;
  command.payload = payload;
  command.sender = sender;
  command.created_us = now_us;
  command.expires_us = now_us + timeout_us;
  const std::string key = key_of(command);
  store::WriteBatch batch;
  batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, encode(command)));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  add(*pending_.lock(), command);
  return command;
}

Result<> StoredCommands::drop_oldest(store::WriteBatch& batch, std::string_view device, size_t more) {
  std::vector<std::string> keys;
  const std::string folder = folder_of(kFinishedPrefix, device);
  TRY(store_.scan(store::Family::kCatalog, folder, end_of(folder), [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  }));
  const size_t all = keys.size() + more;
  const size_t gone = std::min(keys.size(), all > kMaxFinishedCommands ? all - kMaxFinishedCommands : 0);
  for (size_t at = 0; at < gone; ++at) batch.erase(store::Family::kCatalog, keys[at]);
  return {};
}

Result<> StoredCommands::settle(const std::vector<Command>& commands) {
  store::WriteBatch batch;
  std::map<std::string_view, size_t> by_device;
  for (const Command& command : commands) {
    const std::string key = key_of(command);
    batch.erase(store::Family::kCatalog, folder_of(kPendingPrefix, command.device) + command.id);
    batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, encode(command)));
    ++by_device[command.device];
  }
  for (const auto& [device, count] : by_device) TRY(drop_oldest(batch, device, count));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto pending = pending_.lock();
  for (const Command& command : commands) take_out(*pending, command);
  return {};
}

Result<Command> StoredCommands::finish(std::string_view device, std::string_view id, bool good,
                                       std::string_view answer) {
  const auto one_at_a_time = changing_.lock();
  const std::vector<Command> waiting = pending(device);
  const auto found = std::ranges::find(waiting, id, &Command::id);
  if (found == waiting.end()) {
    return fail(ErrorCode::NotFound, fmt::format("'{}' has no pending command '{}'", device, id.substr(0, 32)),
                "it was answered before, or its time was over");
  }
  Command command = *found;
  command.status = good ? CommandStatus::kAcked : CommandStatus::kFailed;
  command.answer = answer.substr(0, kMaxCommandBytes);
  command.finished_us = clock_.now_us();
  TRY(settle({command}));
  return command;
}

Result<size_t> StoredCommands::expire() {
  const int64_t now_us = clock_.now_us();
  const auto one_at_a_time = changing_.lock();
  std::vector<Command> over;
  for (Command& command : all_pending()) {
    if (command.expires_us > now_us) continue;
    command.status = CommandStatus::kExpired;
    command.finished_us = now_us;
    over.push_back(std::move(command));
  }
  if (over.empty()) return 0;
  TRY(settle(over));
  return over.size();
}

std::vector<Command> StoredCommands::pending(std::string_view device) const {
  std::vector<Command> out;
  const auto pending = pending_.lock();
  const auto of_device = pending->find(device);
  if (of_device == pending->end()) return out;
  for (const auto& [id, command] : of_device->second) out.push_back(command);
  return out;
}

std::vector<Command> StoredCommands::all_pending() const {
  std::vector<Command> out;
  const auto pending = pending_.lock();
  for (const auto& [device, commands] : *pending) {
    for (const auto& [id, command] : commands) out.push_back(command);
  }
  return out;
}

Result<std::vector<Command>> StoredCommands::list(std::string_view device) {
  std::vector<Command> all = pending(device);
  TRY_ASSIGN(std::vector<Command> finished, read(folder_of(kFinishedPrefix, device), kFinishedPrefix));
  for (Command& command : finished) all.push_back(std::move(command));
  std::ranges::sort(all, std::greater<>(), &Command::id);
  return all;
}

Result<> StoredCommands::remove(std::string_view device) {
  const auto one_at_a_time = changing_.lock();
  store::WriteBatch batch;
  for (const std::string_view prefix : {kPendingPrefix, kFinishedPrefix}) {
    const std::string folder = folder_of(prefix, device);
    batch.erase_range(store::Family::kCatalog, folder, end_of(folder));
  }
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto pending = pending_.lock();
  if (const auto found = pending->find(device); found != pending->end()) pending->erase(found);
  return {};
}

}  // namespace

std::string_view command_status_name(CommandStatus status) {
  switch (status) {
    case CommandStatus::kPending: return "pending";
    case CommandStatus::kAcked: return "acked";
    case CommandStatus::kFailed: return "failed";
    case CommandStatus::kExpired: return "expired";
  }
  return "expired";
}

Result<std::unique_ptr<Commands>> Commands::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                                 const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("registry"));
  auto commands = std::make_unique<StoredCommands>(store, std::move(key), random, clock);
  TRY(commands->load());
  return commands;
}

}  // namespace tidegate::registry
