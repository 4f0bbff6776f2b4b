// A site's files: what applying them would change, and doing it.
#include "api/site.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/document_request.h"
#include "api/internal/site_restart.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;
using net::json_string;

constexpr size_t kMaxFiles = 1000;  // of a folder that people keep in order

struct Request {
  std::vector<SiteFile> files;
  SiteOptions options;
};

std::unexpected<Error> bad_request(std::string what) {
  return fail(
      ErrorCode::BadRequest, std::move(what),
      R"(send {"files": [{"name": "a.sql", "sql": "..."}], "prune": false, "dry_run": true, "from": "earliest"})");
}

Result<bool> flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return false;
  if (!value->is_bool()) return bad_request(fmt::format("'{}' is neither true nor false", name));
  return value->get_bool();
}

Result<Request> read_request(std::string_view body, int64_t now_us) {
  json::error_code error;
  const json::value parsed = json::parse({body.data(), body.size()}, error);
  if (error || !parsed.is_object()) return bad_request("the body is not a JSON object");
  const json::object& object = parsed.get_object();
  Request out;
  TRY_ASSIGN(out.options.prune, flag(object, "prune"));
  TRY_ASSIGN(out.options.dry_run, flag(object, "dry_run"));
  if (const json::value* from = object.if_contains("from"); from != nullptr && !from->is_null()) {
    if (!from->is_string()) return bad_request("'from' is not a text");
    TRY(read_restart(from->get_string(), now_us, out.options));
  }
  const json::value* files = object.if_contains("files");
  if (files == nullptr || !files->is_array() || files->get_array().size() > kMaxFiles) {
    return bad_request(fmt::format("'files' is not a list of at most {} files", kMaxFiles));
  }
  for (const json::value& one : files->get_array()) {
    const json::value* name = one.is_object() ? one.get_object().if_contains("name") : nullptr;
    const json::value* sql = one.is_object() ? one.get_object().if_contains("sql") : nullptr;
    if (name == nullptr || !name->is_string() || sql == nullptr || !sql->is_string()) {
      return bad_request("a file without a 'name' and 'sql'");
    }
    out.files.push_back({std::string(name->get_string()), std::string(sql->get_string())});
  }
  return out;
}

Result<SiteOptions> read_restart_request(std::string_view body, int64_t now_us) {
  json::error_code error;
  const json::value parsed = json::parse({body.data(), body.size()}, error);
  const json::object* object = error ? nullptr : parsed.if_object();
  const json::value* from = object != nullptr ? object->if_contains("from") : nullptr;
  if (from == nullptr || !from->is_string()) {
    return fail(ErrorCode::BadRequest, "the body does not say 'from' where", R"(send {"from": "2h", "dry_run": true})");
  }
  SiteOptions options;
  TRY_ASSIGN(options.dry_run, flag(*object, "dry_run"));
  if (from->get_string() == "current") {
    return fail(ErrorCode::BadRequest, "'current' is for pipelines that change; this one goes on as it is",
                "Write earliest, latest, a time such as 2026-11-24T10:00:00Z, or how long ago: 30 min, 2 h, 7 d.");
  }
  TRY(read_restart(from->get_string(), now_us, options));
  return options;
}

std::string changes_json(const std::vector<SiteChange>& changes) {
  std::string out = "[";
  for (const SiteChange& change : changes) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"action":{},"kind":{},"name":{})", json_string(change.action), json_string(change.kind),
                       json_string(change.name));
    if (!change.note.empty()) out += ",\"note\":" + json_string(change.note);
    out += '}';
  }
  return out + "]";
}

}  // namespace

void ApiImpl::site(Call& call) {
  const auto request = read_request(call.request.body, parts_.clock.now_us());
  if (!request) return call.reply(request.error());
  const SiteOutcome outcome = parts_.statements.apply_site(request->files, request->options);
  for (const SiteChange& change : outcome.changes) {
    if (request->options.dry_run || change.action == "unchanged") continue;
    audit(call, change.kind + "." + change.action + "d", change.name, {});
  }
  if (!outcome.error) return call.reply(fmt::format(R"({{"changes":{}}})", changes_json(outcome.changes)));
  if (!request->options.dry_run) audit(call, "site.failed", outcome.error_file, fail(*outcome.error));
  net::HttpResponse response = net::problem_response(*outcome.error);
  response.body.pop_back();  // the closing brace; where it happened and what was done before are members more
  response.body +=
      fmt::format(R"(,"file":{},"changes":{}}})", json_string(outcome.error_file), changes_json(outcome.changes));
  call.responder->respond(std::move(response));
}

void ApiImpl::restart_pipeline(Call& call) {
  bool dry_run = false;
  const auto note = [&]() -> Result<std::string> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    TRY_ASSIGN(const SiteOptions options, read_restart_request(call.request.body, parts_.clock.now_us()));
    dry_run = options.dry_run;
    return parts_.statements.restart(call.name, options, revision);
  }();
  if (!dry_run) audit(call, "pipeline.restarted", call.name, note ? Result<>() : Result<>(fail(note.error())));
  if (!note) return call.reply(note.error());
  call.reply(fmt::format(R"({{"name":{},"note":{}}})", json_string(call.name), json_string(*note)));
}

}  // namespace tidegate::api
