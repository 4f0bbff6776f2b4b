#include "api/internal/site_restart.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/internal/log_moment.h"
#include "codec/timestamp_text.h"

namespace tidegate::api {
namespace {

Result<Offset> start_in(const log::Log& log, StreamId stream, const SiteOptions& options) {
  using enum LogMoment::Kind;
  switch (options.restart_from) {
    case RestartFrom::kTime: return offset_at(log, stream, {kTime, options.restart_time});
    case RestartFrom::kLatest: return offset_at(log, stream, {kLatest, {}});
    default: return offset_at(log, stream, {kEarliest, {}});
  }
}

std::string place_text(const SiteOptions& options) {
  if (options.restart_from == RestartFrom::kLatest) return "with the next record that arrives";
  if (options.restart_from == RestartFrom::kEarliest) return "from the oldest record that is kept";
  std::string time;
  codec::append_timestamp(options.restart_time.value, columnar::TypeKind::kTimestampLtz, time);
  return fmt::format("with what arrived at {} or later", time);
}

}  // namespace

Result<> read_restart(std::string_view from, int64_t now_us, SiteOptions& out) {
  if (from == "current") {
    out.restart_from = RestartFrom::kCurrent;
    return {};
  }
  TRY_ASSIGN(const LogMoment moment, parse_log_moment(from, "from", now_us));
  switch (moment.kind) {
    case LogMoment::Kind::kEarliest: out.restart_from = RestartFrom::kEarliest; break;
    case LogMoment::Kind::kLatest: out.restart_from = RestartFrom::kLatest; break;
    case LogMoment::Kind::kTime:
      if (moment.time.value > now_us) {
        return fail(ErrorCode::BadRequest, fmt::format("'{}' is still to come ('from')", from),
                    "Write latest for what arrives from now on; a time without a zone is read as UTC.");
      }
      out.restart_from = RestartFrom::kTime;
      out.restart_time = moment.time;
  }
  return {};
}

Result<std::vector<std::pair<StreamId, Offset>>> restart_starts(const log::Log& log,
                                                                const std::vector<StreamId>& streams,
                                                                const SiteOptions& options) {
  std::vector<std::pair<StreamId, Offset>> starts;
  if (options.restart_from == RestartFrom::kEarliest) return starts;
  for (const StreamId stream : streams) {
    TRY_ASSIGN(const Offset from, start_in(log, stream, options));
    starts.emplace_back(stream, from);
  }
  return starts;
}

Result<std::string> restart_note(const catalog::Catalog& catalog, const log::Log& log,
                                 const std::vector<StreamId>& streams, const SiteOptions& options) {
  std::string counts;
  for (const StreamId stream : streams) {
    const auto definition = catalog.find_stream(stream);
    if (definition == nullptr) continue;  // these files make it: it is empty
    TRY_ASSIGN(const Offset from, start_in(log, stream, options));
    const int64_t records = std::max<int64_t>(log.end(stream).value - from.value, 0);
    counts += fmt::format("{}{} record{} of {}", counts.empty() ? " (" : ", ", records, records == 1 ? "" : "s",
                          definition->name);
  }
  if (!counts.empty()) counts += ')';
  return fmt::format("starts anew {}{}; what it has written stays", place_text(options), counts);
}

}  // namespace tidegate::api
