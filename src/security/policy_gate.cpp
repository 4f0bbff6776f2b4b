#include "security/policy_gate.h"

#include <fmt/format.h>

#include "security/topic_rules.h"

namespace tidegate::security {

Result<> PolicyGate::may_read(const Principal& reader, StreamId) const {
  if (!is_machine(reader)) return {};
  return fail(ErrorCode::NotAuthorized, fmt::format("'{}' may not read streams", audit_name(reader)),
              "devices send records and hear the topics below devices/<name>/; people and services read streams");
}

Result<PolicyChecked<columnar::Batch>> PolicyGate::check(const Principal& reader, StreamId stream,
                                                         columnar::Batch batch) const {
  TRY(may_read(reader, stream));
  return PolicyChecked<columnar::Batch>(std::move(batch));
}

Result<PolicyChecked<OutgoingMessage>> PolicyGate::check_message(const Principal& reader,
                                                                 OutgoingMessage message) const {
  if (!may_subscribe(reader, message.topic)) {
    return fail(ErrorCode::NotAuthorized, fmt::format("'{}' may not hear '{}'", reader.name, message.topic));
  }
  return PolicyChecked<OutgoingMessage>(message);
}

PolicyChecked<columnar::Batch> PolicyGate::internal(columnar::Batch batch) const {
  return PolicyChecked<columnar::Batch>(std::move(batch));
}

}  // namespace tidegate::security
