// Which MQTT topics a principal may use. Denied unless a rule allows it:
//   people and services   everything
//   a device publishes    anywhere but below devices/ of another (ingest checks that its records are its own)
//   a device subscribes   below devices/<its name>/
//   a gateway             the same, with the devices that it speaks for; it may subscribe below devices/+/ and hears
//   theirs
#pragma once

#include <string_view>

#include "security/principal.h"

namespace tidegate::security {

[[nodiscard]] bool may_publish(const Principal& principal, std::string_view topic);
// `filter` may have wildcards: all that it can match must be allowed. A plain topic is a filter, too.
[[nodiscard]] bool may_subscribe(const Principal& principal, std::string_view filter);

}  // namespace tidegate::security
