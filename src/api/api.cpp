#include "api/api.h"

#include "api/internal/api_impl.h"
#include "api/internal/document_request.h"
#include "net/http_problem.h"
#include "security/audit.h"

namespace tidegate::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// A device may only send records and see what is its own; what changes the platform needs an admin.
Result<> check_access(const security::Principal& who, Access access, std::string_view name) {
  if (access == Access::kPublic) return {};
  const bool of_devices = access == Access::kOwnDevice || access == Access::kAsDevice;
  if (security::is_machine(who) && of_devices) {
    if (who.scope ? who.scope->takes(name) : who.name == name) return {};
    return fail(ErrorCode::NotAuthorized, "a device sees only what is its own");
  }
  if (security::is_machine(who) && access != Access::kIngest) {
    return fail(ErrorCode::NotAuthorized, "devices and gateways may only send records");
  }
  const bool changes = access == Access::kAdmin || access == Access::kAsDevice;
  if (changes && !who.admin) {
    return fail(ErrorCode::NotAuthorized, "only an administrator may do that");
  }
  return {};
}

}  // namespace

net::HttpResponse Call::net_problem(const Error& error) { return net::problem_response(error); }

void Call::reply(std::string json, int status) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  if (status == 204) response.content_type.clear();
  responder->respond(std::move(response));
}

void Call::reply_revision(std::string json, uint64_t revision, int status) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  response.set_header("ETag", etag_of(revision));
  responder->respond(std::move(response));
}

std::unique_ptr<Api> Api::create(ApiParts parts, ApiOptions options) {
  return std::make_unique<ApiImpl>(parts, std::move(options));
}

ApiImpl::ApiImpl(ApiParts parts, ApiOptions options)
    : parts_(parts),
      options_(std::move(options)),
      started_us_(parts.clock.monotonic_us()),
      live_(parts.gate, parts.engine),
      queries_(parts.gate, parts.engine, parts.clock, [this](const QueryOutcome& outcome) { audit_query(outcome); }),
      pool_(options_.worker_threads) {
  for (int i = 0; i < std::max(1, options_.ingest_lanes); ++i) {
    lanes_.push_back(std::make_unique<Guarded<std::unique_ptr<ingest::Lane>>>(parts_.ingest.open_lane()));
  }
}

void ApiImpl::stop() {
  if (stopped_.exchange(true)) return;
  ready_ = false;
  parts_.ingest.capture().stop();
  capture_pool_.stop();
  pool_.stop();
  live_.stop();
  queries_.stop();
}

// Who sent it.
Result<security::Principal> ApiImpl::authenticate(const net::HttpRequest& request, Access access) {
  using security::PrincipalKind;
  if (!options_.authentication) return security::Principal{PrincipalKind::kUser, "developer", true};
  if (access == Access::kPublic) return security::Principal{};
  const auto header = request.header("authorization");
  if (header && header->size() > kBearer.size() && header->starts_with(kBearer)) {
    return parts_.authenticator.by_bearer(header->substr(kBearer.size()));
  }
  if (!header && request.certificate_fingerprint) {
    return parts_.authenticator.device_by_certificate(*request.certificate_fingerprint);
  }
  return fail(ErrorCode::NotAuthenticated, "this address needs credentials", "Send 'Authorization: Bearer <token>'.");
}

// Who was recognized is in the call also when it may not do that: the audit log names it.
Result<> ApiImpl::admit(Call& call, const RouteMatch& match) {
  TRY_ASSIGN(call.principal, authenticate(call.request, match.route->access));
  return check_access(call.principal, match.route->access, match.name);
}

void ApiImpl::handle(net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
  Call call{.request = std::move(request), .name = {}, .id = {}, .principal = {}, .responder = std::move(responder)};
  const auto match = match_route(call.request.method, call.request.segments);
  if (!match) {
    if (match.error().code != ErrorCode::MethodNotAllowed) return call.reply(match.error());
    net::HttpResponse response = net::problem_response(match.error());
    response.set_header("Allow", match.error().hint);
    return call.responder->respond(std::move(response));
  }
  if (const Result<> allowed = admit(call, *match); !allowed) {
    audit(call, "http.denied", call.request.path, allowed);
    return call.reply(allowed.error());
  }
  if (stopped_ && match->route->endpoint != Endpoint::kHealth) {
    return call.reply(Error{ErrorCode::ShuttingDown, "the server is stopping", "", {}});
  }
  call.endpoint = match->route->endpoint;
  call.name = match->name;
  call.id = match->id;
  dispatch(std::move(call));
}

void ApiImpl::dispatch(Call call) {
  switch (call.endpoint) {
    case Endpoint::kHealth: return health(call, true);
    case Endpoint::kReady: return health(call, ready_);
    case Endpoint::kIngest: return ingest(std::move(call));
    case Endpoint::kMetrics: return on_pool(std::move(call), &ApiImpl::metrics);
    case Endpoint::kLogin: return on_pool(std::move(call), &ApiImpl::login);
    case Endpoint::kPassword: return on_pool(std::move(call), &ApiImpl::password);
    case Endpoint::kLogout: return on_pool(std::move(call), &ApiImpl::logout);
    case Endpoint::kStatus: return on_pool(std::move(call), &ApiImpl::status);
    case Endpoint::kStatements: return on_pool(std::move(call), &ApiImpl::statements);
    case Endpoint::kSite: return on_pool(std::move(call), &ApiImpl::site);
    case Endpoint::kStreams: return on_pool(std::move(call), &ApiImpl::streams);
    case Endpoint::kStream: return on_pool(std::move(call), &ApiImpl::stream);
    case Endpoint::kProposeStream: return propose(std::move(call));
    case Endpoint::kRecords: return on_pool(std::move(call), &ApiImpl::records);
    case Endpoint::kTail: return on_pool(std::move(call), &ApiImpl::tail);
    case Endpoint::kCorrect: return on_pool(std::move(call), &ApiImpl::correct);
    case Endpoint::kTables: return on_pool(std::move(call), &ApiImpl::tables);
    case Endpoint::kTable: return on_pool(std::move(call), &ApiImpl::table);
    case Endpoint::kDropTable: return on_pool(std::move(call), &ApiImpl::drop_table);
    case Endpoint::kReloadTable: return on_pool(std::move(call), &ApiImpl::reload_table);
    case Endpoint::kPipelines: return on_pool(std::move(call), &ApiImpl::pipelines);
    case Endpoint::kPipeline: return on_pool(std::move(call), &ApiImpl::pipeline);
    case Endpoint::kDropStream:
    case Endpoint::kDropPipeline:
    case Endpoint::kStopPipeline:
    case Endpoint::kStartPipeline: return on_pool(std::move(call), &ApiImpl::change);
    case Endpoint::kRestartPipeline: return on_pool(std::move(call), &ApiImpl::restart_pipeline);
    case Endpoint::kDevices: return on_pool(std::move(call), &ApiImpl::devices);
    case Endpoint::kAddDevice: return on_pool(std::move(call), &ApiImpl::add_device);
    case Endpoint::kDevice: return on_pool(std::move(call), &ApiImpl::device);
    case Endpoint::kChangeDevice: return on_pool(std::move(call), &ApiImpl::change_device);
    case Endpoint::kRemoveDevice: return on_pool(std::move(call), &ApiImpl::remove_device);
    case Endpoint::kDeviceToken: return on_pool(std::move(call), &ApiImpl::device_token);
    case Endpoint::kDeviceState: return on_pool(std::move(call), &ApiImpl::device_state);
    case Endpoint::kTwin: return on_pool(std::move(call), &ApiImpl::twin);
    case Endpoint::kChangeTwin: return on_pool(std::move(call), &ApiImpl::change_twin);
    case Endpoint::kReportTwin: return on_pool(std::move(call), &ApiImpl::report_twin);
    case Endpoint::kCommands: return on_pool(std::move(call), &ApiImpl::commands);
    case Endpoint::kSendCommand: return on_pool(std::move(call), &ApiImpl::send_command);
    case Endpoint::kAnswerCommand: return on_pool(std::move(call), &ApiImpl::answer_command);
    case Endpoint::kImportDevices: return on_pool(std::move(call), &ApiImpl::import_devices);
    case Endpoint::kGateways: return on_pool(std::move(call), &ApiImpl::gateways);
    case Endpoint::kGateway: return on_pool(std::move(call), &ApiImpl::gateway);
    case Endpoint::kAddGateway: return on_pool(std::move(call), &ApiImpl::add_gateway);
    case Endpoint::kChangeGateway: return on_pool(std::move(call), &ApiImpl::change_gateway);
    case Endpoint::kRemoveGateway: return on_pool(std::move(call), &ApiImpl::remove_gateway);
    case Endpoint::kGatewayToken: return on_pool(std::move(call), &ApiImpl::gateway_token);
    case Endpoint::kQuotas: return on_pool(std::move(call), &ApiImpl::quotas);
    case Endpoint::kQuota: return on_pool(std::move(call), &ApiImpl::quota);
    case Endpoint::kChangeQuota: return on_pool(std::move(call), &ApiImpl::change_quota);
    case Endpoint::kRemoveQuota: return on_pool(std::move(call), &ApiImpl::remove_quota);
    case Endpoint::kPlaces: return on_pool(std::move(call), &ApiImpl::places);
    case Endpoint::kPlace: return on_pool(std::move(call), &ApiImpl::place);
    case Endpoint::kAddPlace: return on_pool(std::move(call), &ApiImpl::add_place);
    case Endpoint::kChangePlace: return on_pool(std::move(call), &ApiImpl::change_place);
    case Endpoint::kRemovePlace: return on_pool(std::move(call), &ApiImpl::remove_place);
    case Endpoint::kAudit: return on_pool(std::move(call), &ApiImpl::audit_events);
    case Endpoint::kVerifyAudit: return on_pool(std::move(call), &ApiImpl::verify_audit);
    case Endpoint::kSecrets: return on_pool(std::move(call), &ApiImpl::secrets);
    case Endpoint::kSetSecret: return on_pool(std::move(call), &ApiImpl::set_secret);
    case Endpoint::kRemoveSecret: return on_pool(std::move(call), &ApiImpl::remove_secret);
    case Endpoint::kLiveQuery: return on_pool(std::move(call), &ApiImpl::live);
    case Endpoint::kQuery: return on_pool(std::move(call), &ApiImpl::query);
    case Endpoint::kQueries: return queries(call);
    case Endpoint::kQueryPage: return query_page(call);
    case Endpoint::kCancelQuery: return cancel_query(call);
  }
}

void ApiImpl::on_pool(Call call, void (ApiImpl::*endpoint)(Call&)) {
  // Shared because std::function wants to be copyable.
  const auto shared = std::make_shared<Call>(std::move(call));
  if (pool_.submit([this, shared, endpoint] { (this->*endpoint)(*shared); })) return;
  shared->reply(Error{ErrorCode::Overloaded, "too many requests are waiting", "Try again in a moment.", {}});
}

void ApiImpl::audit(const Call& call, std::string what, std::string target, const Result<>& outcome) {
  if (parts_.audit == nullptr) return;
  security::AuditEvent event;
  event.who = security::audit_name(call.principal);
  event.what = std::move(what);
  event.target = std::move(target);
  event.allowed = outcome.has_value();
  event.detail = outcome ? "from " + call.request.peer : outcome.error().to_string() + " from " + call.request.peer;
  parts_.audit->record(std::move(event));
}

void ApiImpl::health(Call& call, bool ready) {
  call.reply(ready ? R"({"status":"ok"})" : R"({"status":"starting"})", ready ? 200 : 503);
}

}  // namespace tidegate::api
