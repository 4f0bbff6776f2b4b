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

}  // namespace

bool may_publish(const Principal& principal, std::string_view topic) {
  if (principal.kind != PrincipalKind::kDevice) return true;
  if (topic.starts_with('$')) return false;
  return !topic.starts_with(kDevices) || is_below_own(topic, principal.name);
}

bool may_subscribe(const Principal& principal, std::string_view filter) {
  if (principal.kind != PrincipalKind::kDevice) return true;
  constexpr std::string_view kShare = "$share/";
  if (filter.starts_with(kShare)) {
    const size_t end_of_group = filter.find('/', kShare.size());
    if (end_of_group == std::string_view::npos) return false;
    filter.remove_prefix(end_of_group + 1);
  }
  return is_below_own(filter, principal.name);
}

}  // namespace tidegate::security
