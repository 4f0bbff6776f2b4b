// KeyRing: root key -> key-encryption key -> data keys, in a folder of their own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "crypto/sealing.h"

namespace tidegate::crypto {

// File formats in docs/formats/keys.md. Any thread.
class KeyRing {
 public:
  virtual ~KeyRing() = default;
  // Opens `folder`, or makes root key and ring at the first start (mode 0600). KeyUnavailable when the root key
  // does not open the ring or a file is missing while the other exists.
  [[nodiscard]] static Result<std::unique_ptr<KeyRing>> open(const std::filesystem::path& folder, io::Random& random);
  // The data key of that name ("catalog", "stream/7", "pipeline/3"), made and stored durably at first use.
  [[nodiscard]] virtual Result<Key> data_key(std::string_view name) = 0;
};

}  // namespace tidegate::crypto
