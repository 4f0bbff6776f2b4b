// Names of accounts and where their documents stand.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::security {

inline constexpr std::string_view kDevicePrefix = "security/device/";
inline constexpr std::string_view kGatewayPrefix = "security/gateway/";
inline constexpr size_t kMaxNameBytes = 256;  // of devices, users, tokens

[[nodiscard]] inline std::string key_of(std::string_view prefix, std::string_view name) {
  return std::string(prefix).append(name);
}

// Names appear in topics, keys and tables: printable, without the characters that mean something there. BadRequest.
[[nodiscard]] Result<> check_name(std::string_view name);

}  // namespace tidegate::security
