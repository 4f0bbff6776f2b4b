// The registry's documents as bytes (docs/formats/registry.md).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "registry/device.h"
#include "registry/quota.h"

namespace tidegate::registry {

// Without the name, which is in the key.
[[nodiscard]] std::string encode(const Device& device);
[[nodiscard]] std::string encode(const Place& place);
[[nodiscard]] std::string encode(const Quota& quota);

// FormatUnknown when the bytes are of another version or not such a document.
[[nodiscard]] Result<Device> decode_device(std::string_view name, std::string_view bytes);
[[nodiscard]] Result<Place> decode_place(std::string_view path, std::string_view bytes);
[[nodiscard]] Result<Quota> decode_quota(std::string_view subject, std::string_view bytes);

}  // namespace tidegate::registry
