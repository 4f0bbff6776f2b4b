// Records: in by POST, out by range or live.
#include <fmt/format.h>

#include <charconv>

#include "api/internal/api_impl.h"
#include "api/internal/log_moment.h"
#include "api/internal/way_out.h"
#include "net/http_problem.h"
#include "security/policy_gate.h"

namespace tidegate::api {
namespace {

constexpr int64_t kDefaultRecords = 100;
constexpr int64_t kMaxRecords = 10'000;        // of one answer
constexpr size_t kMaxAnswerBytes = 16U << 20;  // of one answer; the next request goes on at "next"

std::string accepted_json(const ingest::Accepted& accepted) {
  std::string out = fmt::format(R"({{"accepted":{},"dead_letters":{})", accepted.good, accepted.dead);
  if (accepted.dead > 0) out += ",\"first_reason\":" + net::json_string(accepted.first_reason);
  return out + "}";
}

// 200 if something was accepted; 422 if all of it went to the dead letters (where it is kept, durably).
void answer_ingest(net::HttpResponder& responder, const ingest::Accepted& accepted, const Result<>& durable) {
  if (!durable) return responder.respond(net::problem_response(durable.error()));
  net::HttpResponse response;
  response.status = accepted.good == 0 && accepted.dead > 0 ? 422 : 200;
  response.body = accepted_json(accepted);
  responder.respond(std::move(response));
}

Result<int64_t> integer_parameter(const net::HttpRequest& request, std::string_view name, int64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size()) return value;
  return fail(ErrorCode::BadRequest, fmt::format("'{}' must be a whole number", name));
}

std::string quoted_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return out + "`";
}

}  // namespace

void ApiImpl::ingest(Call call) {
  if (parts_.ingest.overloaded()) {
    return call.reply(
        Error{ErrorCode::Overloaded, "the log takes records more slowly than they come", "Try again in a moment.", {}});
  }
  const auto stream = parts_.catalog.find_stream(call.name);
  if (!stream) return call.reply(Error{ErrorCode::NotFound, fmt::format("there is no stream '{}'", call.name), "", {}});
  if (over_quota(call)) return;
  ingest::Arrival arrival{.payload = call.request.body, .topic = {}, .principal = &call.principal};
  arrival.padded = call.request.body.capacity() >= call.request.body.size() + ingest::kPayloadPadding;
  auto lane = lanes_[next_lane_++ % lanes_.size()]->lock();
  auto accepted = (*lane)->accept(stream->id, arrival);
  if (!accepted) return call.reply(accepted.error());
  const bool waits = (*lane)->flush(
      [responder = call.responder, taken = *accepted](Result<> durable) { answer_ingest(*responder, taken, durable); });
  if (!waits) answer_ingest(*call.responder, *accepted, {});
}

// GET .../records?from=offset&limit=n; a negative `from` counts from the end.
void ApiImpl::records(Call& call) {
  const auto stream = parts_.catalog.find_stream(call.name);
  if (!stream) return call.reply(Error{ErrorCode::NotFound, fmt::format("there is no stream '{}'", call.name), "", {}});
  const auto from = integer_parameter(call.request, "from", -kDefaultRecords);
  if (!from) return call.reply(from.error());
  const auto limit = integer_parameter(call.request, "limit", kDefaultRecords);
  if (!limit) return call.reply(limit.error());
  if (*limit < 1 || *limit > kMaxRecords) {
    return call.reply(Error{ErrorCode::BadRequest, fmt::format("'limit' must be 1 to {}", kMaxRecords), "", {}});
  }
  const int64_t begin = parts_.log.begin(stream->id).value;
  const int64_t end = parts_.log.end(stream->id).value;
  int64_t next = *from < 0 ? std::max(begin, *from < begin - end ? begin : end + *from) : *from;
  if (next > end) {
    return call.reply(Error{ErrorCode::OffsetOutOfRange,
                            fmt::format("offset {} is after the end, {}", next, end),
                            "Go on at the end to wait for new records.",
                            {}});
  }
  const auto batches = parts_.log.read(stream->id, Offset{next}, static_cast<size_t>(*limit));
  if (!batches) return call.reply(batches.error());
  const codec::JsonEncoder encoder(stream->schema);
  std::string out = "{\"records\":[";
  int64_t left = *limit;
  for (const auto& batch : *batches) {
    const auto checked = parts_.gate.check(call.principal, stream->id, batch->batch);
    if (!checked) return call.reply(checked.error());
    for (size_t row = 0; row < checked->value().rows && left > 0 && out.size() < kMaxAnswerBytes; ++row, --left) {
      const int64_t offset = batch->first.value + static_cast<int64_t>(row);
      if (out.back() != '[') out += ',';
      append_record(encoder, *checked, row, offset, out);
      next = offset + 1;
    }
  }
  call.reply(out + fmt::format(R"(],"next":{},"begin":{},"end":{}}})", next, begin, end));
}

void ApiImpl::live(Call& call) {
  const auto text = call.request.query_value("sql");
  if (!text) return call.reply(Error{ErrorCode::BadRequest, "the query parameter 'sql' is missing", "", {}});
  auto plan = parts_.statements.plan_live(*text);
  if (!plan) return call.reply(plan.error());
  follow(call, std::move(*plan), "query.live", std::string(*text));
}

void ApiImpl::tail(Call& call) {
  const auto stream = parts_.catalog.find_stream(call.name);
  if (!stream) return call.reply(Error{ErrorCode::NotFound, fmt::format("there is no stream '{}'", call.name), "", {}});
  auto plan = parts_.statements.plan_live("SELECT * FROM " + quoted_name(stream->name));
  if (!plan) return call.reply(plan.error());
  follow(call, std::move(*plan), "stream.tail", stream->name);
}

void ApiImpl::follow(Call& call, sql::Plan plan, const std::string& what, const std::string& target) {
  const auto starts = [&]() -> Result<std::vector<engine::SourceStart>> {
    const std::string from(call.request.query_value("from").value_or("latest"));
    TRY_ASSIGN(const LogMoment moment, parse_log_moment(from, "from", parts_.clock.now_us()));
    if (moment.kind == LogMoment::Kind::kLatest) return {};  // what comes before it is opened is not left out
    return starts_at(parts_.log, plan, moment);
  }();
  if (!starts) return call.reply(starts.error());
  audit(call, what, target, {});
  live_.open(std::move(plan), *starts, call.principal, call.responder);
}

}  // namespace tidegate::api
