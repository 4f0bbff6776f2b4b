// What the registry knows of devices and of the places they stand at, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::registry {

inline constexpr size_t kMaxNameBytes = 256;  // bounds topics, keys of the log and subjects of certificates
inline constexpr size_t kMaxTypeBytes = 128;
inline constexpr size_t kMaxLabels = 64;  // a label is looked at for every device of a filtered list
inline constexpr size_t kMaxLabelNameBytes = 64;
inline constexpr size_t kMaxLabelValueBytes = 256;
inline constexpr size_t kMaxDescriptionBytes = 1024;
inline constexpr size_t kMaxPlaceDepth = 3;  // site / area / asset; devices stand at any of them
inline constexpr size_t kMaxPlaceSegmentBytes = 128;
inline constexpr int64_t kMaxIntervalUs = int64_t{366} * 24 * 3600 * 1'000'000;  // a reading a year is still a report

// One device. Its records are keyed by its name, so its place may change without touching its history.
struct Device {
  std::string name;
  std::string type;                           // "flow meter"; empty: not said
  std::string place;                          // "north/pumping/pump-3"; empty: nowhere
  std::map<std::string, std::string> labels;  // names compare exactly
  int64_t interval_us = 0;                    // the longest time it is expected to be silent; 0: any
  std::string description;
  int64_t created_us = 0;
  int64_t changed_us = 0;
  uint64_t revision = 0;  // 1 when it is added, one more with every change
};
// Shared by lists under way and the registry, which replaces a device as a whole.
using DevicePtr = std::shared_ptr<const Device>;

// A node of the site tree: a site ("north"), an area in it ("north/pumping"), an asset in that
// ("north/pumping/pump-3").
struct Place {
  std::string path;
  std::string time_zone;  // IANA name; of sites only, what is below has the site's
  std::string description;
  int64_t created_us = 0;
  int64_t changed_us = 0;
  uint64_t revision = 0;
};
using PlacePtr = std::shared_ptr<const Place>;

// BadRequest, which says what is wrong and what would be right. Whether the place exists is not looked at.
[[nodiscard]] Result<> check_device(const Device& device);
[[nodiscard]] Result<> check_device_name(std::string_view name);
[[nodiscard]] Result<> check_place(const Place& place);

[[nodiscard]] size_t place_depth(std::string_view path);             // 1: a site, 2: an area, 3: an asset
[[nodiscard]] std::string_view place_parent(std::string_view path);  // empty for a site
[[nodiscard]] std::string_view place_kind(std::string_view path);    // "site", "area", "asset"
[[nodiscard]] bool is_at_or_below(std::string_view place, std::string_view ancestor);

}  // namespace tidegate::registry
