// A place in the log as people name it: by the time at which records arrived.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "engine/engine.h"
#include "log/log.h"

namespace tidegate::api {

struct LogMoment {
  enum class Kind : uint8_t { kEarliest, kLatest, kTime };
  Kind kind = Kind::kEarliest;
  IngestTime time{};  // kTime
};

// "earliest" (also "start"), "latest" (also "now"), a time ("2026-11-24T10:00:00Z"; without a zone UTC), or a duration
// before now ("2 h"). BadRequest, with `what` as the name of the value.
[[nodiscard]] Result<LogMoment> parse_log_moment(std::string_view text, std::string_view what, int64_t now_us);

// The first record of the stream that arrived at or after it; the end if there is none.
[[nodiscard]] Result<Offset> offset_at(const log::Log& log, StreamId stream, const LogMoment& moment);
// The same of every stream that a plan reads.
[[nodiscard]] Result<std::vector<engine::SourceStart>> starts_at(const log::Log& log, const sql::Plan& plan,
                                                                 const LogMoment& moment);

// What a plan reads, each once.
[[nodiscard]] std::vector<StreamId> streams_of(const sql::Plan& plan);

}  // namespace tidegate::api
