// Times from numbers and texts and back, and the clocks of other zones.
#include <cmath>
#include <string>

#include "base/check.h"
#include "base/civil.h"
#include "codec/time_pattern.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"
#include "io/time_zone.h"

namespace tidegate::compute {

namespace {

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss";

template <class T>
Kernel from_epoch(const sql::Call& call) {
  const sql::Literal* precision = as_literal(call.arguments[1]);
  CHECK(precision != nullptr && std::holds_alternative<int64_t>(*precision));
  const int64_t unit_us = std::get<int64_t>(*precision) == 0 ? kMicrosPerSecond : kMicrosPerMilli;
  if constexpr (std::is_same_v<T, double>) {
    return checked_unary<double, int64_t>([unit_us](double a, int64_t& out) {
      // A TIMESTAMP_LTZ(3) has whole milliseconds.
      const int64_t unit_ms = unit_us / kMicrosPerMilli;
      const double millis = std::floor(a * static_cast<double>(unit_ms));
      const bool ok = std::fabs(millis) < 9.2e15;
      out = ok ? static_cast<int64_t>(millis) * kMicrosPerMilli : 0;
      return ok;
    });
  } else {
    return checked_unary<T, int64_t>(
        [unit_us](T a, int64_t& out) { return !__builtin_mul_overflow(int64_t{a}, unit_us, &out); });
  }
}

// The pattern of the row at hand; one that stays the same is read once.
class Patterns {
 public:
  const codec::TimePattern& of(std::string_view pattern) {
    if (!known_ || pattern_ != pattern) {
      known_ = true;
      pattern_.assign(pattern);
      format_ = codec::TimePattern(pattern);
    }
    return format_;
  }

 private:
  bool known_ = false;
  std::string pattern_;
  codec::TimePattern format_;
};

// The zone of the row at hand; null if there is none of that name.
class Zones {
 public:
  const io::TimeZone* of(std::string_view name) {
    if (!known_ || name_ != name) {
      known_ = true;
      name_.assign(name);
      zone_ = io::find_time_zone(name);
    }
    return zone_;
  }

 private:
  bool known_ = false;
  std::string name_;
  const io::TimeZone* zone_ = nullptr;
};

// DATE_FORMAT(time, pattern) and FROM_UNIXTIME(seconds[, pattern]).
Kernel format_times(int64_t unit_us) {
  return [unit_us, patterns = Patterns(), text = std::string()](Frame& frame) mutable {
    const auto* times = frame.args[0].data<int64_t>();
    each_text(frame, [&](size_t row) {
      int64_t time_us = 0;
      if (__builtin_mul_overflow(times[frame.args[0].row(row)], unit_us, &time_us)) {
        frame.fail(row);
        return frame.put_null();
      }
      text.clear();
      patterns.of(frame.args.size() > 1 ? frame.args[1].text(row) : kDefaultPattern).append(time_us, text);
      frame.put(text);
    });
  };
}

// Without a pattern also what CAST takes: a fraction, a date alone.
std::optional<codec::TimePattern::Parsed> parse_time(const Frame& frame, size_t row, Patterns& patterns) {
  const std::string_view text = frame.args[0].text(row);
  const std::string_view pattern = frame.args.size() > 1 ? frame.args[1].text(row) : kDefaultPattern;
  if (pattern != kDefaultPattern) return patterns.of(pattern).parse(text);
  const auto wall_us = parse_timestamp(text, false);
  if (!wall_us) return std::nullopt;
  return codec::TimePattern::Parsed{*wall_us, std::nullopt};
}

// What does not fit the pattern is NULL, as in Flink; `convert` yields nothing where that is an error.
template <class Convert>
Kernel read_times(bool counted, Convert convert) {
  return [counted, convert, patterns = Patterns(), zones = Zones()](Frame& frame) mutable {
    auto* out = frame.result<int64_t>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const auto parsed = parse_time(frame, row, patterns);
      const std::optional<int64_t> value = parsed ? convert(frame, row, *parsed, zones) : std::nullopt;
      if (value) {
        out[row] = *value;
      } else if (counted) {
        frame.fail(row);
      } else {
        frame.clear(row);
      }
    }
  };
}

std::optional<int64_t> as_wall(const Frame&, size_t, const codec::TimePattern::Parsed& parsed, Zones&) {
  return parsed.wall_us;
}
std::optional<int64_t> as_seconds(const Frame&, size_t, const codec::TimePattern::Parsed& parsed, Zones&) {
  return floor_divide(parsed.wall_us - parsed.offset_us.value_or(0), kMicrosPerSecond);
}
std::optional<int64_t> as_instant(const Frame& frame, size_t row, const codec::TimePattern::Parsed& parsed,
                                  Zones& zones) {
  if (parsed.offset_us) return parsed.wall_us - *parsed.offset_us;
  const io::TimeZone* zone = zones.of(frame.args[2].text(row));
  if (zone == nullptr) return std::nullopt;
  return zone->to_instant_us(parsed.wall_us);
}

Kernel at_zone(bool instant) {
  return [instant, zones = Zones()](Frame& frame) mutable {
    const auto* times = frame.args[0].data<int64_t>();
    auto* out = frame.result<int64_t>();
    // So far from the edges a zone's distance cannot overflow.
    constexpr int64_t kEdge = std::numeric_limits<int64_t>::max() - 2 * kMicrosPerDay;
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const int64_t time_us = times[frame.args[0].row(row)];
      const io::TimeZone* zone = zones.of(frame.args[1].text(row));
      if (zone == nullptr || time_us > kEdge || time_us < -kEdge) {
        frame.fail(row);
      } else {
        out[row] = instant ? zone->to_wall_us(time_us) : zone->to_instant_us(time_us);
      }
    }
  };
}

Kernel convert_zone() {
  return [from = Zones(), to = Zones(), text = std::string()](Frame& frame) mutable {
    const codec::TimePattern format(kDefaultPattern);
    each_text(frame, [&](size_t row) {
      const auto wall_us = parse_timestamp(frame.args[0].text(row), false);
      if (!wall_us) return frame.put_none();
      const io::TimeZone* source = from.of(frame.args[1].text(row));
      const io::TimeZone* target = to.of(frame.args[2].text(row));
      if (source == nullptr || target == nullptr) {
        frame.fail(row);
        return frame.put_null();
      }
      text.clear();
      format.append(target->to_wall_us(source->to_instant_us(*wall_us)), text);
      frame.put(text);
    });
  };
}

Function to_timestamp_ltz(const sql::Call& call) {
  switch (call.arguments[0].type) {
    case TypeKind::kString: return {read_times(false, as_instant)};
    case TypeKind::kDouble: return {from_epoch<double>(call)};
    case TypeKind::kInt: return {from_epoch<int32_t>(call)};
    default: return {from_epoch<int64_t>(call)};
  }
}

int64_t whole_seconds(int64_t time_us) { return floor_divide(time_us, kMicrosPerSecond); }

}  // namespace

Function time_text_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kToTimestamp: return {read_times(false, as_wall)};
    case FunctionId::kToTimestampLtz: return to_timestamp_ltz(call);
    case FunctionId::kUnixTimestamp:
      if (call.arguments[0].type == TypeKind::kString) return {read_times(true, as_seconds)};
      return {unary<int64_t, int64_t>(whole_seconds)};
    case FunctionId::kFromUnixTime: return {format_times(kMicrosPerSecond)};
    case FunctionId::kConvertTz: return {convert_zone()};
    case FunctionId::kAtTimeZone: return {at_zone(call.arguments[0].type == TypeKind::kTimestampLtz)};
    default: return {format_times(1)};
  }
}

}  // namespace tidegate::compute
