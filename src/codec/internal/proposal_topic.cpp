#include "codec/internal/proposal_topic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "codec/internal/proposal_time.h"
#include "codec/topic_pattern.h"

namespace tidegate::codec {

namespace {

using Levels = std::vector<std::string>;

Levels split(std::string_view topic) {
  Levels out(1);
  for (const char c : topic) {
    if (c == '/')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::string join(const Levels& levels) { return fmt::format("{}", fmt::join(levels, "/")); }

// The level whose text is the record's device in every record that names one.
std::optional<size_t> level_of_device(std::span<const Sample> samples, const ReadSamples& read, const SeenField& device,
                                      size_t levels) {
  for (size_t level = 0; level < levels; ++level) {
    const bool same = std::ranges::all_of(device.kept, [&](const SeenField::Kept& kept) {
      return topic_level(samples[read.fields.sample_of(kept.record)].topic, level) == kept.value.text;
    });
    if (same && !device.kept.empty()) return level;
  }
  return std::nullopt;
}

// Behind a word such as "devices" stands one.
std::optional<size_t> level_behind_word(const Levels& levels) {
  for (size_t at = 0; at + 1 < levels.size(); ++at) {
    std::string word = levels[at];
    if (word.ends_with('s')) word.pop_back();
    if (device_name_weight(word) >= 2) return at + 1;
  }
  return std::nullopt;
}

}  // namespace

int device_name_weight(std::string_view name) {
  const std::string plain = column_name(name);
  static constexpr std::array kCertain = {"device",   "dev",     "device_id",  "deviceid",  "dev_id",
                                          "devid",    "dev_eui", "deveui",     "sensor_id", "sensorid",
                                          "meter_id", "station", "station_id", "node_id",   "device_name"};
  static constexpr std::array kLikely = {"sensor",        "meter",   "node",    "machine", "host", "serial",
                                         "serial_number", "mac",     "uuid",    "imei",    "eui",  "id",
                                         "asset",         "tracker", "taxi_id", "vehicle"};
  if (std::ranges::find(kCertain, plain) != kCertain.end()) return 3;
  if (std::ranges::find(kLikely, plain) != kLikely.end()) return 2;
  return plain.ends_with("_id") || plain == "name" || plain == "source" ? 1 : 0;
}

SeenTopics seen_topics(std::span<const Sample> samples, const ReadSamples& read, const SeenField* device) {
  SeenTopics out;
  std::vector<Levels> topics;
  for (const Sample& sample : samples) {
    if (!sample.topic.empty()) topics.push_back(split(sample.topic));
  }
  if (topics.empty()) return out;
  size_t common = topics.front().size();
  bool deeper = false;
  for (const Levels& topic : topics) {
    deeper = deeper || topic.size() != topics.front().size();
    common = std::min(common, topic.size());
  }
  Levels filter(topics.front().begin(), topics.front().begin() + static_cast<ptrdiff_t>(common));
  std::optional<size_t> most;
  size_t most_texts = 1;
  for (size_t level = 0; level < common; ++level) {
    std::set<std::string> texts;
    for (const Levels& topic : topics) texts.insert(topic[level]);
    const bool plain = filter[level].find_first_of("+#{}") == std::string::npos && can_be_written(filter[level]);
    if (texts.size() == 1 && plain) continue;
    filter[level] = "+";
    if (texts.size() > most_texts) {
      most = level;
      most_texts = texts.size();
    }
  }
  std::optional<size_t> captured;
  if (device != nullptr) {
    captured = level_of_device(samples, read, *device, common);
    out.why = "the topic names the same device";
  } else if (const auto behind = level_behind_word(topics.front()); behind && *behind < common) {
    captured = behind;
    out.why = fmt::format("the level of the topic behind '{}'", topics.front()[*behind - 1]);
  } else if (most) {
    captured = most;
    out.why = fmt::format("level {} of the topic, of which {} different ones were seen", *most + 1, most_texts);
    out.sure = false;
  }
  if (captured) filter[*captured] = "{device}";
  out.device = captured.has_value();
  if (deeper) filter.emplace_back("#");
  out.filter = join(filter);
  return out;
}

}  // namespace tidegate::codec
