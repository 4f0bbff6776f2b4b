// PolicyGate: the only maker of PolicyChecked<T>. Row filters and masks will bind here; today it decides by the kind of
// reader and what the records are about.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "columnar/batch.h"
#include "security/policy_checked.h"
#include "security/principal.h"

namespace tidegate::security {

// A message on its way to an MQTT subscriber.
struct OutgoingMessage {
  std::string_view topic;
};

// Stateless; any thread.
class PolicyGate {
 public:
  // People and services may read every stream; a device may read none (it hears its own topics over MQTT).
  // NotAuthorized.
  [[nodiscard]] Result<> may_read(const Principal& reader, StreamId stream) const;
  [[nodiscard]] Result<PolicyChecked<columnar::Batch>> check(const Principal& reader, StreamId stream,
                                                             columnar::Batch batch) const;
  // For what leaves as text already encoded from a checked batch's rows.
  [[nodiscard]] Result<PolicyChecked<OutgoingMessage>> check_message(const Principal& reader,
                                                                     OutgoingMessage message) const;
  // For sinks: they run as the administrator who made them, until pipelines have an owner of their own.
  [[nodiscard]] PolicyChecked<columnar::Batch> internal(columnar::Batch batch) const;
};

}  // namespace tidegate::security
