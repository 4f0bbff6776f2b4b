// The credentials of devices.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "crypto/passwords.h"
#include "security/internal/account_names.h"
#include "security/internal/stored_authenticator.h"

namespace tidegate::security {
namespace {

DeviceRecord record_of(const std::string& name, const Device& device) {
  DeviceRecord record{name, !device.token_hash.empty(), std::nullopt, device.created_us};
  if (!device.fingerprint.empty()) record.certificate_fingerprint = device.fingerprint;
  return record;
}

std::unexpected<Error> no_such_device(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no device named '{}'", name),
              "`tidegate device list` shows what there is");
}

}  // namespace

Result<> check_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMaxNameBytes && std::ranges::none_of(name, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '+' || c == '#' || c == '/';
  });
  if (fits) return {};
  return fail(ErrorCode::BadRequest, fmt::format("'{}' cannot be a name", name),
              fmt::format("use 1 to {} bytes without '/', '+', '#' and control characters", kMaxNameBytes));
}

void StoredAuthenticator::put_device(store::WriteBatch& batch, const std::string& name, const Device& device) {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(device.token_hash);
  out.text(device.fingerprint);
  out.fixed(device.created_us);
  put(batch, key_of(kDevicePrefix, name), bytes);
}

Result<> StoredAuthenticator::save_device(const std::string& name, const Device& device) {
  store::WriteBatch batch;
  put_device(batch, name, device);
  return store_.write(std::move(batch), store::Durability::kSynced);
}

Result<std::string> StoredAuthenticator::add_device(std::string_view name) {
  const std::string names[] = {std::string(name)};
  TRY_ASSIGN(std::vector<std::string> tokens, add_devices(names, [this](store::WriteBatch batch) {
               return store_.write(std::move(batch), store::Durability::kSynced);
             }));
  return std::move(tokens.front());
}

// Tokens and seals are made before the lock: with many devices that takes a while, and others want in.
Result<std::vector<std::string>> StoredAuthenticator::add_devices(std::span<const std::string> names,
                                                                  const WriteTogether& write) {
  std::vector<std::string> tokens;
  std::vector<Device> made;
  store::WriteBatch batch;
  for (const std::string& name : names) {
    TRY(check_name(name));
    tokens.push_back(crypto::random_token(random_));
    made.push_back({crypto::sha256(tokens.back()), {}, clock_.now_us()});
    put_device(batch, name, made.back());
  }
  auto accounts = accounts_.lock();
  for (const std::string& name : names) {
    if (!accounts->devices.contains(name) && !accounts->gateways.contains(name)) continue;
    return fail(ErrorCode::AlreadyExists, fmt::format("a device or gateway named '{}' exists already", name),
                "`tidegate device token` gives it a new token");
  }
  TRY(write(std::move(batch)));
  for (size_t at = 0; at < names.size(); ++at) accounts->devices[names[at]] = std::move(made[at]);
  return tokens;
}

Result<std::string> StoredAuthenticator::renew_device_token(std::string_view name) {
  TRY(check_name(name));
  std::string token = crypto::random_token(random_);
  auto accounts = accounts_.lock();
  const auto found = accounts->devices.find(std::string(name));
  Device changed = found == accounts->devices.end() ? Device{{}, {}, clock_.now_us()} : found->second;
  changed.token_hash = crypto::sha256(token);
  TRY(save_device(std::string(name), changed));
  accounts->devices[std::string(name)] = std::move(changed);
  return token;
}

Result<> StoredAuthenticator::set_device_certificate(std::string_view name, std::string_view fingerprint) {
  auto accounts = accounts_.lock();
  const auto found = accounts->devices.find(std::string(name));
  if (found == accounts->devices.end()) return no_such_device(name);
  const auto owner = accounts->device_by_fingerprint.find(std::string(fingerprint));
  if (owner != accounts->device_by_fingerprint.end() && owner->second != name) {
    return fail(ErrorCode::AlreadyExists, fmt::format("this certificate belongs to the device '{}'", owner->second));
  }
  Device changed = found->second;
  changed.fingerprint = fingerprint;
  TRY(save_device(found->first, changed));
  accounts->device_by_fingerprint.erase(found->second.fingerprint);
  accounts->device_by_fingerprint[changed.fingerprint] = found->first;
  found->second = std::move(changed);
  return {};
}

Result<> StoredAuthenticator::remove_device(std::string_view name) {
  auto accounts = accounts_.lock();
  const auto found = accounts->devices.find(std::string(name));
  if (found == accounts->devices.end()) return no_such_device(name);
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, key_of(kDevicePrefix, name));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  accounts->device_by_fingerprint.erase(found->second.fingerprint);
  accounts->devices.erase(found);
  return {};
}

std::vector<DeviceRecord> StoredAuthenticator::devices() const {
  const auto accounts = accounts_.lock();
  std::vector<DeviceRecord> all;
  for (const auto& [name, device] : accounts->devices) all.push_back(record_of(name, device));
  return all;
}

std::optional<DeviceRecord> StoredAuthenticator::find_device(std::string_view name) const {
  const auto accounts = accounts_.lock();
  const auto found = accounts->devices.find(std::string(name));
  if (found == accounts->devices.end()) return std::nullopt;
  return record_of(found->first, found->second);
}

}  // namespace tidegate::security
