// Where a changed pipeline starts anew that cannot go on from its state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/site.h"
#include "catalog/catalog.h"
#include "log/log.h"

namespace tidegate::api {

// "current", or a place as parse_log_moment() takes it, but not one that is still to come. BadRequest.
[[nodiscard]] Result<> read_restart(std::string_view from, int64_t now_us, SiteOptions& out);

// RestartFrom::kEarliest, kTime or kLatest in each of the streams; none for those that are read from their oldest
// record on, whichever that will be.
[[nodiscard]] Result<std::vector<std::pair<StreamId, Offset>>> restart_starts(const log::Log& log,
                                                                              const std::vector<StreamId>& streams,
                                                                              const SiteOptions& options);

// What that means, for people: from where, and how many records there are to be read by now.
[[nodiscard]] Result<std::string> restart_note(const catalog::Catalog& catalog, const log::Log& log,
                                               const std::vector<StreamId>& streams, const SiteOptions& options);

}  // namespace tidegate::api
