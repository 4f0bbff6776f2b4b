#include "codec/internal/sparkplug_nodes.h"

#include <fmt/format.h>

namespace tidegate::codec {

namespace {

std::string node_key(const SparkplugTopic& topic) { return fmt::format("{}/{}", topic.group, topic.node); }
std::string metric_key(const SparkplugTopic& topic, std::string_view name) {
  return fmt::format("{}/{}", topic.device, name);
}

}  // namespace

void SparkplugNodes::forget(Nodes& nodes, const std::string& key) {
  const auto found = nodes.nodes.find(key);
  if (found == nodes.nodes.end()) return;
  nodes.known -= found->second.by_alias.size() + found->second.types.size();
  nodes.nodes.erase(found);
}

bool SparkplugNodes::born(const SparkplugTopic& topic, const SparkplugPayload& payload) {
  const std::string key = node_key(topic);
  auto nodes = nodes_.lock();
  if (topic.type == SparkplugType::kNodeBirth) forget(*nodes, key);
  Node& node = nodes->nodes[key];
  for (const SparkplugMetric& metric : payload.metrics) {
    if (!metric.name || metric.name->size() > kMaxNameBytes) continue;
    if (nodes->known + 2 > kMaxKnown) return false;
    nodes->known += node.types.insert_or_assign(metric_key(topic, *metric.name), metric.data_type).second ? 1 : 0;
    if (!metric.alias) continue;
    const Known known{std::string(*metric.name), metric.data_type};
    nodes->known += node.by_alias.insert_or_assign(*metric.alias, known).second ? 1 : 0;
  }
  return true;
}

void SparkplugNodes::died(const SparkplugTopic& topic) {
  if (topic.type == SparkplugType::kNodeDeath) forget(*nodes_.lock(), node_key(topic));
}

void SparkplugNodes::look_up(const SparkplugTopic& topic, const SparkplugPayload& payload,
                             std::vector<std::optional<Known>>& found) const {
  found.clear();
  const auto nodes = nodes_.lock();
  const auto node = nodes->nodes.find(node_key(topic));
  for (const SparkplugMetric& metric : payload.metrics) {
    std::optional<Known>& known = found.emplace_back();
    if (metric.name) known = Known{std::string(*metric.name), metric.data_type};
    if (node == nodes->nodes.end()) continue;
    if (!metric.name && metric.alias) {
      const auto told = node->second.by_alias.find(*metric.alias);
      if (told != node->second.by_alias.end()) known = told->second;
    } else if (metric.name && metric.data_type == 0) {
      const auto told = node->second.types.find(metric_key(topic, *metric.name));
      if (told != node->second.types.end()) known->data_type = told->second;
    }
    if (known && metric.data_type != 0) known->data_type = metric.data_type;
  }
}

}  // namespace tidegate::codec
