#include "io/time_zone.h"

#include <map>
#include <memory>
#include <optional>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "base/guarded.h"
#include "base/ids.h"

namespace tidegate::io {

namespace {

constexpr size_t kMaxNameBytes = 64;  // the longest IANA name has 32
// Zones kept for ever: there are about 600 names, and a few distances that people use.
constexpr size_t kMaxZones = 4096;
constexpr int64_t kMaxDistanceMinutes = 18 * 60;  // as Java's ZoneOffset

class FixedZone final : public TimeZone {
 public:
  FixedZone(std::string name, int64_t offset_us) : name_(std::move(name)), offset_us_(offset_us) {}
  const std::string& name() const override { return name_; }
  int64_t offset_us(int64_t) const override { return offset_us_; }
  int64_t to_instant_us(int64_t wall_us) const override { return wall_us - offset_us_; }

 private:
  std::string name_;
  int64_t offset_us_;
};

int64_t floor_seconds(int64_t time_us) { return time_us / kMicrosPerSecond - (time_us % kMicrosPerSecond < 0 ? 1 : 0); }

class RuledZone final : public TimeZone {
 public:
  RuledZone(std::string name, const absl::TimeZone& zone) : name_(std::move(name)), zone_(zone) {}
  const std::string& name() const override { return name_; }

  int64_t offset_us(int64_t instant_us) const override {
    return zone_.At(absl::FromUnixMicros(instant_us)).offset * kMicrosPerSecond;
  }
  int64_t to_instant_us(int64_t wall_us) const override {
    const int64_t seconds = floor_seconds(wall_us);
    const absl::CivilSecond wall = absl::CivilSecond(1970, 1, 1, 0, 0, 0) + seconds;
    return absl::ToUnixMicros(zone_.At(wall).pre) + (wall_us - seconds * kMicrosPerSecond);
  }

 private:
  std::string name_;
  absl::TimeZone zone_;
};

std::optional<int64_t> take_digits(std::string_view& text, size_t most) {
  size_t count = 0;
  int64_t value = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count++] - '0');
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

// +h, +hh, +hhmm, +hh:mm and the same with -.
std::optional<int64_t> parse_distance_us(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const bool west = text[0] == '-';
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours) return std::nullopt;
  int64_t minutes = 0;
  if (!text.empty()) {
    if (text[0] == ':') text.remove_prefix(1);
    if (text.size() != 2) return std::nullopt;
    const auto parsed = take_digits(text, 2);
    if (!parsed || !text.empty() || *parsed > 59) return std::nullopt;
    minutes = *parsed;
  }
  const int64_t total = *hours * 60 + minutes;
  if (total > kMaxDistanceMinutes) return std::nullopt;
  return (west ? -total : total) * 60 * kMicrosPerSecond;
}

// A name is a path below the zone files: no way out of that folder.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name[0] == '/' || name.find("..") != std::string_view::npos) {
    return false;
  }
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+' && c != '/') return false;
  }
  return true;
}

std::unique_ptr<TimeZone> load(std::string_view name) {
  if (name == "Z" || name == "UTC" || name == "GMT") return std::make_unique<FixedZone>(std::string(name), 0);
  std::string_view distance = name;
  if (distance.starts_with("GMT") || distance.starts_with("UTC")) distance.remove_prefix(3);
  if (const auto offset_us = parse_distance_us(distance)) {
    return std::make_unique<FixedZone>(std::string(name), *offset_us);
  }
  // "localtime" is whatever the machine is set to: results must not hang on that.
  if (!is_zone_name(name) || name == "localtime") return nullptr;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(std::string(name), &zone)) return nullptr;
  return std::make_unique<RuledZone>(std::string(name), zone);
}

using Zones = std::map<std::string, std::unique_ptr<TimeZone>, std::less<>>;

}  // namespace

const TimeZone* find_time_zone(std::string_view name) {
  static Guarded<Zones> known;
  auto zones = known.lock();
  if (const auto found = zones->find(name); found != zones->end()) return found->second.get();
  if (zones->size() >= kMaxZones) return nullptr;
  auto zone = load(name);
  if (zone == nullptr) return nullptr;
  return zones->emplace(std::string(name), std::move(zone)).first->second.get();
}

}  // namespace tidegate::io
