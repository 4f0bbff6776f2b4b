// The authenticator over the embedded store. docs/formats/security.md has the documents.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "crypto/sealing.h"
#include "security/authenticator.h"
#include "security/internal/attempt_limiter.h"

namespace tidegate::security {

struct User {
  std::string password_hash;
  bool one_time = false;  // the password must be replaced before anything else
};

struct Device {
  std::string token_hash;  // SHA-256; empty: no token
  std::string fingerprint;
  int64_t created_us = 0;
};

struct Gateway {
  std::string token_hash;
  std::shared_ptr<DeviceScope> scope;  // shared with the principals of open connections
  int64_t created_us = 0;
  uint64_t revision = 0;
};
[[nodiscard]] Result<Gateway> decode_gateway(std::string_view name, std::string_view bytes);

struct Session {
  std::string user;
  int64_t expires_us = 0;  // monotonic
};

// Everything that is known, by name; tokens by their SHA-256. Sessions live in memory only.
struct Accounts {
  std::map<std::string, User> users;
  std::map<std::string, Device> devices;
  std::map<std::string, Gateway> gateways;
  std::unordered_map<std::string, std::string> device_by_fingerprint;
  std::unordered_map<std::string, std::string> api_tokens;  // hash -> name
  std::unordered_map<std::string, Session> sessions;        // hash -> session
};

inline constexpr int64_t kSessionUs = int64_t{12} * 3600 * kMicrosPerSecond;
inline constexpr size_t kMaxSessions = 10'000;  // more than people at a site; the oldest to expire goes first
inline constexpr size_t kMinPasswordChars = 10;

class StoredAuthenticator final : public Authenticator {
 public:
  StoredAuthenticator(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock), limiter_(clock) {}
  [[nodiscard]] Result<> load();

  [[nodiscard]] Result<std::optional<std::string>> bootstrap_admin() override;
  [[nodiscard]] Result<Principal> device_by_token(std::string_view device, std::string_view token) override;
  [[nodiscard]] Result<Principal> device_by_certificate(std::string_view fingerprint) override;
  [[nodiscard]] Result<Principal> by_bearer(std::string_view token) override;
  [[nodiscard]] Result<std::string> login(std::string_view user, std::string_view password) override;
  [[nodiscard]] Result<> change_password(std::string_view user, std::string_view old_password,
                                         std::string_view new_password) override;
  void logout(std::string_view token) override;
  [[nodiscard]] Result<std::string> issue_api_token(std::string_view name) override;
  [[nodiscard]] Result<std::string> add_device(std::string_view name) override;
  [[nodiscard]] Result<std::vector<std::string>> add_devices(std::span<const std::string> names,
                                                             const WriteTogether& write) override;
  [[nodiscard]] Result<std::string> renew_device_token(std::string_view name) override;
  [[nodiscard]] Result<> set_device_certificate(std::string_view name, std::string_view fingerprint) override;
  [[nodiscard]] Result<> remove_device(std::string_view name) override;
  [[nodiscard]] std::vector<DeviceRecord> devices() const override;
  [[nodiscard]] std::optional<DeviceRecord> find_device(std::string_view name) const override;
  [[nodiscard]] Result<std::string> add_gateway(std::string_view name, std::vector<std::string> patterns) override;
  [[nodiscard]] Result<GatewayRecord> set_gateway_devices(std::string_view name, std::vector<std::string> patterns,
                                                          std::optional<uint64_t> revision) override;
  [[nodiscard]] Result<std::string> renew_gateway_token(std::string_view name) override;
  [[nodiscard]] Result<> remove_gateway(std::string_view name) override;
  [[nodiscard]] std::vector<GatewayRecord> gateways() const override;
  [[nodiscard]] std::optional<GatewayRecord> find_gateway(std::string_view name) const override;

 private:
  [[nodiscard]] Result<> load_document(Accounts& accounts, std::string_view key, std::string_view sealed);
  void put(store::WriteBatch& batch, const std::string& key, std::string_view document);
  [[nodiscard]] Result<> save_user(const std::string& name, const User& user);
  void put_device(store::WriteBatch& batch, const std::string& name, const Device& device);
  [[nodiscard]] Result<> save_device(const std::string& name, const Device& device);
  [[nodiscard]] Result<> save_gateway(const std::string& name, const Gateway& gateway,
                                      const std::vector<std::string>& patterns);
  // The user, if the password is right. Slow on purpose; not under the lock.
  [[nodiscard]] Result<User> checked_user(std::string_view name, std::string_view password);

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  AttemptLimiter limiter_;
  Guarded<Accounts> accounts_;
};

}  // namespace tidegate::security
