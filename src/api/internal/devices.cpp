// Devices: their documents and credentials.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/device_json.h"
#include "api/internal/document_request.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::unexpected<Error> no_such_device(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no device named '{}'", name),
              "`tidegate device list` shows what there is");
}

registry::DeviceFilter filter_of(const net::HttpRequest& request) {
  registry::DeviceFilter filter;
  filter.type = request.query_value("type").value_or("");
  filter.place = request.query_value("site").value_or("");
  filter.name = request.query_value("name").value_or("");
  for (const auto& [key, value] : request.query) {
    if (key != "label") continue;
    const size_t equals = value.find('=');
    if (equals == std::string::npos) {
      filter.labels.emplace_back(value, std::nullopt);
    } else {
      filter.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
  }
  return filter;
}

}  // namespace

void ApiImpl::devices(Call& call) {
  const auto limit = page_limit(call.request);
  if (!limit) return call.reply(limit.error());
  const auto page =
      parts_.registry.list_devices(filter_of(call.request), call.request.query_value("cursor").value_or(""), *limit);
  std::string out = "{\"devices\":[";
  for (const auto& device : page.devices) {
    if (out.back() != '[') out += ',';
    out += device_json(*device, parts_.authenticator.find_device(device->name));
  }
  call.reply(out + fmt::format(R"(],"next":{}}})", page.next ? json_string(*page.next) : "null"));
}

void ApiImpl::device(Call& call) {
  const auto found = parts_.registry.find_device(call.name);
  if (!found) return call.reply(no_such_device(call.name).error());
  call.reply_revision(device_json(*found, parts_.authenticator.find_device(found->name)), found->revision);
}

void ApiImpl::add_device(Call& call) {
  registry::Device device;
  std::string token;
  std::string fingerprint;
  const auto outcome = [&]() -> Result<> {
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    TRY_ASSIGN(const auto name, take_text(members, "name"));
    if (!name) return fail(ErrorCode::BadRequest, "the member 'name' is missing");
    device.name = *name;
    TRY_ASSIGN(const auto wanted, take_text(members, "certificate_fingerprint"));
    TRY_ASSIGN(const auto with_token, take_flag(members, "token"));
    TRY(patch_device(std::move(members), device));
    TRY(registry::check_device(device));
    fingerprint = wanted.value_or("");
    std::vector<registry::Device> devices{device};
    if (!with_token.value_or(true) && fingerprint.empty()) return parts_.registry.add_devices(std::move(devices), {});
    const std::string names[] = {device.name};
    TRY_ASSIGN(const auto tokens, parts_.authenticator.add_devices(names, [&](store::WriteBatch batch) {
      return parts_.registry.add_devices(std::move(devices), std::move(batch));
    }));
    token = tokens.front();
    if (fingerprint.empty()) return {};
    auto set = parts_.authenticator.set_device_certificate(device.name, fingerprint);
    if (set) return {};
    TRY(parts_.authenticator.remove_device(device.name));
    TRY(parts_.registry.remove_device(device.name, std::nullopt));
    return set;
  }();
  audit(call, "device.add", device.name, outcome);
  if (!outcome) return call.reply(outcome.error());
  call.reply_revision(fmt::format(R"({{"name":{},"token":{},"revision":1}})", json_string(device.name),
                                  token.empty() ? "null" : json_string(token)),
                      1, 201);
}

void ApiImpl::change_device(Call& call) {
  const auto changed = [&]() -> Result<registry::DevicePtr> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    return parts_.registry.change_device(call.name, revision,
                                         [&](registry::Device& device) { return patch_device(members, device); });
  }();
  audit(call, "device.change", call.name, changed ? Result<>() : Result<>(fail(changed.error())));
  if (!changed) return call.reply(changed.error());
  call.reply_revision(device_json(**changed, parts_.authenticator.find_device(call.name)), (*changed)->revision);
}

// Its credentials first: whatever stops the rest, they have ended, and the request can be repeated.
void ApiImpl::remove_device(Call& call) {
  const auto removed = [&]() -> Result<> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    const auto found = parts_.registry.find_device(call.name);
    if (!found) return no_such_device(call.name);
    if (revision && *revision != found->revision) return parts_.registry.remove_device(call.name, revision);
    if (parts_.authenticator.find_device(call.name)) TRY(parts_.authenticator.remove_device(call.name));
    TRY(parts_.exchange.forget(call.name));
    return parts_.registry.remove_device(call.name, revision);
  }();
  audit(call, "device.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

void ApiImpl::device_token(Call& call) {
  const auto token = [&]() -> Result<std::string> {
    if (!parts_.registry.find_device(call.name)) return no_such_device(call.name);
    return parts_.authenticator.renew_device_token(call.name);
  }();
  audit(call, "device.token", call.name, token ? Result<>() : Result<>(fail(token.error())));
  if (!token) return call.reply(token.error());
  call.reply(fmt::format(R"({{"name":{},"token":{}}})", json_string(call.name), json_string(*token)), 201);
}

}  // namespace tidegate::api
