#include "api/internal/log_moment.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/timestamp_text.h"
#include "sql/duration.h"

namespace tidegate::api {
namespace {

void collect_streams(const sql::PlanNode& node, std::vector<StreamId>& out) {
  const auto* scan = std::get_if<sql::Scan>(&node.node);
  if (scan != nullptr && std::ranges::find(out, scan->stream->id) == out.end()) out.push_back(scan->stream->id);
  for (const auto& input : node.inputs) collect_streams(*input, out);
}

}  // namespace

Result<LogMoment> parse_log_moment(std::string_view text, std::string_view what, int64_t now_us) {
  using enum LogMoment::Kind;
  if (text == "earliest" || text == "start") return LogMoment{kEarliest, {}};
  if (text == "latest" || text == "now") return LogMoment{kLatest, {}};
  if (const auto time_us = codec::parse_timestamp(text, columnar::TypeKind::kTimestampLtz)) {
    return LogMoment{kTime, IngestTime{*time_us}};
  }
  if (const auto ago_us = sql::parse_duration(text)) return LogMoment{kTime, IngestTime{now_us - *ago_us}};
  return fail(ErrorCode::BadRequest, fmt::format("'{}' is no place in the log ({})", text, what),
              "Write earliest, latest, a time such as 2026-11-24T10:00:00Z, or how long ago: 30 min, 2 h, 7 d.");
}

Result<Offset> offset_at(const log::Log& log, StreamId stream, const LogMoment& moment) {
  using enum LogMoment::Kind;
  if (moment.kind == kEarliest) return log.begin(stream);
  if (moment.kind == kLatest) return log.end(stream);
  TRY_ASSIGN(const Offset found, log.offset_at(stream, moment.time));
  return std::max(found, log.begin(stream));
}

Result<std::vector<engine::SourceStart>> starts_at(const log::Log& log, const sql::Plan& plan,
                                                   const LogMoment& moment) {
  std::vector<engine::SourceStart> starts;
  for (const StreamId stream : streams_of(plan)) {
    TRY_ASSIGN(const Offset from, offset_at(log, stream, moment));
    starts.push_back({stream, from});
  }
  return starts;
}

std::vector<StreamId> streams_of(const sql::Plan& plan) {
  std::vector<StreamId> streams;
  collect_streams(*plan.root, streams);
  return streams;
}

}  // namespace tidegate::api
