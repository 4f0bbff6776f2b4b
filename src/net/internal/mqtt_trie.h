// Who subscribed to what: a tree of topic levels. Not locked by itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/internal/mqtt_session.h"

namespace tidegate::net {

struct MqttTrieEntry {
  std::shared_ptr<MqttSession> session;  // shared with the registry and with cached routes
  std::string group;                     // of a shared subscription; empty: an ordinary one
  MqttStoredSubscription subscription;
};

class MqttTrie {
 public:
  // Replaces what the session had under the same filter and group.
  void add(std::string_view filter, MqttTrieEntry entry);
  void remove(std::string_view filter, std::string_view group, const MqttSession* session);
  void match(std::string_view topic, const std::function<void(const MqttTrieEntry&)>& visit) const;
  [[nodiscard]] size_t size() const { return size_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    std::vector<MqttTrieEntry> entries;
  };
  bool remove_below(Node& node, std::string_view rest, bool at_end, std::string_view group, const MqttSession* session);
  static void match_below(const Node& node, std::string_view rest, bool at_end, bool first,
                          const std::function<void(const MqttTrieEntry&)>& visit);

  Node root_;
  size_t size_ = 0;
};

}  // namespace tidegate::net
