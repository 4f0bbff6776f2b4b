#include "security/topic_rules.h"

namespace tidegate::security {
namespace {

constexpr std::string_view kDevices = "devices/";

// The topic is devices/<name> or below it. A wildcard in place of the name is not the name.
bool is_below_own(std::string_view topic, std::string_view name) {
  if (!topic.starts_with(kDevices)) return false;
  topic.remove_prefix(kDevices.size());
  if (name.empty() || !topic.starts_with(name)) return false;
  topic.remove_prefix(name.size());
  return topic.empty() || topic.starts_with('/');
}

// The topic is below devices/<name>/ of a device that the gateway speaks for, or below all: what goes out is asked
// about topic by topic (PolicyGate::check_message).
bool is_below_scope(std::string_view topic, const DeviceScope& scope) {
  if (!topic.starts_with(kDevices)) return false;
  topic.remove_prefix(kDevices.size());
  const std::string_view name = topic.substr(0, topic.find('/'));
  return name == "+" || name == "#" || scope.takes(name);
}

}  // namespace

bool may_publish(const Principal& principal, std::string_view topic) {
  if (!is_machine(principal)) return true;
  if (topic.starts_with('$')) return false;
  if (!topic.starts_with(kDevices)) return true;
  return principal.scope ? is_below_scope(topic, *principal.scope) : is_below_own(topic, principal.name);
}

bool may_subscribe(const Principal& principal, std::string_view filter) {
  if (!is_machine(principal)) return true;
  constexpr std::string_view kShare = "$share/";
  if (filter.starts_with(kShare)) {
    const size_t end_of_group = filter.find('/', kShare.size());
    if (end_of_group == std::string_view::npos) return false;
    filter.remove_prefix(end_of_group + 1);
  }
  return principal.scope ? is_below_scope(filter, *principal.scope) : is_below_own(filter, principal.name);
}

}  // namespace tidegate::security
