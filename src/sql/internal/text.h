// Spelling: identifiers, quoting, edit distance, times as text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/letter_case.h"
#include "columnar/types.h"
#include "sql/identifier.h"

namespace tidegate::sql {

// A word that cannot be a name unless in `backticks`. Fewer than Flink reserves.
[[nodiscard]] bool is_reserved(std::string_view word);

// "Did you mean 'x'?" for the candidate nearest to `word` (edit distance at most a third of its length), or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// "2024-05-06 07:08:09.123456"; microseconds since 1970, fraction only if there is one.
[[nodiscard]] std::string timestamp_text(int64_t time_us);
// "yyyy-MM-dd[ HH:mm[:ss[.fraction]]]"; nothing if it is not one. Fractions finer than microseconds are cut.
[[nodiscard]] std::optional<int64_t> parse_timestamp(std::string_view text);
// "10 s", "5 min", "500 ms": for EXPLAIN and hints.
[[nodiscard]] std::string duration_text(int64_t duration_us);
// '5 min', '24 h', '500 ms', '7 d' as Flink's durations; nothing if it is not one, is negative or does not fit.
[[nodiscard]] std::optional<int64_t> parse_duration(std::string_view text);
// "06:00", "06:00:30": microseconds since midnight; nothing if it is not one.
[[nodiscard]] std::optional<int64_t> parse_time_of_day(std::string_view text);
[[nodiscard]] std::string time_of_day_text(int64_t since_midnight_us);

// A type in the texts that are hashed: the number of its kind, then its parameters. Must not change.
[[nodiscard]] std::string hashed_name(const columnar::Type& type);
// FNV-1a, 64 bit: stable for ever, because operator ids are stored.
[[nodiscard]] uint64_t stable_hash(std::string_view text);

}  // namespace tidegate::sql
