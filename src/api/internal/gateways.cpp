// Gateways: principals that send for other devices.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/device_json.h"
#include "api/internal/document_request.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::string gateway_json(const security::GatewayRecord& gateway) {
  std::string devices;
  for (const std::string& pattern : gateway.devices) devices += (devices.empty() ? "" : ",") + json_string(pattern);
  return fmt::format(R"({{"name":{},"devices":[{}],"created_us":{},"revision":{}}})", json_string(gateway.name),
                     devices, gateway.created_us, gateway.revision);
}

Result<std::vector<std::string>> devices_of(boost::json::object& members) {
  const auto bad = [] {
    return fail(ErrorCode::BadRequest, "the member 'devices' must be an array of names and patterns",
                R"(write for example {"devices": ["pump-*", "meter-01"]})");
  };
  const auto* list = members.if_contains("devices");
  if (list == nullptr || !list->is_array()) return bad();
  std::vector<std::string> patterns;
  for (const auto& one : list->get_array()) {
    if (!one.is_string()) return bad();
    patterns.emplace_back(one.get_string().data(), one.get_string().size());
  }
  members.erase("devices");
  TRY(check_all_taken(members));
  return patterns;
}

}  // namespace

void ApiImpl::gateways(Call& call) {
  std::string out = "{\"gateways\":[";
  for (const auto& gateway : parts_.authenticator.gateways()) {
    if (out.back() != '[') out += ',';
    out += gateway_json(gateway);
  }
  call.reply(out + "]}");
}

void ApiImpl::gateway(Call& call) {
  const auto found = parts_.authenticator.find_gateway(call.name);
  if (found) return call.reply_revision(gateway_json(*found), found->revision);
  call.reply(Error{ErrorCode::NotFound,
                   fmt::format("there is no gateway named '{}'", call.name),
                   "`tidegate gateway list` shows what there is",
                   {}});
}

void ApiImpl::add_gateway(Call& call) {
  std::string name;
  const auto token = [&]() -> Result<std::string> {
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    TRY_ASSIGN(const auto wanted, take_text(members, "name"));
    if (!wanted) return fail(ErrorCode::BadRequest, "the member 'name' is missing");
    name = *wanted;
    TRY_ASSIGN(auto patterns, devices_of(members));
    TRY(registry::check_device_name(name));
    if (parts_.registry.find_device(name)) {
      return fail(ErrorCode::AlreadyExists, fmt::format("a device named '{}' exists already", name));
    }
    return parts_.authenticator.add_gateway(name, std::move(patterns));
  }();
  audit(call, "gateway.add", name, token ? Result<>() : Result<>(fail(token.error())));
  if (!token) return call.reply(token.error());
  call.reply_revision(fmt::format(R"({{"name":{},"token":{},"revision":1}})", json_string(name), json_string(*token)),
                      1, 201);
}

void ApiImpl::change_gateway(Call& call) {
  const auto changed = [&]() -> Result<security::GatewayRecord> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    TRY_ASSIGN(auto patterns, devices_of(members));
    return parts_.authenticator.set_gateway_devices(call.name, std::move(patterns), revision);
  }();
  audit(call, "gateway.change", call.name, changed ? Result<>() : Result<>(fail(changed.error())));
  if (!changed) return call.reply(changed.error());
  call.reply_revision(gateway_json(*changed), changed->revision);
}

void ApiImpl::remove_gateway(Call& call) {
  const auto removed = parts_.authenticator.remove_gateway(call.name);
  audit(call, "gateway.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

void ApiImpl::gateway_token(Call& call) {
  const auto token = parts_.authenticator.renew_gateway_token(call.name);
  audit(call, "gateway.token", call.name, token ? Result<>() : Result<>(fail(token.error())));
  if (!token) return call.reply(token.error());
  call.reply(fmt::format(R"({{"name":{},"token":{}}})", json_string(call.name), json_string(*token)), 201);
}

}  // namespace tidegate::api
