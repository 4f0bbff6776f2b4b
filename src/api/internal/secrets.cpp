// Secrets of sinks: set, listed by name and removed; never shown.
#include "security/secrets.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/internal/api_impl.h"
#include "api/internal/request_json.h"
#include "codec/timestamp_text.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

// The table whose definition names the secret; empty without.
std::string user_of(const catalog::Catalog& catalog, std::string_view secret) {
  for (const auto& stream : catalog.streams()) {
    for (const char* key : {"secret", "bearer.secret"}) {
      const auto option = stream->options.find(key);
      if (option != stream->options.end() && option->second == secret) return stream->name;
    }
  }
  return {};
}

}  // namespace

void ApiImpl::secrets(Call& call) {
  const auto listed = parts_.secrets.list();
  if (!listed) return call.reply(listed.error());
  std::string out = "{\"secrets\":[";
  for (const auto& secret : *listed) {
    if (out.back() != '[') out += ',';
    std::string changed;
    codec::append_timestamp(secret.changed_us, columnar::TypeKind::kTimestampLtz, changed);
    const std::string user = user_of(parts_.catalog, secret.name);
    out += fmt::format(R"({{"name":{},"changed":"{}","used_by":{}}})", json_string(secret.name), changed,
                       user.empty() ? "null" : json_string(user));
  }
  call.reply(out + "]}");
}

void ApiImpl::set_secret(Call& call) {
  const auto members = parse_members(call.request.body, {"value"}, {});
  if (!members) return call.reply(members.error());
  const auto set = parts_.secrets.set(call.name, members->at("value"));
  audit(call, "secret.set", call.name, set);
  if (!set) return call.reply(set.error());
  call.reply("", 204);
}

void ApiImpl::remove_secret(Call& call) {
  Result<> removed;
  if (const std::string user = user_of(parts_.catalog, call.name); !user.empty()) {
    removed = fail(ErrorCode::InUse, fmt::format("the secret '{}' is used by the table '{}'", call.name, user),
                   "drop the table first, or set the secret anew");
  } else {
    removed = parts_.secrets.remove(call.name);
  }
  audit(call, "secret.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

}  // namespace tidegate::api
