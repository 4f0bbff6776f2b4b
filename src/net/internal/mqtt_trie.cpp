#include "net/internal/mqtt_trie.h"

#include <algorithm>

namespace tidegate::net {
namespace {

struct Split {
  std::string_view level;
  std::string_view rest;
  bool last = false;
};

Split split(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}, true};
  return {text.substr(0, slash), text.substr(slash + 1), false};
}

}  // namespace

void MqttTrie::add(std::string_view filter, MqttTrieEntry entry) {
  Node* node = &root_;
  for (bool last = false; !last;) {
    const Split part = split(filter);
    auto found = node->children.find(part.level);
    if (found == node->children.end()) {
      found = node->children.emplace(std::string(part.level), std::make_unique<Node>()).first;
    }
    node = found->second.get();
    filter = part.rest;
    last = part.last;
  }
  for (auto& existing : node->entries) {
    if (existing.session == entry.session && existing.group == entry.group) {
      existing = std::move(entry);
      return;
    }
  }
  node->entries.push_back(std::move(entry));
  ++size_;
}

void MqttTrie::remove(std::string_view filter, std::string_view group, const MqttSession* session) {
  remove_below(root_, filter, false, group, session);
}

// True if the node is empty afterwards.
bool MqttTrie::remove_below(Node& node, std::string_view rest, bool at_end, std::string_view group,
                            const MqttSession* session) {
  if (at_end) {
    size_ -= std::erase_if(node.entries, [&](const MqttTrieEntry& entry) {
      return entry.session.get() == session && entry.group == group;
    });
  } else {
    const Split part = split(rest);
    const auto found = node.children.find(part.level);
    if (found == node.children.end()) return false;
    if (remove_below(*found->second, part.rest, part.last, group, session)) node.children.erase(found);
  }
  return node.entries.empty() && node.children.empty();
}

void MqttTrie::match(std::string_view topic, const std::function<void(const MqttTrieEntry&)>& visit) const {
  match_below(root_, topic, false, true, visit);
}

void MqttTrie::match_below(const Node& node, std::string_view rest, bool at_end, bool first,
                           const std::function<void(const MqttTrieEntry&)>& visit) {
  const bool wildcards = !(first && rest.starts_with('$'));
  if (wildcards) {
    if (const auto hash = node.children.find("#"); hash != node.children.end()) {
      std::ranges::for_each(hash->second->entries, visit);
    }
  }
  if (at_end) {
    std::ranges::for_each(node.entries, visit);
    return;
  }
  const Split part = split(rest);
  if (const auto exact = node.children.find(part.level); exact != node.children.end()) {
    match_below(*exact->second, part.rest, part.last, false, visit);
  }
  if (!wildcards) return;
  if (const auto plus = node.children.find("+"); plus != node.children.end()) {
    match_below(*plus->second, part.rest, part.last, false, visit);
  }
}

}  // namespace tidegate::net
