// Where the registry's documents stand in the store, and what all of its changes check.
#pragma once

#include <string>
#include <string_view>

#include "registry/registry.h"

namespace tidegate::registry {

inline constexpr std::string_view kDevicePrefix = "registry/device/";
inline constexpr std::string_view kPlacePrefix = "registry/place/";
inline constexpr std::string_view kTwinPrefix = "registry/twin/";
inline constexpr std::string_view kQuotaPrefix = "registry/quota/";
inline constexpr std::string_view kPendingPrefix = "registry/command-pending/";
inline constexpr std::string_view kFinishedPrefix = "registry/command-done/";

// The first key behind all that begin with `prefix`, whose last byte is not 0xff.
[[nodiscard]] inline std::string end_of(std::string_view prefix) {
  std::string end(prefix);
  ++end.back();
  return end;
}

// PreconditionFailed.
[[nodiscard]] Result<> check_revision(std::string_view what, uint64_t present, const Registry::Expected& expected);

}  // namespace tidegate::registry
