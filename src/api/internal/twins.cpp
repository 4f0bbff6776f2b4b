// Twins of devices, and commands to them.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/device_json.h"
#include "api/internal/document_request.h"
#include "net/http_problem.h"
#include "registry/device_exchange.h"

namespace tidegate::api {
namespace {

using net::json_string;

constexpr int64_t kDefaultTimeoutUs = 30 * kMicrosPerSecond;

std::string twin_json(std::string_view device, const registry::Twin& twin) {
  return fmt::format(
      R"({{"name":{},"desired":{},"desired_revision":{},"desired_changed_us":{},"reported":{},"reported_revision":{},)"
      R"("reported_changed_us":{},"delta":{}}})",
      json_string(device), twin.desired.json, twin.desired.revision, twin.desired.changed_us, twin.reported.json,
      twin.reported.revision, twin.reported.changed_us, twin.delta());
}

std::string command_json(const registry::Command& command) {
  return fmt::format(
      R"({{"id":"{}","device":{},"status":"{}","payload":{},"answer":{},"sender":{},"created_us":{},"expires_us":{},)"
      R"("finished_us":{}}})",
      command.id, json_string(command.device), registry::command_status_name(command.status),
      json_string(command.payload), json_string(command.answer), json_string(command.sender), command.created_us,
      command.expires_us, command.finished_us == 0 ? "null" : std::to_string(command.finished_us));
}

struct WantedCommand {
  std::string payload;
  int64_t timeout_us = kDefaultTimeoutUs;
};

// A payload that is a text is sent as it is, anything else as JSON.
Result<WantedCommand> wanted_command(std::string_view body) {
  TRY_ASSIGN(auto members, parse_object(body));
  WantedCommand wanted;
  if (const auto* payload = members.if_contains("payload")) {
    wanted.payload = payload->is_string() ? std::string(payload->get_string().data(), payload->get_string().size())
                                          : boost::json::serialize(*payload);
  }
  members.erase("payload");
  if (const auto* timeout = members.if_contains("timeout_ms")) {
    constexpr int64_t kMaxMs = registry::kMaxCommandTimeoutUs / kMicrosPerMilli;
    if (!timeout->is_int64() || timeout->get_int64() < 1 || timeout->get_int64() > kMaxMs) {
      return fail(ErrorCode::BadRequest, fmt::format("the member 'timeout_ms' must be 1 to {}", kMaxMs));
    }
    wanted.timeout_us = timeout->get_int64() * kMicrosPerMilli;
    members.erase("timeout_ms");
  }
  TRY(check_all_taken(members));
  return wanted;
}

}  // namespace

void ApiImpl::twin(Call& call) {
  const auto twin = parts_.exchange.twin(call.name);
  if (!twin) return call.reply(twin.error());
  call.reply_revision(twin_json(call.name, *twin), twin->desired.revision);
}

void ApiImpl::change_twin(Call& call) {
  const auto twin = [&]() -> Result<registry::Twin> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    return parts_.exchange.change_desired(call.name, call.request.body, revision);
  }();
  audit(call, "twin.desire", call.name, twin ? Result<>() : Result<>(fail(twin.error())));
  if (!twin) return call.reply(twin.error());
  call.reply_revision(twin_json(call.name, *twin), twin->desired.revision);
}

void ApiImpl::report_twin(Call& call) {
  const auto twin = parts_.exchange.report(call.name, call.request.body);
  if (!twin) return call.reply(twin.error());
  call.reply_revision(twin_json(call.name, *twin), twin->desired.revision);
}

void ApiImpl::send_command(Call& call) {
  const auto command = [&]() -> Result<registry::Command> {
    TRY_ASSIGN(const WantedCommand wanted, wanted_command(call.request.body));
    return parts_.exchange.send(call.name, wanted.payload, wanted.timeout_us, security::audit_name(call.principal));
  }();
  audit(call, "command.send", call.name, command ? Result<>() : Result<>(fail(command.error())));
  if (!command) return call.reply(command.error());
  call.reply(command_json(*command), 201);
}

// The answer's bytes, as a device publishes them.
void ApiImpl::answer_command(Call& call) {
  const auto command = parts_.exchange.answer(call.name, call.id, call.request.body);
  if (!security::is_machine(call.principal)) {
    audit(call, "command.answer", call.name, command ? Result<>() : Result<>(fail(command.error())));
  }
  if (!command) return call.reply(command.error());
  call.reply(command_json(*command));
}

void ApiImpl::commands(Call& call) {
  const auto commands = parts_.exchange.commands(call.name);
  if (!commands) return call.reply(commands.error());
  std::string out = "{\"commands\":[";
  for (const registry::Command& command : *commands) {
    if (out.back() != '[') out += ',';
    out += command_json(command);
  }
  call.reply(out + "]}");
}

}  // namespace tidegate::api
