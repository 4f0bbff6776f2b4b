#include "security/internal/stored_authenticator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "crypto/passwords.h"
#include "security/internal/account_names.h"

namespace tidegate::security {
namespace {

constexpr std::string_view kPrefix = "security/";
constexpr std::string_view kEnd = "security0";
constexpr std::string_view kUserPrefix = "security/user/";
constexpr std::string_view kTokenPrefix = "security/token/";

// One answer for everything that is wrong with credentials, so that nobody learns which names exist.
std::unexpected<Error> wrong_credentials() {
  return fail(ErrorCode::NotAuthenticated, "the name or the secret is wrong",
              "check both; an administrator can issue new ones");
}

}  // namespace

Result<> StoredAuthenticator::load() {
  auto accounts = accounts_.lock();
  Result<> outcome;
  TRY(store_.scan(store::Family::kCatalog, kPrefix, kEnd, [&](std::string_view key, std::string_view sealed) {
    outcome = load_document(*accounts, key, sealed);
    return outcome.has_value();
  }));
  return outcome;
}

Result<> StoredAuthenticator::load_document(Accounts& accounts, std::string_view key, std::string_view sealed) {
  TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, sealed));
  if (key.starts_with(kGatewayPrefix)) {
    const std::string_view name = key.substr(kGatewayPrefix.size());
    TRY_ASSIGN(accounts.gateways[std::string(name)], decode_gateway(name, bytes));
    return {};
  }
  ByteReader in(bytes);
  if (key.starts_with(kUserPrefix)) {
    User user;
    user.password_hash = in.text();
    user.one_time = in.fixed<uint8_t>() != 0;
    accounts.users[std::string(key.substr(kUserPrefix.size()))] = std::move(user);
  } else if (key.starts_with(kDevicePrefix)) {
    Device device;
    device.token_hash = in.text();
    device.fingerprint = in.text();
    device.created_us = in.fixed<int64_t>();
    std::string name(key.substr(kDevicePrefix.size()));
    if (!device.fingerprint.empty()) accounts.device_by_fingerprint[device.fingerprint] = name;
    accounts.devices[std::move(name)] = std::move(device);
  } else if (key.starts_with(kTokenPrefix)) {
    accounts.api_tokens[std::string(in.text())] = key.substr(kTokenPrefix.size());
  }
  if (in.finished()) return {};
  return fail(ErrorCode::FormatUnknown, fmt::format("the document '{}' has an unknown format", key),
              "it was written by a newer version; start that version");
}

void StoredAuthenticator::put(store::WriteBatch& batch, const std::string& key, std::string_view document) {
  batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, document));
}

Result<> StoredAuthenticator::save_user(const std::string& name, const User& user) {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(user.password_hash);
  out.fixed(static_cast<uint8_t>(user.one_time));
  store::WriteBatch batch;
  put(batch, key_of(kUserPrefix, name), bytes);
  return store_.write(std::move(batch), store::Durability::kSynced);
}

Result<std::optional<std::string>> StoredAuthenticator::bootstrap_admin() {
  if (!accounts_.lock()->users.empty()) return std::nullopt;
  constexpr size_t kOneTimeBytes = 12;
  const std::string password = crypto::random_token(random_, kOneTimeBytes);
  User admin;
  TRY_ASSIGN(admin.password_hash, crypto::hash_password(password, random_));
  admin.one_time = true;
  TRY(save_user("admin", admin));
  accounts_.lock()->users["admin"] = std::move(admin);
  return std::optional(password);
}

Result<Principal> StoredAuthenticator::device_by_token(std::string_view device, std::string_view token) {
  // Not slowed down: 256 random bits cannot be guessed, and whoever sends wrong ones must not keep the device out.
  const std::string hash = crypto::sha256(token);
  const std::string name(device);
  auto accounts = accounts_.lock();
  if (const auto found = accounts->devices.find(name); found != accounts->devices.end()) {
    const std::string& expected = found->second.token_hash;
    if (expected.empty() || !crypto::equal_in_constant_time(expected, hash)) return wrong_credentials();
    return Principal{PrincipalKind::kDevice, name, false, nullptr};
  }
  const auto gateway = accounts->gateways.find(name);
  if (gateway == accounts->gateways.end() || !crypto::equal_in_constant_time(gateway->second.token_hash, hash)) {
    return wrong_credentials();
  }
  return Principal{PrincipalKind::kGateway, name, false, gateway->second.scope};
}

Result<Principal> StoredAuthenticator::device_by_certificate(std::string_view fingerprint) {
  auto accounts = accounts_.lock();
  const auto found = accounts->device_by_fingerprint.find(std::string(fingerprint));
  if (found == accounts->device_by_fingerprint.end()) {
    return fail(ErrorCode::NotAuthenticated, "the client certificate belongs to no device",
                "register its SHA-256 fingerprint: tidegate device add NAME --certificate FILE");
  }
  return Principal{PrincipalKind::kDevice, found->second, false, nullptr};
}

Result<Principal> StoredAuthenticator::by_bearer(std::string_view token) {
  if (const size_t colon = token.rfind(':'); colon != std::string_view::npos) {
    return device_by_token(token.substr(0, colon), token.substr(colon + 1));
  }
  const std::string hash = crypto::sha256(token);
  auto accounts = accounts_.lock();
  if (const auto api = accounts->api_tokens.find(hash); api != accounts->api_tokens.end()) {
    return Principal{PrincipalKind::kService, api->second, true, nullptr};
  }
  const auto session = accounts->sessions.find(hash);
  if (session == accounts->sessions.end()) return wrong_credentials();
  if (session->second.expires_us <= clock_.monotonic_us()) {
    accounts->sessions.erase(session);
    return fail(ErrorCode::NotAuthenticated, "the session has expired", "log in again: tidegate login");
  }
  return Principal{PrincipalKind::kUser, session->second.user, true, nullptr};
}

Result<User> StoredAuthenticator::checked_user(std::string_view name, std::string_view password) {
  TRY(limiter_.check(name));
  std::optional<User> user;
  {
    auto accounts = accounts_.lock();
    const auto found = accounts->users.find(std::string(name));
    if (found != accounts->users.end()) user = found->second;
  }
  // A name that does not exist costs the same time.
  static const std::string kNobody = *crypto::hash_password("nobody has this password", random_);
  const bool right = crypto::verify_password(password, user ? user->password_hash : kNobody);
  if (!right || !user) {
    limiter_.failed(name);
    return wrong_credentials();
  }
  limiter_.succeeded(name);
  return *user;
}

Result<std::string> StoredAuthenticator::login(std::string_view user, std::string_view password) {
  TRY_ASSIGN(const User known, checked_user(user, password));
  if (known.one_time) {
    return fail(ErrorCode::PasswordChangeRequired, "this is a one-time password; choose your own first",
                "tidegate passwd, or POST /api/v1/password");
  }
  std::string token = crypto::random_token(random_);
  auto accounts = accounts_.lock();
  if (accounts->sessions.size() >= kMaxSessions) {
    accounts->sessions.erase(
        std::ranges::min_element(accounts->sessions, {}, [](const auto& entry) { return entry.second.expires_us; }));
  }
  accounts->sessions[crypto::sha256(token)] = {std::string(user), clock_.monotonic_us() + kSessionUs};
  return token;
}

Result<> StoredAuthenticator::change_password(std::string_view user, std::string_view old_password,
                                              std::string_view new_password) {
  TRY(checked_user(user, old_password));
  if (new_password.size() < kMinPasswordChars || new_password == old_password) {
    return fail(ErrorCode::BadRequest, "the new password is too weak",
                fmt::format("use at least {} characters, and not the old password", kMinPasswordChars));
  }
  User changed;
  TRY_ASSIGN(changed.password_hash, crypto::hash_password(new_password, random_));
  TRY(save_user(std::string(user), changed));
  auto accounts = accounts_.lock();
  accounts->users[std::string(user)] = std::move(changed);
  std::erase_if(accounts->sessions, [&](const auto& entry) { return entry.second.user == user; });
  return {};
}

void StoredAuthenticator::logout(std::string_view token) { accounts_.lock()->sessions.erase(crypto::sha256(token)); }

Result<std::string> StoredAuthenticator::issue_api_token(std::string_view name) {
  TRY(check_name(name));
  std::string token = crypto::random_token(random_);
  const std::string hash = crypto::sha256(token);
  std::string bytes;
  ByteWriter(bytes).text(hash);
  store::WriteBatch batch;
  put(batch, key_of(kTokenPrefix, name), bytes);
  auto accounts = accounts_.lock();
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  std::erase_if(accounts->api_tokens, [&](const auto& entry) { return entry.second == name; });
  accounts->api_tokens[hash] = name;
  return token;
}

Result<std::unique_ptr<Authenticator>> Authenticator::open(store::Store& store, crypto::KeyRing& keys,
                                                           io::Random& random, const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("security"));
  auto authenticator = std::make_unique<StoredAuthenticator>(store, std::move(key), random, clock);
  TRY(authenticator->load());
  return authenticator;
}

}  // namespace tidegate::security
