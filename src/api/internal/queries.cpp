// Queries over what is stored: asked for, fetched page by page, cancelled.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/log_moment.h"
#include "security/audit.h"
#include "sql/duration.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;

constexpr int64_t kDefaultPageRows = 1000;
constexpr int64_t kDefaultTimeoutUs = 60 * kMicrosPerSecond;
constexpr int64_t kMaxTimeoutUs = 600 * kMicrosPerSecond;  // who needs longer wants a pipeline

// The members of a request, each of its type.
class QueryBody {
 public:
  static Result<QueryBody> parse(const net::HttpRequest& request) {
    QueryBody body;
    const auto type = request.header("content-type").value_or("application/json");
    if (!type.starts_with("application/json")) {
      body.object_["sql"] = request.body;
      return body;
    }
    json::error_code error;
    const json::value parsed = json::parse(json::string_view(request.body.data(), request.body.size()), error);
    if (error || !parsed.is_object()) return wrong("the body must be a JSON object");
    body.object_ = parsed.get_object();
    for (const auto& member : body.object_) {
      const std::string_view name(member.key().data(), member.key().size());
      if (std::ranges::find(kMembers, name) == std::end(kMembers)) {
        return wrong(fmt::format("the member '{}' has no meaning here", name));
      }
    }
    return body;
  }

  [[nodiscard]] Result<std::optional<std::string>> text(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return wrong(fmt::format("'{}' must be a string", name));
    return std::string(value->get_string());
  }
  [[nodiscard]] Result<std::optional<int64_t>> number(std::string_view name, int64_t least, int64_t most) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const bool fits = value->is_int64() && value->get_int64() >= least && value->get_int64() <= most;
    if (!fits) return wrong(fmt::format("'{}' must be a whole number from {} to {}", name, least, most));
    return value->get_int64();
  }

 private:
  static constexpr std::string_view kMembers[] = {"sql", "id", "from", "to", "limit", "page_rows", "timeout"};

  static std::unexpected<Error> wrong(std::string what) {
    return fail(ErrorCode::BadRequest, std::move(what),
                R"(Send {"sql": "SELECT ...", "from": "2 h", "to": "latest", "limit": 1000, "timeout": "30 s"}.)");
  }
  [[nodiscard]] const json::value* find(std::string_view name) const {
    const json::value* value = object_.if_contains({name.data(), name.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  json::object object_;
};

Result<std::string> query_id(const QueryBody& body) {
  TRY_ASSIGN(const std::optional<std::string> id, body.text("id"));
  if (!id) return std::string();
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  if (id->size() >= 8 && id->size() <= 64 && std::ranges::all_of(*id, fits)) return *id;
  return fail(ErrorCode::BadRequest, "'id' must be 8 to 64 letters, digits, - and _");
}

Result<int64_t> time_limit(const QueryBody& body) {
  TRY_ASSIGN(const std::optional<std::string> text, body.text("timeout"));
  if (!text) return kDefaultTimeoutUs;
  const auto timeout_us = sql::parse_duration(*text);
  if (timeout_us && *timeout_us > 0 && *timeout_us <= kMaxTimeoutUs) return *timeout_us;
  return fail(ErrorCode::BadRequest, "'timeout' must be a duration of at most 10 min, such as 30 s");
}

// The records of each stream that arrived in time.
Result<std::vector<engine::SourceRange>> ranges_of(const QueryBody& body, const sql::Plan& plan, const log::Log& log,
                                                   int64_t now_us) {
  std::vector<engine::SourceRange> ranges;
  TRY_ASSIGN(const std::optional<std::string> from, body.text("from"));
  TRY_ASSIGN(const std::optional<std::string> to, body.text("to"));
  if (!from && !to) return ranges;
  TRY_ASSIGN(const LogMoment first, parse_log_moment(from.value_or("earliest"), "from", now_us));
  TRY_ASSIGN(const LogMoment last, parse_log_moment(to.value_or("latest"), "to", now_us));
  for (const StreamId stream : streams_of(plan)) {
    TRY_ASSIGN(const Offset begin, offset_at(log, stream, first));
    TRY_ASSIGN(const Offset end, offset_at(log, stream, last));
    ranges.push_back({stream, begin, end});
  }
  return ranges;
}

Result<QueryRequest> read_query(const Call& call, const ApiParts& parts) {
  TRY_ASSIGN(const QueryBody body, QueryBody::parse(call.request));
  QueryRequest query;
  TRY_ASSIGN(const std::optional<std::string> sql, body.text("sql"));
  if (!sql) return fail(ErrorCode::BadRequest, "the member 'sql' is missing");
  TRY_ASSIGN(query.id, query_id(body));
  TRY_ASSIGN(query.plan, parts.statements.plan_select(*sql));
  TRY_ASSIGN(query.options.ranges, ranges_of(body, query.plan, parts.log, parts.clock.now_us()));
  TRY_ASSIGN(const auto limit, body.number("limit", 0, INT64_MAX));
  if (limit) query.options.max_rows = static_cast<uint64_t>(*limit);
  TRY_ASSIGN(const auto page_rows, body.number("page_rows", 1, static_cast<int64_t>(QueryHub::kMaxPageRows)));
  query.page_rows = static_cast<size_t>(page_rows.value_or(kDefaultPageRows));
  TRY_ASSIGN(query.options.max_time_us, time_limit(body));
  query.sql = *sql;
  query.peer = call.request.peer;
  return query;
}

}  // namespace

void ApiImpl::query(Call& call) {
  auto request = read_query(call, parts_);
  if (!request) return call.reply(request.error());
  queries_.open(std::move(*request), call.principal, call.responder);
}

void ApiImpl::query_page(Call& call) {
  const auto cursor = call.request.query_value("cursor");
  if (!cursor) {
    return call.reply(Error{
        ErrorCode::BadRequest, "the query parameter 'cursor' is missing", "It is `next` of the page before.", {}});
  }
  queries_.fetch(std::move(call.name), std::string(*cursor), call.principal, call.responder);
}

void ApiImpl::cancel_query(Call& call) { queries_.cancel(std::move(call.name), call.principal, call.responder); }

void ApiImpl::queries(Call& call) { queries_.list(call.principal, call.responder); }

void ApiImpl::audit_query(const QueryOutcome& outcome) {
  if (parts_.audit == nullptr) return;
  security::AuditEvent event;
  event.who = security::audit_name(outcome.reader);
  event.what = "query.run";
  event.target = outcome.sql;
  event.detail = fmt::format("{} rows in {} ms, {}{} from {}", outcome.rows, outcome.elapsed_us / kMicrosPerMilli,
                             outcome.how, outcome.error ? ": " + outcome.error->message : "", outcome.peer);
  parts_.audit->record(std::move(event));
}

}  // namespace tidegate::api
