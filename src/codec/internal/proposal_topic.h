// What the topics of sample messages say: the filter that takes them all, and which level is the device.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/internal/sample_reader.h"

namespace tidegate::codec {

struct SeenTopics {
  std::string filter;   // for 'mqtt.topic'; empty: the messages came by no topic
  bool device = false;  // a level of it is {device}
  std::string why;      // of the device
  bool sure = true;
};

// `device` is the field that names the device in the payload, if there is one.
[[nodiscard]] SeenTopics seen_topics(std::span<const Sample> samples, const ReadSamples& read, const SeenField* device);

// How much the name speaks for the device: 0 nothing, more is more.
[[nodiscard]] int device_name_weight(std::string_view name);

}  // namespace tidegate::codec
