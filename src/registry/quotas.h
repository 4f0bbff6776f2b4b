// Quotas: durable, sealed documents with revisions, what they mean for each device, and the meters that hold it to
// that.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "registry/quota.h"
#include "registry/quota_meter.h"
#include "registry/registry.h"
#include "store/store.h"

namespace tidegate::registry {

inline constexpr size_t kMaxQuotas = 100'000;  // each 200 bytes of memory; sites and types carry the rest
// Meters of senders that are not connected are kept, so that nobody gets a full bucket by connecting again; above so
// many, those that have been silent for a minute go.
inline constexpr size_t kMaxIdleMeters = 100'000;

// Look-ups are from memory; changes are durable on return and reach open connections at once. Any thread.
class Quotas : public QuotaRules {
 public:
  // SealBroken or FormatUnknown when a stored document cannot be read. The arguments must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Quotas>> open(store::Store& store, crypto::KeyRing& keys,
                                                            io::Random& random, const io::Clock& clock,
                                                            const Registry& registry);

  [[nodiscard]] virtual std::vector<QuotaPtr> list() const = 0;  // in the order of their subjects
  [[nodiscard]] virtual QuotaPtr find(std::string_view subject) const = 0;
  // `change` gets a copy of the limits, or none set, and its error is passed on. BadRequest, PreconditionFailed (a
  // quota that is not there has no revision), LimitReached.
  using Change = std::function<Result<>(QuotaLimits&)>;
  [[nodiscard]] virtual Result<QuotaPtr> change(std::string_view subject, Registry::Expected revision,
                                                const Change& change) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view subject, Registry::Expected revision) = 0;

  // The one meter of "device:NAME" or "gateway:NAME". Shared by the connections of the sender and the store of meters.
  [[nodiscard]] virtual std::shared_ptr<QuotaMeter> meter(std::string_view subject) = 0;
  // Null if there is none, as of a device that has never been heard.
  [[nodiscard]] virtual std::shared_ptr<QuotaMeter> find_meter(std::string_view subject) const = 0;
};

}  // namespace tidegate::registry
