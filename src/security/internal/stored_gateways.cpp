// Gateways: principals that send for other devices.
#include <fmt/format.h>

#include "base/bytes.h"
#include "crypto/passwords.h"
#include "security/internal/account_names.h"
#include "security/internal/stored_authenticator.h"

namespace tidegate::security {
namespace {

constexpr uint8_t kVersion = 1;

std::unexpected<Error> no_such_gateway(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no gateway named '{}'", name),
              "`tidegate gateway list` shows what there is");
}

}  // namespace

Result<Gateway> decode_gateway(std::string_view name, std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.fixed<uint8_t>();
  Gateway gateway;
  gateway.revision = in.fixed<uint64_t>();
  gateway.created_us = in.fixed<int64_t>();
  gateway.token_hash = in.text();
  std::vector<std::string> patterns;
  const uint64_t count = in.varint();
  for (uint64_t at = 0; at < count && in.ok(); ++at) patterns.emplace_back(in.text());
  gateway.scope = std::make_shared<DeviceScope>(std::move(patterns));
  if (version == kVersion && in.finished()) return gateway;
  return fail(ErrorCode::FormatUnknown, fmt::format("the stored gateway '{}' has an unknown format", name),
              "it was written by a newer version; start that version");
}

Result<> StoredAuthenticator::save_gateway(const std::string& name, const Gateway& gateway,
                                           const std::vector<std::string>& patterns) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(gateway.revision);
  out.fixed(gateway.created_us);
  out.text(gateway.token_hash);
  out.varint(patterns.size());
  for (const std::string& pattern : patterns) out.text(pattern);
  store::WriteBatch batch;
  put(batch, key_of(kGatewayPrefix, name), bytes);
  return store_.write(std::move(batch), store::Durability::kSynced);
}

GatewayRecord gateway_record(const std::string& name, const Gateway& gateway) {
  return {name, gateway.scope->patterns(), gateway.created_us, gateway.revision};
}

Result<std::string> StoredAuthenticator::add_gateway(std::string_view name, std::vector<std::string> patterns) {
  TRY(check_name(name));
  TRY(check_scope(patterns));
  std::string token = crypto::random_token(random_);
  Gateway gateway{crypto::sha256(token), nullptr, clock_.now_us(), 1};
  auto accounts = accounts_.lock();
  std::string key(name);
  if (accounts->gateways.contains(key) || accounts->devices.contains(key)) {
    return fail(ErrorCode::AlreadyExists, fmt::format("a gateway or device named '{}' exists already", name),
                "choose another name; `tidegate gateway token` gives a gateway a new token");
  }
  TRY(save_gateway(key, gateway, patterns));
  gateway.scope = std::make_shared<DeviceScope>(std::move(patterns));
  accounts->gateways[std::move(key)] = std::move(gateway);
  return token;
}

Result<GatewayRecord> StoredAuthenticator::set_gateway_devices(std::string_view name, std::vector<std::string> patterns,
                                                               std::optional<uint64_t> revision) {
  TRY(check_scope(patterns));
  auto accounts = accounts_.lock();
  const auto found = accounts->gateways.find(std::string(name));
  if (found == accounts->gateways.end()) return no_such_gateway(name);
  if (revision && *revision != found->second.revision) {
    return fail(ErrorCode::PreconditionFailed,
                fmt::format("the gateway was changed meanwhile: it is at revision {}, not {}", found->second.revision,
                            *revision),
                "read it again and repeat the change on what it says now");
  }
  Gateway changed = found->second;
  ++changed.revision;
  TRY(save_gateway(found->first, changed, patterns));
  found->second.revision = changed.revision;
  found->second.scope->set(std::move(patterns));
  return gateway_record(found->first, found->second);
}

Result<std::string> StoredAuthenticator::renew_gateway_token(std::string_view name) {
  std::string token = crypto::random_token(random_);
  auto accounts = accounts_.lock();
  const auto found = accounts->gateways.find(std::string(name));
  if (found == accounts->gateways.end()) return no_such_gateway(name);
  Gateway changed = found->second;
  changed.token_hash = crypto::sha256(token);
  TRY(save_gateway(found->first, changed, changed.scope->patterns()));
  found->second = std::move(changed);
  return token;
}

// Connections that are open hold its scope: empty, it takes nothing more from them.
Result<> StoredAuthenticator::remove_gateway(std::string_view name) {
  auto accounts = accounts_.lock();
  const auto found = accounts->gateways.find(std::string(name));
  if (found == accounts->gateways.end()) return no_such_gateway(name);
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, key_of(kGatewayPrefix, name));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  found->second.scope->set({});
  accounts->gateways.erase(found);
  return {};
}

std::vector<GatewayRecord> StoredAuthenticator::gateways() const {
  const auto accounts = accounts_.lock();
  std::vector<GatewayRecord> all;
  for (const auto& [name, gateway] : accounts->gateways) all.push_back(gateway_record(name, gateway));
  return all;
}

std::optional<GatewayRecord> StoredAuthenticator::find_gateway(std::string_view name) const {
  const auto accounts = accounts_.lock();
  const auto found = accounts->gateways.find(std::string(name));
  if (found == accounts->gateways.end()) return std::nullopt;
  return gateway_record(found->first, found->second);
}

}  // namespace tidegate::security
