// Secrets: what Tidegate must show to servers outside (a webhook's signing key, a mail account's password), by name.
// Definitions name a secret and never hold it. It goes in and is used, and is never shown again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "store/store.h"

namespace tidegate::security {

struct SecretRecord {
  std::string name;
  int64_t changed_us = 0;
};

// Sealed in the store; opened for each use and not kept in memory. Any thread.
class Secrets {
 public:
  static constexpr size_t kMaxNameBytes = 64;
  static constexpr size_t kMaxValueBytes = 4096;  // a token of an identity provider fits
  static constexpr size_t kMaxSecrets = 1000;     // far more than a site has receivers

  [[nodiscard]] static Result<std::unique_ptr<Secrets>> open(store::Store& store, crypto::KeyRing& keys,
                                                             io::Random& random, const io::Clock& clock);
  virtual ~Secrets() = default;

  // Durable on return; replaces one of that name. BadRequest: the name has other characters than letters, digits and
  // "-_.", or the value is empty, too long or holds control characters. LimitReached.
  [[nodiscard]] virtual Result<> set(std::string_view name, std::string_view value) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view name) = 0;  // NotFound
  [[nodiscard]] virtual Result<std::vector<SecretRecord>> list() = 0;
  // NotFound; SealBroken when it was changed or moved in the store.
  [[nodiscard]] virtual Result<std::string> value(std::string_view name) = 0;
};

}  // namespace tidegate::security
