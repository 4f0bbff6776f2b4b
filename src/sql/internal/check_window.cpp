#include "sql/internal/check_window.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/time_zone.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

constexpr int64_t kDayUs = 86'400 * kMicrosPerSecond;
constexpr int64_t kMaxDays = 36'600;
// Windows that one record falls into. What is kept for them is a slice per slide or step and group.
constexpr int64_t kMaxPanes = 10'000;

Result<> check_milliseconds(const WindowCall& call) {
  const WindowSpec& spec = call.spec;
  if (spec.size_us % kMicrosPerMilli == 0 && spec.slide_us % kMicrosPerMilli == 0 &&
      spec.offset_us % kMicrosPerMilli == 0) {
    return {};
  }
  return fail_at(ErrorCode::SqlInvalidWindow, call.size_position, "a window is a whole number of milliseconds");
}

Result<> check_calendar(const WindowCall& call) {
  const WindowSpec& spec = call.spec;
  if (call.zone_position && io::find_time_zone(spec.zone) == nullptr) {
    return fail_at(ErrorCode::SqlInvalidWindow, *call.zone_position,
                   fmt::format("there is no time zone '{}'", spec.zone),
                   "Name it as in the IANA database: 'Europe/Paris'");
  }
  const bool shifts = !spec.shift_starts_us.empty();
  if (spec.months == 0 && !shifts) {
    if (spec.size_us < kDayUs || spec.size_us % kDayUs != 0 || spec.size_us > kMaxDays * kDayUs) {
      return fail_at(ErrorCode::SqlInvalidWindow, call.size_position,
                     "a window with a TIME ZONE is a number of days, months, or SHIFTS",
                     "Shorter ones are the same in all zones that are whole hours apart: leave TIME ZONE out");
    }
  }
  const int64_t longest_offset = shifts ? 1 : spec.months > 0 ? kDayUs : spec.size_us;
  if (spec.offset_us > -longest_offset && spec.offset_us < longest_offset) return {};
  return fail_at(ErrorCode::SqlInvalidWindow, call.position,
                 shifts ? "SHIFTS take no offset"
                        : fmt::format("the offset must be shorter than {}", duration_text(longest_offset)));
}

}  // namespace

bool has_calendar(const WindowSpec& spec) {
  const bool days = spec.size_us >= kDayUs && spec.size_us % kDayUs == 0 && spec.size_us <= kMaxDays * kDayUs;
  return spec.kind == WindowKind::kCalendar || (spec.kind == WindowKind::kTumble && days);
}

Result<> check_window(const WindowCall& call) {
  const WindowSpec& spec = call.spec;
  TRY(check_milliseconds(call));
  if (spec.kind == WindowKind::kCalendar) return check_calendar(call);
  if (spec.size_us <= 0 || spec.slide_us <= 0) {
    return fail_at(ErrorCode::SqlInvalidWindow, spec.size_us <= 0 ? call.size_position : call.slide_position,
                   "the window's interval must be longer than zero");
  }
  const bool grows = spec.kind == WindowKind::kCumulate;
  const std::string_view slide = grows ? "step" : "slide";
  if (spec.size_us % spec.slide_us != 0) {
    return fail_at(ErrorCode::SqlInvalidWindow, call.slide_position,
                   fmt::format("the size must be a multiple of the {}", slide),
                   fmt::format("{0}(TABLE stream, DESCRIPTOR(ts), {1}, size): the {1} comes first",
                               grows ? "CUMULATE" : "HOP", slide));
  }
  if (spec.size_us / spec.slide_us > kMaxPanes) {
    return fail_at(ErrorCode::SqlInvalidWindow, call.slide_position,
                   fmt::format("the size is more than {} {}s", kMaxPanes, slide),
                   fmt::format("Use a longer {}", slide));
  }
  const int64_t period = grows ? spec.size_us : spec.slide_us;
  if (spec.offset_us <= -period || spec.offset_us >= period) {
    return fail_at(ErrorCode::SqlInvalidWindow, call.position,
                   fmt::format("the offset must be shorter than the {}", grows ? "size" : "slide"));
  }
  return {};
}

Result<> check_session_keys(std::span<const Expression> keys, std::span<const size_t> partition,
                            const columnar::Schema& input, TextPosition position) {
  const auto is_grouped = [&](size_t column) {
    return std::ranges::any_of(keys, [&](const Expression& key) {
      const auto* reference = std::get_if<ColumnRef>(&key.node);
      return reference != nullptr && reference->index == column;
    });
  };
  std::string names;
  bool all = true;
  std::vector<size_t> distinct;
  for (const size_t column : partition) {
    if (std::ranges::find(distinct, column) != distinct.end()) continue;
    distinct.push_back(column);
    all = all && is_grouped(column);
    names += quote_identifier(input.fields[column].name) + ", ";
  }
  if (all && keys.size() == distinct.size()) return {};
  return fail_at(ErrorCode::SqlInvalidGrouping, position,
                 "a SESSION window is grouped by the columns that it is partitioned by, and no others",
                 fmt::format("Write GROUP BY {}window_start, window_end, or change PARTITION BY", names));
}

Result<> check_coverage(std::span<const BoundAggregate> aggregates, const WindowSpec& window) {
  constexpr int64_t kMaxSlots = 1 << 20;  // of one window; a bit each
  constexpr int64_t kLongestMonthUs = 31 * kDayUs;
  const bool calendar = window.kind == WindowKind::kCalendar;
  const bool session = window.kind == WindowKind::kSession;
  const int64_t size_us = window.months > 0                ? window.months * kLongestMonthUs
                          : window.shift_starts_us.empty() ? window.size_us
                                                           : 2 * kDayUs;
  for (const BoundAggregate& bound : aggregates) {
    const int64_t interval = bound.aggregate.interval_us;
    if (bound.aggregate.function != AggregateFunction::kCoverage) continue;
    if (window.kind == WindowKind::kAll) {
      return fail_at(ErrorCode::SqlInvalidWindow, bound.position, "COVERAGE needs windows: of how long, nobody knows",
                     "FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '1' DAY)) ... GROUP BY window_start, "
                     "window_end");
    }
    if (!calendar && !session && window.slide_us % interval != 0) {
      return fail_at(ErrorCode::SqlInvalidWindow, bound.position,
                     fmt::format("windows every {} are no multiple of {}", duration_text(window.slide_us),
                                 duration_text(interval)),
                     "COVERAGE needs an interval that divides the window");
    }
    if (!session && size_us / interval > kMaxSlots) {
      return fail_at(ErrorCode::SqlInvalidWindow, bound.position,
                     fmt::format("more than {} readings expected in a window", kMaxSlots), "Use a shorter window");
    }
  }
  return {};
}

}  // namespace tidegate::sql
