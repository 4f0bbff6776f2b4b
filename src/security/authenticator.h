// Authenticator: credentials in, principal out; and the durable records behind it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "security/principal.h"
#include "store/store.h"

namespace tidegate::security {

struct DeviceRecord {
  std::string name;
  bool has_token = false;
  std::optional<std::string> certificate_fingerprint;  // SHA-256, lower-case hex
  int64_t created_us = 0;
};

struct GatewayRecord {
  std::string name;
  std::vector<std::string> devices;  // names and patterns (device_scope.h)
  int64_t created_us = 0;
  uint64_t revision = 0;
};

// Secrets are stored as scrypt (passwords, RFC 7914) or SHA-256 (tokens of 256 random bits) hashes, compared in
// constant time; wrong passwords slow their account down (tokens cannot be guessed, so they do not). Any thread.
class Authenticator {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Authenticator>> open(store::Store& store, crypto::KeyRing& keys,
                                                                   io::Random& random, const io::Clock& clock);
  virtual ~Authenticator() = default;

  // At the very first start only: makes user `admin` and returns its one-time password.
  [[nodiscard]] virtual Result<std::optional<std::string>> bootstrap_admin() = 0;

  // MQTT: username = device name, password = its token; or a client certificate.
  [[nodiscard]] virtual Result<Principal> device_by_token(std::string_view device, std::string_view token) = 0;
  [[nodiscard]] virtual Result<Principal> device_by_certificate(std::string_view fingerprint) = 0;
  // "Authorization: Bearer ..." of a person's session, an API token or a device's token ("device:token").
  [[nodiscard]] virtual Result<Principal> by_bearer(std::string_view token) = 0;

  // A session token (12 h). PasswordChangeRequired when the password is a one-time one.
  [[nodiscard]] virtual Result<std::string> login(std::string_view user, std::string_view password) = 0;
  // The new password has at least 10 characters. Ends the user's other sessions.
  [[nodiscard]] virtual Result<> change_password(std::string_view user, std::string_view old_password,
                                                 std::string_view new_password) = 0;
  virtual void logout(std::string_view token) = 0;
  // A token that does not expire, for programs; admin like its maker.
  [[nodiscard]] virtual Result<std::string> issue_api_token(std::string_view name) = 0;

  // Returns the device's token, shown once. AlreadyExists.
  [[nodiscard]] virtual Result<std::string> add_device(std::string_view name) = 0;
  // Makes the batch durable, with what the caller puts beside it.
  using WriteTogether = std::function<Result<>(store::WriteBatch)>;
  // All or none; their tokens in the same order. AlreadyExists, and what `write` says.
  [[nodiscard]] virtual Result<std::vector<std::string>> add_devices(std::span<const std::string> names,
                                                                     const WriteTogether& write) = 0;
  // A new token in place of the one it has, if it has one; its certificate stays.
  [[nodiscard]] virtual Result<std::string> renew_device_token(std::string_view name) = 0;
  [[nodiscard]] virtual Result<> set_device_certificate(std::string_view name, std::string_view fingerprint) = 0;
  [[nodiscard]] virtual Result<> remove_device(std::string_view name) = 0;
  [[nodiscard]] virtual std::vector<DeviceRecord> devices() const = 0;
  [[nodiscard]] virtual std::optional<DeviceRecord> find_device(std::string_view name) const = 0;

  // A gateway authenticates as a device does, by name and token, and shares the devices' names. Returns its token,
  // shown once. AlreadyExists, BadRequest.
  [[nodiscard]] virtual Result<std::string> add_gateway(std::string_view name, std::vector<std::string> patterns) = 0;
  // At once for open connections too. NotFound, BadRequest, PreconditionFailed if it is not at `revision`.
  [[nodiscard]] virtual Result<GatewayRecord> set_gateway_devices(std::string_view name,
                                                                  std::vector<std::string> patterns,
                                                                  std::optional<uint64_t> revision) = 0;
  [[nodiscard]] virtual Result<std::string> renew_gateway_token(std::string_view name) = 0;
  // Nothing more is taken from it, on open connections too.
  [[nodiscard]] virtual Result<> remove_gateway(std::string_view name) = 0;
  [[nodiscard]] virtual std::vector<GatewayRecord> gateways() const = 0;
  [[nodiscard]] virtual std::optional<GatewayRecord> find_gateway(std::string_view name) const = 0;
};

}  // namespace tidegate::security
