#include "registry/quota.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "registry/device.h"

namespace tidegate::registry {
namespace {

struct Range {
  double least;
  double most;
  bool whole;
};
// As kQuotaLimitNames. No rate of zero: a device that may not send at all is one to delete; but it may be kept from
// connecting.
constexpr std::array<Range, kQuotaLimits> kRanges{
    Range{0.001, 1e9, false}, {1, 1e12, false}, {1, 1e9, true}, {0, 1e6, true}, {0.001, kMaxBurstS, false}};

}  // namespace

Result<QuotaSubject> parse_quota_subject(std::string_view text) {
  if (text == "default") return QuotaSubject{text, {}};
  const size_t colon = text.find(':');
  QuotaSubject subject{text.substr(0, colon), colon == std::string_view::npos ? "" : text.substr(colon + 1)};
  constexpr std::array<std::string_view, 4> kKinds{"device", "gateway", "type", "site"};
  const size_t longest = subject.kind == "site" ? kMaxPlaceDepth * (kMaxPlaceSegmentBytes + 1) : kMaxNameBytes;
  if (std::ranges::find(kKinds, subject.kind) != kKinds.end() && !subject.name.empty() &&
      subject.name.size() <= longest) {
    return subject;
  }
  return fail(ErrorCode::BadRequest, fmt::format("'{}' is nothing that has a quota", text),
              "write default, site:PATH, type:TYPE, device:NAME or gateway:NAME");
}

Result<> check_quota(const Quota& quota) {
  bool any = false;
  for (size_t at = 0; at < kQuotaLimits; ++at) {
    if (!quota.limits[at]) continue;
    any = true;
    const double value = *quota.limits[at];
    const Range& range = kRanges[at];
    const bool in_range = value >= range.least && value <= range.most;  // false for what is no number
    if (in_range && (!range.whole || value == std::floor(value))) continue;
    return fail(ErrorCode::BadRequest,
                fmt::format("'{}' must be {} from {} to {}", kQuotaLimitNames[at],
                            range.whole ? "a whole number" : "a number", range.least, range.most));
  }
  if (any) return {};
  return fail(ErrorCode::BadRequest, "a quota needs a limit", "to take a quota away, delete it");
}

}  // namespace tidegate::registry
