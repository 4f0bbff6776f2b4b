// SparkplugNodes: what the metrics of each edge node are called, as its births said. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/guarded.h"
#include "codec/internal/sparkplug_payload.h"

namespace tidegate::codec {

class SparkplugNodes {
 public:
  // Of all nodes together: a site of 10,000 devices with a hundred metrics each, some 100 MB of names.
  static constexpr size_t kMaxKnown = 1'000'000;
  static constexpr size_t kMaxNameBytes = 1024;

  struct Known {
    std::string name;
    uint32_t data_type = 0;
  };

  // A node's birth forgets all that was known of it and its devices. False when some did not fit kMaxKnown.
  bool born(const SparkplugTopic& topic, const SparkplugPayload& payload);
  // A node's death forgets it.
  void died(const SparkplugTopic& topic);
  // The names and types of the payload's metrics, in their order; nothing for what no birth has told.
  void look_up(const SparkplugTopic& topic, const SparkplugPayload& payload,
               std::vector<std::optional<Known>>& found) const;

 private:
  struct Node {
    std::unordered_map<uint64_t, Known> by_alias;
    std::unordered_map<std::string, uint32_t> types;  // by device and name
  };
  struct Nodes {
    std::map<std::string, Node> nodes;  // by group and name
    size_t known = 0;
  };

  static void forget(Nodes& nodes, const std::string& key);

  Guarded<Nodes> nodes_;
};

}  // namespace tidegate::codec
