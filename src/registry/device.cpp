#include "registry/device.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::registry {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool has_control(std::string_view text) { return std::ranges::any_of(text, is_control); }

// The first bytes of a text that may be anything, for a message.
std::string shown(std::string_view text) {
  constexpr size_t kShownBytes = 64;
  std::string out(text.substr(0, kShownBytes));
  std::ranges::replace_if(out, is_control, '?');
  return text.size() > kShownBytes ? out + "..." : out;
}

std::unexpected<Error> bad(std::string message, std::string hint) {
  return fail(ErrorCode::BadRequest, std::move(message), std::move(hint));
}

Result<> check_text(std::string_view what, std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes && !has_control(text)) return {};
  return bad(fmt::format("the {} '{}' cannot be used", what, shown(text)),
             fmt::format("use at most {} bytes without control characters", max_bytes));
}

Result<> check_labels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) return bad("there are too many labels", fmt::format("use at most {}", kMaxLabels));
  for (const auto& [name, value] : labels) {
    const bool good = !name.empty() && name.size() <= kMaxLabelNameBytes && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.';
    });
    if (!good) {
      return bad(fmt::format("'{}' cannot be the name of a label", shown(name)),
                 fmt::format("use 1 to {} letters, digits, '_', '-' and '.'", kMaxLabelNameBytes));
    }
    TRY(check_text(fmt::format("value of label '{}',", name), value, kMaxLabelValueBytes));
  }
  return {};
}

Result<> check_segment(std::string_view segment) {
  const bool good = !segment.empty() && segment.size() <= kMaxPlaceSegmentBytes && !has_control(segment) &&
                    segment.front() != ' ' && segment.back() != ' ';
  if (good) return {};
  return bad(
      fmt::format("'{}' cannot be the name of a place", shown(segment)),
      fmt::format("use 1 to {} bytes without '/', control characters and blanks at the ends", kMaxPlaceSegmentBytes));
}

Result<> check_path(std::string_view path) {
  if (place_depth(path) > kMaxPlaceDepth) {
    return bad(fmt::format("the place '{}' is too deep", shown(path)),
               "a place is a site, site/area or site/area/asset");
  }
  for (std::string_view rest = path;;) {
    const size_t slash = rest.find('/');
    TRY(check_segment(rest.substr(0, slash)));
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<> check_device_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxNameBytes && std::ranges::none_of(name, [](char c) {
    return is_control(c) || c == ' ' || c == ':' || c == '+' || c == '#' || c == '/';
  });
  if (good) return {};
  return bad(fmt::format("'{}' cannot be a device's name", shown(name)),
             fmt::format("use 1 to {} bytes without blanks, ':', '/', '+' and '#'", kMaxNameBytes));
}

Result<> check_device(const Device& device) {
  TRY(check_device_name(device.name));
  TRY(check_text("type", device.type, kMaxTypeBytes));
  TRY(check_text("description", device.description, kMaxDescriptionBytes));
  TRY(check_labels(device.labels));
  if (device.interval_us < 0 || device.interval_us > kMaxIntervalUs) {
    return bad("the expected interval cannot be used", "use a time from 1 ms to 366 days, or 0 for none");
  }
  return device.place.empty() ? Result<>() : check_path(device.place);
}

Result<> check_place(const Place& place) {
  TRY(check_path(place.path));
  return check_text("description", place.description, kMaxDescriptionBytes);
}

size_t place_depth(std::string_view path) { return static_cast<size_t>(std::ranges::count(path, '/')) + 1; }

std::string_view place_parent(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view place_kind(std::string_view path) {
  switch (place_depth(path)) {
    case 1: return "site";
    case 2: return "area";
    default: return "asset";
  }
}

bool is_at_or_below(std::string_view place, std::string_view ancestor) {
  if (!place.starts_with(ancestor)) return false;
  return place.size() == ancestor.size() || place[ancestor.size()] == '/';
}

}  // namespace tidegate::registry
