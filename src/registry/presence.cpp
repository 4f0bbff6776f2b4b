#include "registry/presence.h"

#include <algorithm>

namespace tidegate::registry {

void PresenceRules::restore(std::string_view device, bool online, int64_t time_us) {
  Tracked& tracked = devices_[std::string(device)];
  tracked.presence.online = online;
  tracked.presence.since_us = time_us;
  tracked.presence.reason = {};
  tracked.heard_us = started_us_;
  tracked.return_by_us = online ? started_us_ + kReturnUs : 0;
}

void PresenceRules::expect(const std::vector<ExpectedDevice>& devices) {
  for (auto& [name, tracked] : devices_) tracked.interval_us = 0;
  for (const ExpectedDevice& device : devices) {
    Tracked& tracked = devices_[device.name];
    tracked.interval_us = device.interval_us;
    tracked.heard_us = std::max({tracked.heard_us, device.since_us, started_us_});
  }
  // Gone from the registry, or never known but by an interval that it has no more.
  std::erase_if(devices_, [](const auto& entry) {
    return entry.second.interval_us == 0 && entry.second.presence.connections == 0 && !entry.second.presence.online;
  });
}

void PresenceRules::set(const std::string& device, Tracked& tracked, bool online, int64_t time_us,
                        std::string_view why) {
  tracked.presence.online = online;
  tracked.presence.since_us = time_us;
  tracked.presence.reason = why;
  events_.push_back({device, time_us, online, why});
}

void PresenceRules::connected(std::string_view device, int64_t now_us) {
  const auto [entry, is_new] = devices_.try_emplace(std::string(device));
  Tracked& tracked = entry->second;
  ++tracked.presence.connections;
  tracked.heard_us = std::max(tracked.heard_us, now_us);
  tracked.return_by_us = 0;
  if (tracked.presence.online != true) set(entry->first, tracked, true, now_us, reason::kConnected);
}

void PresenceRules::disconnected(std::string_view device, bool properly, int64_t now_us) {
  const auto entry = devices_.find(std::string(device));
  if (entry == devices_.end() || entry->second.presence.connections == 0) return;
  Tracked& tracked = entry->second;
  if (--tracked.presence.connections > 0) return;
  tracked.heard_us = std::max(tracked.heard_us, now_us);
  if (tracked.presence.online != true || (properly && tracked.interval_us > 0)) return;
  set(entry->first, tracked, false, now_us, properly ? reason::kDisconnected : reason::kConnectionLost);
}

void PresenceRules::look_at(const std::string& device, Tracked& tracked, int64_t now_us, const Seen& seen) {
  if (tracked.interval_us == 0) {
    const bool late = tracked.return_by_us > 0 && now_us >= tracked.return_by_us;
    if (late && tracked.presence.online == true) set(device, tracked, false, now_us, reason::kNotBack);
    if (late) tracked.return_by_us = 0;
    return;
  }
  const int64_t allowed_us = allowed_silence_us(tracked.interval_us);
  const int64_t record_us = seen(device).value_or(0);
  // A record that is newer than what took it offline. Of one from before the start only if it still says something
  // about now; a later one counts even if the silence since was too long already: then both events are told.
  const bool tells = record_us > started_us_ || now_us - record_us <= allowed_us;
  if (tracked.presence.online != true && record_us > tracked.presence.since_us && tells) {
    set(device, tracked, true, record_us, reason::kRecord);
  }
  const int64_t heard_us = std::max(tracked.heard_us, record_us);
  if (tracked.presence.online != false && now_us - heard_us > allowed_us) {
    set(device, tracked, false, now_us, reason::kSilent);
  }
}

void PresenceRules::look(int64_t now_us, const Seen& seen) {
  for (auto& [device, tracked] : devices_) look_at(device, tracked, now_us, seen);
}

std::optional<Presence> PresenceRules::of(std::string_view device) const {
  const auto entry = devices_.find(std::string(device));
  return entry == devices_.end() ? std::nullopt : std::optional(entry->second.presence);
}

}  // namespace tidegate::registry
