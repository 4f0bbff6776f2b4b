#include "api/internal/router.h"

#include <fmt/format.h>

namespace tidegate::api {
namespace {

constexpr Route kRoutes[] = {
    {"GET", "/healthz", Endpoint::kHealth, Access::kPublic},
    {"GET", "/readyz", Endpoint::kReady, Access::kPublic},
    {"GET", "/metrics", Endpoint::kMetrics, Access::kReader},
    {"POST", "/api/v1/login", Endpoint::kLogin, Access::kPublic},
    {"POST", "/api/v1/password", Endpoint::kPassword, Access::kPublic},
    {"POST", "/api/v1/logout", Endpoint::kLogout, Access::kReader},
    {"GET", "/api/v1/status", Endpoint::kStatus, Access::kReader},
    {"POST", "/api/v1/statements", Endpoint::kStatements, Access::kAdmin},
    {"POST", "/api/v1/definitions", Endpoint::kSite, Access::kAdmin},
    {"GET", "/api/v1/streams", Endpoint::kStreams, Access::kReader},
    {"POST", "/api/v1/streams/propose", Endpoint::kProposeStream, Access::kAdmin},
    {"GET", "/api/v1/streams/{name}", Endpoint::kStream, Access::kReader},
    {"DELETE", "/api/v1/streams/{name}", Endpoint::kDropStream, Access::kAdmin},
    {"POST", "/api/v1/streams/{name}/records", Endpoint::kIngest, Access::kIngest},
    {"GET", "/api/v1/streams/{name}/records", Endpoint::kRecords, Access::kReader},
    {"GET", "/api/v1/streams/{name}/tail", Endpoint::kTail, Access::kReader},
    {"POST", "/api/v1/streams/{name}/corrections", Endpoint::kCorrect, Access::kAdmin},
    {"GET", "/api/v1/tables", Endpoint::kTables, Access::kReader},
    {"GET", "/api/v1/tables/{name}", Endpoint::kTable, Access::kReader},
    {"DELETE", "/api/v1/tables/{name}", Endpoint::kDropTable, Access::kAdmin},
    {"POST", "/api/v1/tables/{name}/reload", Endpoint::kReloadTable, Access::kAdmin},
    {"GET", "/api/v1/pipelines", Endpoint::kPipelines, Access::kReader},
    {"GET", "/api/v1/pipelines/{name}", Endpoint::kPipeline, Access::kReader},
    {"DELETE", "/api/v1/pipelines/{name}", Endpoint::kDropPipeline, Access::kAdmin},
    {"POST", "/api/v1/pipelines/{name}/stop", Endpoint::kStopPipeline, Access::kAdmin},
    {"POST", "/api/v1/pipelines/{name}/start", Endpoint::kStartPipeline, Access::kAdmin},
    {"POST", "/api/v1/pipelines/{name}/restart", Endpoint::kRestartPipeline, Access::kAdmin},
    {"GET", "/api/v1/devices", Endpoint::kDevices, Access::kReader},
    {"POST", "/api/v1/devices", Endpoint::kAddDevice, Access::kAdmin},
    {"GET", "/api/v1/devices/{name}", Endpoint::kDevice, Access::kReader},
    {"PATCH", "/api/v1/devices/{name}", Endpoint::kChangeDevice, Access::kAdmin},
    {"DELETE", "/api/v1/devices/{name}", Endpoint::kRemoveDevice, Access::kAdmin},
    {"POST", "/api/v1/devices/{name}/token", Endpoint::kDeviceToken, Access::kAdmin},
    {"GET", "/api/v1/devices/{name}/state", Endpoint::kDeviceState, Access::kReader},
    {"GET", "/api/v1/devices/{name}/twin", Endpoint::kTwin, Access::kOwnDevice},
    {"PATCH", "/api/v1/devices/{name}/twin", Endpoint::kChangeTwin, Access::kAdmin},
    {"PATCH", "/api/v1/devices/{name}/twin/reported", Endpoint::kReportTwin, Access::kAsDevice},
    {"GET", "/api/v1/devices/{name}/commands", Endpoint::kCommands, Access::kOwnDevice},
    {"POST", "/api/v1/devices/{name}/commands", Endpoint::kSendCommand, Access::kAdmin},
    {"POST", "/api/v1/devices/{name}/commands/{id}/answer", Endpoint::kAnswerCommand, Access::kAsDevice},
    {"POST", "/api/v1/device-imports", Endpoint::kImportDevices, Access::kAdmin},
    {"GET", "/api/v1/gateways", Endpoint::kGateways, Access::kReader},
    {"POST", "/api/v1/gateways", Endpoint::kAddGateway, Access::kAdmin},
    {"GET", "/api/v1/gateways/{name}", Endpoint::kGateway, Access::kReader},
    {"PATCH", "/api/v1/gateways/{name}", Endpoint::kChangeGateway, Access::kAdmin},
    {"DELETE", "/api/v1/gateways/{name}", Endpoint::kRemoveGateway, Access::kAdmin},
    {"POST", "/api/v1/gateways/{name}/token", Endpoint::kGatewayToken, Access::kAdmin},
    {"GET", "/api/v1/quotas", Endpoint::kQuotas, Access::kReader},
    {"GET", "/api/v1/quotas/{name}", Endpoint::kQuota, Access::kReader},
    {"PATCH", "/api/v1/quotas/{name}", Endpoint::kChangeQuota, Access::kAdmin},
    {"DELETE", "/api/v1/quotas/{name}", Endpoint::kRemoveQuota, Access::kAdmin},
    {"GET", "/api/v1/sites", Endpoint::kPlaces, Access::kReader},
    {"POST", "/api/v1/sites", Endpoint::kAddPlace, Access::kAdmin},
    {"GET", "/api/v1/sites/{name}", Endpoint::kPlace, Access::kReader},
    {"PATCH", "/api/v1/sites/{name}", Endpoint::kChangePlace, Access::kAdmin},
    {"DELETE", "/api/v1/sites/{name}", Endpoint::kRemovePlace, Access::kAdmin},
    {"GET", "/api/v1/audit", Endpoint::kAudit, Access::kAdmin},
    {"GET", "/api/v1/audit/verification", Endpoint::kVerifyAudit, Access::kAdmin},
    {"GET", "/api/v1/secrets", Endpoint::kSecrets, Access::kAdmin},
    {"PUT", "/api/v1/secrets/{name}", Endpoint::kSetSecret, Access::kAdmin},
    {"DELETE", "/api/v1/secrets/{name}", Endpoint::kRemoveSecret, Access::kAdmin},
    {"GET", "/api/v1/query/live", Endpoint::kLiveQuery, Access::kReader},
    {"GET", "/api/v1/query", Endpoint::kQueries, Access::kReader},
    {"POST", "/api/v1/query", Endpoint::kQuery, Access::kReader},
    {"GET", "/api/v1/query/{name}", Endpoint::kQueryPage, Access::kReader},
    {"DELETE", "/api/v1/query/{name}", Endpoint::kCancelQuery, Access::kReader},
};

bool fits(std::string_view pattern, std::span<const std::string> segments, RouteMatch& match) {
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);
    const size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view expected = pattern.substr(0, end);
    if (expected == "{name}" || expected == "{id}") {
      if (segment.empty()) return false;
      (expected == "{id}" ? match.id : match.name) = segment;
    } else if (expected != segment) {
      return false;
    }
    pattern.remove_prefix(end);
  }
  return pattern.empty();
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Result<RouteMatch> match_route(std::string_view method, std::span<const std::string> segments) {
  std::string allowed;
  for (const Route& route : kRoutes) {
    RouteMatch match{&route, {}, {}};
    if (!fits(route.pattern, segments, match)) continue;
    if (route.method == method) return match;
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) return fail(ErrorCode::NotFound, "there is nothing at this address");
  return fail(ErrorCode::MethodNotAllowed, fmt::format("this address does not take {}", method), std::move(allowed));
}

}  // namespace tidegate::api
