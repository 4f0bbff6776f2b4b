// Sessions and passwords.
#include <fmt/format.h>

#include "api/internal/api_impl.h"
#include "api/internal/request_json.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

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

}  // namespace tidegate::api
