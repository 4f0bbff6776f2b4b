// Sessions, passwords and devices.
#include <fmt/format.h>

#include <algorithm>

#include "api/internal/api_impl.h"
#include "api/internal/request_json.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

constexpr size_t kMaxDeviceName = 256;  // also bounds the certificate's subject and the log's keys

Result<> check_device_name(std::string_view name) {
  const bool bad =
      std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == ':'; });
  if (!name.empty() && name.size() <= kMaxDeviceName && !bad) return {};
  return fail(ErrorCode::BadRequest, "a device's name has 1 to 256 bytes, no blanks and no ':'");
}

std::string device_json(const security::DeviceRecord& device) {
  return fmt::format(R"({{"name":{},"token":{},"certificate_fingerprint":{},"created_us":{}}})",
                     json_string(device.name), device.has_token,
                     device.certificate_fingerprint ? json_string(*device.certificate_fingerprint) : "null",
                     device.created_us);
}

}  // namespace

void ApiImpl::login(Call& call) {
  const auto members = parse_members(call.request.body, {"user", "password"}, {});
  if (!members) return call.reply(members.error());
  call.principal.kind = security::PrincipalKind::kUser;
  call.principal.name = members->at("user");
  const auto token = parts_.authenticator.login(members->at("user"), members->at("password"));
  audit(call, "login", "", token ? Result<>() : Result<>(fail(token.error())));
  if (!token) return call.reply(token.error());
  call.reply(fmt::format(R"({{"token":{}}})", json_string(*token)));
}

void ApiImpl::password(Call& call) {
  const auto members = parse_members(call.request.body, {"user", "old_password", "new_password"}, {});
  if (!members) return call.reply(members.error());
  call.principal.kind = security::PrincipalKind::kUser;
  call.principal.name = members->at("user");
  const auto changed = parts_.authenticator.change_password(members->at("user"), members->at("old_password"),
                                                            members->at("new_password"));
  audit(call, "password", "", changed);
  if (!changed) return call.reply(changed.error());
  call.reply("", 204);
}

void ApiImpl::logout(Call& call) {
  const auto header = call.request.header("authorization");
  if (header && header->starts_with("Bearer ")) parts_.authenticator.logout(header->substr(7));
  audit(call, "logout", "", {});
  call.reply("", 204);
}

void ApiImpl::devices(Call& call) {
  std::string out = "{\"devices\":[";
  for (const auto& device : parts_.authenticator.devices()) {
    if (out.back() != '[') out += ',';
    out += device_json(device);
  }
  call.reply(out + "]}");
}

void ApiImpl::add_device(Call& call) {
  const auto members = parse_members(call.request.body, {"name"}, {"certificate_fingerprint"});
  if (!members) return call.reply(members.error());
  const std::string& name = members->at("name");
  if (const auto good = check_device_name(name); !good) return call.reply(good.error());
  const auto token = parts_.authenticator.add_device(name);
  audit(call, "device.add", name, token ? Result<>() : Result<>(fail(token.error())));
  if (!token) return call.reply(token.error());
  if (const auto fingerprint = members->find("certificate_fingerprint"); fingerprint != members->end()) {
    const auto set = parts_.authenticator.set_device_certificate(name, fingerprint->second);
    if (!set) {
      const auto undone = parts_.authenticator.remove_device(name);
      return call.reply(undone ? set.error() : undone.error());
    }
  }
  call.reply(fmt::format(R"({{"name":{},"token":{}}})", json_string(name), json_string(*token)), 201);
}

void ApiImpl::remove_device(Call& call) {
  const auto removed = parts_.authenticator.remove_device(call.name);
  audit(call, "device.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

}  // namespace tidegate::api
