// The audit log, for administrators: who did what.
#include <fmt/format.h>

#include "api/internal/api_impl.h"
#include "api/internal/document_request.h"
#include "codec/timestamp_text.h"
#include "net/http_problem.h"
#include "security/audit.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::string event_json(const security::AuditEvent& event) {
  std::string time;
  codec::append_timestamp(event.time_us, columnar::TypeKind::kTimestampLtz, time);
  return fmt::format(R"({{"time":"{}","who":{},"what":{},"target":{},"allowed":{},"detail":{}}})", time,
                     json_string(event.who), json_string(event.what), json_string(event.target), event.allowed,
                     json_string(event.detail));
}

}  // namespace

void ApiImpl::audit_events(Call& call) {
  const auto events = [&]() -> Result<std::vector<security::AuditEvent>> {
    TRY_ASSIGN(const size_t limit, page_limit(call.request));
    if (parts_.audit == nullptr) return std::vector<security::AuditEvent>();
    return parts_.audit->newest(limit);
  }();
  if (!events) return call.reply(events.error());
  std::string out = "{\"events\":[";
  for (const security::AuditEvent& event : *events) {
    if (out.back() != '[') out += ',';
    out += event_json(event);
  }
  call.reply(out + "]}");
}

void ApiImpl::verify_audit(Call& call) {
  const Result<uint64_t> verified = parts_.audit == nullptr ? Result<uint64_t>(0) : parts_.audit->verify();
  if (!verified) return call.reply(verified.error());
  call.reply(fmt::format(R"({{"events":{}}})", *verified));
}

}  // namespace tidegate::api
