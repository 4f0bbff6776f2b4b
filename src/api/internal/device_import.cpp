// Import of devices from CSV: all of the file or nothing of it.
#include <fmt/format.h>

#include "api/internal/api_impl.h"
#include "net/http_problem.h"
#include "registry/device_csv.h"

namespace tidegate::api {
namespace {

using net::json_string;

Result<bool> flag(const net::HttpRequest& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return fail(ErrorCode::BadRequest, fmt::format("'{}' must be true or false", name));
}

struct Wanted {
  bool dry_run = false;
  bool skip_existing = false;
  bool tokens = false;
};

Result<Wanted> wanted_of(const net::HttpRequest& request) {
  Wanted wanted;
  TRY_ASSIGN(wanted.dry_run, flag(request, "dry_run"));
  TRY_ASSIGN(wanted.skip_existing, flag(request, "skip_existing"));
  TRY_ASSIGN(wanted.tokens, flag(request, "tokens"));
  return wanted;
}

net::HttpResponse refusal(const registry::DeviceFile& file) {
  net::HttpResponse response =
      net::problem_response({ErrorCode::BadRequest,
                             fmt::format("{} line{} of the file cannot be imported; nothing was changed",
                                         file.error_count, file.error_count == 1 ? "" : "s"),
                             "mend the lines and import the file again",
                             {}});
  response.body.pop_back();  // the closing brace; the lines are a member more
  response.body += ",\"errors\":[";
  for (const registry::LineError& one : file.errors) {
    if (&one != &file.errors.front()) response.body += ',';
    response.body +=
        fmt::format(R"({{"line":{},"code":{},"detail":{},"hint":{}}})", one.line, static_cast<int>(one.error.code),
                    json_string(one.error.message), json_string(one.error.hint));
  }
  response.body += "]}";
  return response;
}

std::string tokens_json(const std::vector<std::string>& names, const std::vector<std::string>& tokens) {
  std::string out = ",\"tokens\":{";
  for (size_t at = 0; at < tokens.size(); ++at) {
    out += fmt::format("{}{}:{}", at == 0 ? "" : ",", json_string(names[at]), json_string(tokens[at]));
  }
  return out + "}";
}

}  // namespace

void ApiImpl::import_devices(Call& call) {
  const auto wanted = wanted_of(call.request);
  if (!wanted) return call.reply(wanted.error());
  auto file = registry::read_device_csv(call.request.body);
  if (!file) return call.reply(file.error());
  registry::check_devices(*file, parts_.registry, wanted->skip_existing);
  if (file->error_count > 0) return call.responder->respond(refusal(*file));
  const size_t count = file->devices.size();
  if (wanted->dry_run || count == 0) return call.reply(fmt::format(R"({{"added":0,"would_add":{}}})", count));

  std::vector<std::string> names;
  std::vector<std::string> tokens;
  for (const registry::Device& device : file->devices) names.push_back(device.name);
  const auto added = [&]() -> Result<> {
    if (!wanted->tokens) return parts_.registry.add_devices(std::move(file->devices), {});
    TRY_ASSIGN(tokens, parts_.authenticator.add_devices(names, [&](store::WriteBatch batch) {
      return parts_.registry.add_devices(std::move(file->devices), std::move(batch));
    }));
    return {};
  }();
  audit(call, "device.import", fmt::format("{} devices", count), added);
  if (!added) return call.reply(added.error());
  call.reply(fmt::format(R"({{"added":{}{}}})", count, wanted->tokens ? tokens_json(names, tokens) : std::string()),
             201);
}

}  // namespace tidegate::api
