#include "ingest/internal/gateway_allowance.h"

namespace tidegate::ingest {

void GatewayAllowance::set(const security::Principal& gateway) {
  const uint64_t version = gateway.scope->version();
  if (gateway.scope == scope_ && version == version_) return;
  name_ = gateway.name;
  scope_ = gateway.scope;
  version_ = version;
  answers_.clear();
}

bool GatewayAllowance::takes(StringCode device) const {
  if (device.value >= answers_.size()) answers_.resize(device.value + 1, Answer::kUnknown);
  Answer& answer = answers_[device.value];
  if (answer == Answer::kUnknown) answer = scope_->takes(devices_.view(device)) ? Answer::kYes : Answer::kNo;
  return answer == Answer::kYes;
}

}  // namespace tidegate::ingest
