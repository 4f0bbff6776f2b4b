// Quotas over the embedded store. docs/formats/registry.md has the documents.
#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "base/bytes.h"
#include "base/guarded.h"
#include "crypto/sealing.h"
#include "registry/internal/document.h"
#include "registry/internal/stored_keys.h"
#include "registry/quotas.h"

namespace tidegate::registry {
namespace {

std::string key_of(std::string_view subject) { return fmt::format("{}{}", kQuotaPrefix, subject); }

class StoredQuotas final : public Quotas {
 public:
  StoredQuotas(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock,
               const Registry& registry)
      : store_(store), key_(key), random_(random), clock_(clock), registry_(registry) {}

  Result<> load() {
    auto documents = documents_.lock();
    Result<> outcome;
    const auto load_one = [&](std::string_view key, std::string_view sealed) -> Result<> {
      TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, sealed));
      TRY_ASSIGN(Quota quota, decode_quota(key.substr(kQuotaPrefix.size()), bytes));
      std::string subject = quota.subject;
      documents->emplace(std::move(subject), std::make_shared<const Quota>(std::move(quota)));
      return {};
    };
    TRY(store_.scan(store::Family::kCatalog, kQuotaPrefix, end_of(kQuotaPrefix),
                    [&](std::string_view key, std::string_view value) {
                      outcome = load_one(key, value);
                      return outcome.has_value();
                    }));
    any_ = !documents->empty();
    return outcome;
  }

  [[nodiscard]] uint64_t version() const override {
    return version_.load(std::memory_order_acquire) + registry_.device_version();
  }
  [[nodiscard]] EffectiveQuota effective(std::string_view subject) const override;

  [[nodiscard]] std::vector<QuotaPtr> list() const override {
    std::vector<QuotaPtr> all;
    const auto documents = documents_.lock();
    all.reserve(documents->size());
    for (const auto& [subject, quota] : *documents) all.push_back(quota);
    return all;
  }
  [[nodiscard]] QuotaPtr find(std::string_view subject) const override {
    const auto documents = documents_.lock();
    const auto found = documents->find(subject);
    return found == documents->end() ? nullptr : found->second;
  }
  [[nodiscard]] Result<QuotaPtr> change(std::string_view subject, Registry::Expected revision,
                                        const Change& change) override;
  [[nodiscard]] Result<> remove(std::string_view subject, Registry::Expected revision) override;

  [[nodiscard]] std::shared_ptr<QuotaMeter> meter(std::string_view subject) override;
  [[nodiscard]] std::shared_ptr<QuotaMeter> find_meter(std::string_view subject) const override {
    const auto meters = meters_.lock();
    const auto found = meters->find(std::string(subject));
    return found == meters->end() ? nullptr : found->second;
  }

 private:
  using Documents = std::map<std::string, QuotaPtr, std::less<>>;
  using Meters = std::unordered_map<std::string, std::shared_ptr<QuotaMeter>>;

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  const Registry& registry_;
  std::atomic<uint64_t> version_{1};
  Guarded<bool> changing_;  // changes come one at a time; held over the durable write
  Guarded<Documents> documents_;
  Guarded<Meters> meters_;
};

// Most specific first.
EffectiveQuota StoredQuotas::effective(std::string_view subject) const {
  std::vector<std::string> subjects{std::string(subject)};
  constexpr std::string_view kDevice = "device:";
  if (subject.starts_with(kDevice)) {
    const DevicePtr device = registry_.find_device(subject.substr(kDevice.size()));
    if (device != nullptr && !device->type.empty()) subjects.push_back("type:" + device->type);
    std::string_view place = device == nullptr ? std::string_view() : device->place;
    for (; !place.empty(); place = place_parent(place)) subjects.push_back(fmt::format("site:{}", place));
    subjects.emplace_back("default");
  }
  EffectiveQuota effective{};
  const auto documents = documents_.lock();
  for (const std::string& one : subjects) {
    const auto found = documents->find(one);
    if (found == documents->end()) continue;
    for (size_t at = 0; at < kQuotaLimits; ++at) {
      const auto& limit = found->second->limits[at];
      if (limit && !effective[at]) effective[at] = EffectiveLimit{*limit, one};
    }
  }
  return effective;
}

Result<QuotaPtr> StoredQuotas::change(std::string_view subject, Registry::Expected revision, const Change& change) {
  TRY(parse_quota_subject(subject));
  const auto one_at_a_time = changing_.lock();
  const QuotaPtr present = find(subject);
  if (present == nullptr && documents_.lock()->size() >= kMaxQuotas) {
    return fail(ErrorCode::LimitReached, fmt::format("there are {} quotas already", kMaxQuotas),
                "set quotas of types and sites instead of single devices");
  }
  TRY(check_revision("quota", present == nullptr ? 0 : present->revision, revision));
  Quota changed = present == nullptr ? Quota{std::string(subject), {}, clock_.now_us(), 0, 0} : *present;
  TRY(change(changed.limits));
  TRY(check_quota(changed));
  changed.changed_us = clock_.now_us();
  ++changed.revision;
  const std::string key = key_of(subject);
  store::WriteBatch batch;
  batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, encode(changed)));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto made = std::make_shared<const Quota>(std::move(changed));
  (*documents_.lock())[made->subject] = made;
  any_ = true;
  ++version_;
  return made;
}

Result<> StoredQuotas::remove(std::string_view subject, Registry::Expected revision) {
  const auto one_at_a_time = changing_.lock();
  const QuotaPtr present = find(subject);
  if (present == nullptr) {
    return fail(ErrorCode::NotFound, fmt::format("'{}' has no quota of its own", subject),
                "`tidegate quota list` shows what there is");
  }
  TRY(check_revision("quota", present->revision, revision));
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, key_of(subject));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto documents = documents_.lock();
  documents->erase(present->subject);
  any_ = !documents->empty();
  ++version_;
  return {};
}

std::shared_ptr<QuotaMeter> StoredQuotas::meter(std::string_view subject) {
  auto meters = meters_.lock();
  std::string key(subject);
  if (const auto found = meters->find(key); found != meters->end()) return found->second;
  // Sweeping looks at all of them, so not for each new one.
  if (meters->size() >= kMaxIdleMeters && meters->size() % 1024 == 0) {
    std::erase_if(*meters, [](const auto& entry) { return entry.second.use_count() == 1 && entry.second->is_idle(); });
  }
  auto made = std::make_shared<QuotaMeter>(*this, clock_, key);
  meters->emplace(std::move(key), made);
  return made;
}

}  // namespace

Result<std::unique_ptr<Quotas>> Quotas::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                             const io::Clock& clock, const Registry& registry) {
  TRY_ASSIGN(const crypto::Key key, keys.data_key("registry"));
  auto quotas = std::make_unique<StoredQuotas>(store, key, random, clock, registry);
  TRY(quotas->load());
  return quotas;
}

}  // namespace tidegate::registry
