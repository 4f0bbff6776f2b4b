// What a pipeline waits for, in words for a person.
#pragma once

#include <string>
#include <vector>

#include "engine/wait.h"
#include "sinks/sink_runner.h"

namespace tidegate::api {

// "open windows of 'm-7' wait for its next record; it is silent since ..., at ... they close without one".
[[nodiscard]] std::string wait_text(const engine::Wait& wait, int64_t now_us);
// Nothing while the sink keeps up.
[[nodiscard]] std::string slow_sink_text(const sinks::SinkStatus& sink);
// [{"reason":...,"text":...,"stream":...,"device":...}], the sinks of `target` last, as "slow_sink".
[[nodiscard]] std::string waits_json(const std::vector<engine::Wait>& waits, std::string_view target,
                                     const std::vector<sinks::SinkStatus>& sinks, int64_t now_us);

}  // namespace tidegate::api
