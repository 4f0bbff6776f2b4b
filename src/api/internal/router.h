// Which request goes where, and who may send it: one table.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::api {

enum class Access : uint8_t {
  kPublic,     // before there are credentials
  kIngest,     // devices and users
  kOwnDevice,  // users; a device that {name} names, or a gateway that speaks for it
  kAsDevice,   // the same device or gateway; of users those that may change things
  kReader,     // users; never devices
  kAdmin,      // users that may change things
};

enum class Endpoint : uint8_t {
  kHealth,
  kReady,
  kMetrics,
  kLogin,
  kPassword,
  kLogout,
  kStatus,
  kStatements,
  kSite,
  kStreams,
  kStream,
  kDropStream,
  kProposeStream,
  kIngest,
  kRecords,
  kTail,
  kCorrect,
  kTables,
  kTable,
  kDropTable,
  kReloadTable,
  kPipelines,
  kPipeline,
  kDropPipeline,
  kStopPipeline,
  kStartPipeline,
  kRestartPipeline,
  kDevices,
  kAddDevice,
  kDevice,
  kChangeDevice,
  kRemoveDevice,
  kDeviceToken,
  kDeviceState,
  kTwin,
  kChangeTwin,
  kReportTwin,
  kCommands,
  kSendCommand,
  kAnswerCommand,
  kImportDevices,
  kGateways,
  kGateway,
  kAddGateway,
  kChangeGateway,
  kRemoveGateway,
  kGatewayToken,
  kQuotas,
  kQuota,
  kChangeQuota,
  kRemoveQuota,
  kPlaces,
  kPlace,
  kAddPlace,
  kChangePlace,
  kRemovePlace,
  kAudit,
  kVerifyAudit,
  kSecrets,
  kSetSecret,
  kRemoveSecret,
  kLiveQuery,
  kQueries,
  kQuery,
  kQueryPage,
  kCancelQuery,
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/api/v1/streams/{name}"
  Endpoint endpoint;
  Access access;
};

[[nodiscard]] std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::string_view name;  // the segment that {name} stands for
  std::string_view id;    // that of {id}
};

// NotFound for an unknown path; MethodNotAllowed, whose hint is the value of Allow, for a known one.
[[nodiscard]] Result<RouteMatch> match_route(std::string_view method, std::span<const std::string> segments);

}  // namespace tidegate::api
