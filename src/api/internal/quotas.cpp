// Quotas: documents, and what becomes of requests that are over them.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "api/internal/api_impl.h"
#include "api/internal/device_json.h"
#include "api/internal/document_request.h"
#include "api/internal/quota_json.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;
using net::json_string;
using registry::kQuotaLimitNames;
using registry::kQuotaLimits;

constexpr std::array<std::string_view, registry::kQuotaVerdicts> kVerdictNames{"", "messages", "bytes", "payload",
                                                                               "connections"};

std::string number_text(double value) { return fmt::format("{}", value); }

Error no_such_quota(std::string_view subject) {
  return {ErrorCode::NotFound,
          fmt::format("'{}' has no quota of its own", subject),
          "`tidegate quota list` shows what there is",
          {}};
}

}  // namespace

std::string quota_json(const registry::Quota& quota) {
  std::string out = "{\"subject\":" + json_string(quota.subject);
  for (size_t at = 0; at < kQuotaLimits; ++at) {
    out += fmt::format(",\"{}\":{}", kQuotaLimitNames[at],
                       quota.limits[at] ? number_text(*quota.limits[at]) : std::string("null"));
  }
  return out + fmt::format(R"(,"created_us":{},"changed_us":{},"revision":{}}})", quota.created_us, quota.changed_us,
                           quota.revision);
}

std::string quota_state_json(const registry::Quotas& quotas, std::string_view subject) {
  std::string out = "{\"limits\":{";
  const registry::EffectiveQuota effective = quotas.effective(subject);
  for (size_t at = 0; at < kQuotaLimits; ++at) {
    if (!effective[at]) continue;
    if (out.back() != '{') out += ',';
    out += fmt::format(R"("{}":{{"value":{},"from":{}}})", kQuotaLimitNames[at], number_text(effective[at]->value),
                       json_string(effective[at]->from));
  }
  const auto meter = quotas.find_meter(subject);
  const registry::QuotaCounts counts = meter ? meter->counts() : registry::QuotaCounts{};
  out += "},\"refused\":{";
  for (size_t at = 1; at < registry::kQuotaVerdicts; ++at) {
    out += fmt::format("{}\"{}\":{}", at == 1 ? "" : ",", kVerdictNames[at], counts.refused[at]);
  }
  return out + fmt::format(R"(}},"dropped":{},"held":{}}})", counts.dropped, counts.held);
}

Result<> patch_limits(json::object members, registry::QuotaLimits& limits) {
  for (size_t at = 0; at < kQuotaLimits; ++at) {
    const auto found = members.find({kQuotaLimitNames[at].data(), kQuotaLimitNames[at].size()});
    if (found == members.end()) continue;
    if (found->value().is_null()) {
      limits[at].reset();
    } else if (found->value().is_number()) {
      limits[at] = found->value().to_number<double>();
    } else {
      return fail(ErrorCode::BadRequest, fmt::format("the member '{}' must be a number or null", kQuotaLimitNames[at]));
    }
    members.erase(found);
  }
  return check_all_taken(members);
}

// That it is spelt as what it is meant for; types are only what devices say.
Result<> ApiImpl::check_subject_exists(std::string_view text) const {
  TRY_ASSIGN(const auto subject, registry::parse_quota_subject(text));
  const bool known = subject.kind == "device"    ? parts_.registry.find_device(subject.name) != nullptr
                     : subject.kind == "site"    ? parts_.registry.find_place(subject.name) != nullptr
                     : subject.kind == "gateway" ? parts_.authenticator.find_gateway(subject.name).has_value()
                                                 : true;
  if (known) return {};
  return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}'", subject.kind, subject.name),
              fmt::format("`tidegate {} list` shows what there is", subject.kind));
}

void ApiImpl::quotas(Call& call) {
  std::string out = "{\"quotas\":[";
  for (const auto& quota : parts_.quotas.list()) {
    if (out.back() != '[') out += ',';
    out += quota_json(*quota);
  }
  call.reply(out + "]}");
}

void ApiImpl::quota(Call& call) {
  const auto found = parts_.quotas.find(call.name);
  if (!found) return call.reply(no_such_quota(call.name));
  call.reply_revision(quota_json(*found), found->revision);
}

void ApiImpl::change_quota(Call& call) {
  const auto changed = [&]() -> Result<registry::QuotaPtr> {
    TRY(check_subject_exists(call.name));
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    return parts_.quotas.change(
        call.name, revision, [&](registry::QuotaLimits& limits) { return patch_limits(std::move(members), limits); });
  }();
  audit(call, "quota.change", fmt::format("{} {}", call.name, call.request.body),
        changed ? Result<>() : Result<>(fail(changed.error())));
  if (!changed) return call.reply(changed.error());
  call.reply_revision(quota_json(**changed), (*changed)->revision, (*changed)->revision == 1 ? 201 : 200);
}

void ApiImpl::remove_quota(Call& call) {
  const auto removed = [&]() -> Result<> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    return parts_.quotas.remove(call.name, revision);
  }();
  audit(call, "quota.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

// True: the request was answered.
bool ApiImpl::over_quota(const Call& call) {
  if (!parts_.quotas.any() || !options_.authentication || !security::is_machine(call.principal)) return false;
  const auto meter = parts_.quotas.meter(security::quota_subject(call.principal));
  const registry::QuotaAnswer answer = meter->take(call.request.body.size());
  if (answer.verdict == registry::QuotaVerdict::kTaken) return false;
  meter->refused(answer.verdict);
  net::HttpResponse response = net::problem_response(registry::over_quota_error(meter->subject(), answer));
  std::erase_if(response.headers, [](const auto& header) { return header.first == "Retry-After"; });
  if (answer.wait_us > 0) {
    const double seconds = std::ceil(static_cast<double>(answer.wait_us) * 1e-6);
    response.set_header("Retry-After", fmt::format("{:.0f}", seconds));
  }
  call.responder->respond(std::move(response));
  return true;
}

}  // namespace tidegate::api
