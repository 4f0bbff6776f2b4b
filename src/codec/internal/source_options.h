// The options of a stream about its payloads, group by group. Each takes its own and passes over the others.
#pragma once

#include "codec/internal/option_reader.h"

namespace tidegate::codec {

using OptionOutcome = std::expected<void, BadOption>;

// Captures of 'mqtt.topic'.
[[nodiscard]] OptionOutcome set_topic(SourceFormat& format, const OptionReader& options);
// 'timestamp.*'
[[nodiscard]] OptionOutcome set_times(SourceFormat& format, const OptionReader& options);
// 'records', 'field.*'
[[nodiscard]] OptionOutcome set_paths(SourceFormat& format, const OptionReader& options);
// 'metrics', 'timestamp.precision'
[[nodiscard]] OptionOutcome set_metrics(SourceFormat& format, const OptionReader& options);
// 'unit.*', 'range.*', 'resolution.*', 'quality', 'author'
[[nodiscard]] OptionOutcome set_values(SourceFormat& format, const OptionReader& options);
// 'csv.*'
[[nodiscard]] OptionOutcome set_csv(SourceFormat& format, const OptionReader& options);

}  // namespace tidegate::codec
