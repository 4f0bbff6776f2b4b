// Text of values and values of text, as CAST writes and reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::compute {

// The shortest decimal that reads back as the same number, laid out as Java's Double.toString (so as Flink prints):
// 1.0, 0.001, 1.0E7, NaN, Infinity.
void append_double(double value, std::string& out);
void append_float(float value, std::string& out);
// yyyy-MM-dd HH:mm:ss.SSS of a time in microseconds, in UTC.
void append_timestamp(int64_t time_us, std::string& out);
// +d HH:mm:ss.SSS, as Flink prints a day-time interval.
void append_interval(int64_t interval_us, std::string& out);

// Without white space at both ends.
[[nodiscard]] std::string_view without_blanks(std::string_view text);

// Spaces around a value are ignored. Nothing if the text is no such value or does not fit.
// A fraction is cut off: '12.9' is 12.
[[nodiscard]] std::optional<int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<double> parse_double(std::string_view text);
[[nodiscard]] std::optional<float> parse_float(std::string_view text);
// true, t, yes, y, 1 and false, f, no, n, 0 in any case.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);
// yyyy-MM-dd, then optionally a blank or T and HH:mm[:ss[.fraction]]; with `zone` also Z or +-HH[:]mm.
[[nodiscard]] std::optional<int64_t> parse_timestamp(std::string_view text, bool zone);

}  // namespace tidegate::compute
