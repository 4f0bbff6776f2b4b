// The devices that a gateway may send for, with the answers remembered by the devices' numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/record_decoder.h"
#include "columnar/string_pool.h"
#include "security/principal.h"

namespace tidegate::ingest {

// One lane's; messages of one connection come together, so that the answers of the last gateway are enough.
class GatewayAllowance final : public codec::DeviceAllowance {
 public:
  explicit GatewayAllowance(const columnar::StringPool& devices) : devices_(devices) {}

  // From here on it answers for this gateway.
  void set(const security::Principal& gateway);
  [[nodiscard]] bool takes(StringCode device) const override;
  [[nodiscard]] std::string_view sender() const override { return name_; }

 private:
  enum class Answer : uint8_t { kUnknown, kYes, kNo };

  const columnar::StringPool& devices_;
  std::string name_;
  std::shared_ptr<const security::DeviceScope> scope_;  // shared with the gateway's principal
  uint64_t version_ = 0;
  mutable std::vector<Answer> answers_;  // by the device's number
};

}  // namespace tidegate::ingest
