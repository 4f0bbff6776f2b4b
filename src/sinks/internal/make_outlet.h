// From a sink table's options to its outlet.
#pragma once

#include <memory>

#include "io/clock.h"
#include "sinks/internal/outlet.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

// SqlInvalidOption. `options` must outlive the outlet.
[[nodiscard]] Result<std::unique_ptr<Outlet>> make_outlet(const catalog::StreamDefinition& stream,
                                                          const SinkRunner::Options& options, const io::Clock& clock);

// What a new table must bring besides: its target is allowed and its secrets are there. Sinks that exist find that
// out when they deliver, and say so in their status.
[[nodiscard]] Result<> check_target(const catalog::StreamDefinition& stream, const SinkRunner::Options& options);

}  // namespace tidegate::sinks
