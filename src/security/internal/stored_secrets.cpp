#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/guarded.h"
#include "crypto/sealing.h"
#include "security/secrets.h"

namespace tidegate::security {
namespace {

// docs/formats/security.md.
constexpr std::string_view kPrefix = "secret/";
constexpr std::string_view kEnd = "secret0";  // the byte after '/'
constexpr uint8_t kVersion = 1;

struct Stored {
  int64_t changed_us = 0;
  std::string value;
};

Result<Stored> decode(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<uint8_t>();
  Stored stored;
  stored.changed_us = in.fixed<int64_t>();
  stored.value = in.text();
  if (version != kVersion || !in.finished()) return fail(ErrorCode::FormatUnknown, "a secret has an unknown format");
  return stored;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= Secrets::kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

class StoredSecrets final : public Secrets {
 public:
  StoredSecrets(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock) {}

  Result<> set(std::string_view name, std::string_view value) override {
    if (!is_name(name)) {
      return fail(ErrorCode::BadRequest, "a secret's name has 1 to 64 letters, digits, '-', '_' or '.'");
    }
    const bool control = std::ranges::any_of(value, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; });
    if (value.empty() || value.size() > kMaxValueBytes || control) {
      return fail(ErrorCode::BadRequest, fmt::format("a secret is a line of 1 to {} bytes", kMaxValueBytes));
    }
    const auto one_at_a_time = changing_.lock();
    TRY_ASSIGN(const auto present, list());
    const bool is_new = std::ranges::none_of(present, [&](const SecretRecord& one) { return one.name == name; });
    if (is_new && present.size() >= kMaxSecrets) {
      return fail(ErrorCode::LimitReached, fmt::format("there are {} secrets already", kMaxSecrets));
    }
    std::string bytes;
    ByteWriter out(bytes);
    out.fixed(kVersion);
    out.fixed(clock_.now_us());
    out.text(value);
    const std::string key = key_of(name);
    store::WriteBatch batch;
    batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, bytes));
    return store_.write(std::move(batch), store::Durability::kSynced);
  }

  Result<> remove(std::string_view name) override {
    const auto one_at_a_time = changing_.lock();
    TRY(read(name));
    store::WriteBatch batch;
    batch.erase(store::Family::kCatalog, key_of(name));
    return store_.write(std::move(batch), store::Durability::kSynced);
  }

  Result<std::vector<SecretRecord>> list() override {
    std::vector<SecretRecord> out;
    Result<> outcome;
    TRY(store_.scan(store::Family::kCatalog, kPrefix, kEnd, [&](std::string_view key, std::string_view sealed) {
      auto bytes = crypto::open_seal(key_, key, sealed);
      auto stored = bytes ? decode(*bytes) : Result<Stored>(std::unexpected(std::move(bytes.error())));
      if (!stored) {
        outcome = fail(std::move(stored.error()));
        return false;
      }
      out.push_back({std::string(key.substr(kPrefix.size())), stored->changed_us});
      return true;
    }));
    if (!outcome) return fail(std::move(outcome.error()));
    return out;
  }

  Result<std::string> value(std::string_view name) override {
    TRY_ASSIGN(Stored stored, read(name));
    return std::move(stored.value);
  }

 private:
  static std::string key_of(std::string_view name) { return fmt::format("{}{}", kPrefix, name); }

  Result<Stored> read(std::string_view name) {
    const std::string key = key_of(name);
    TRY_ASSIGN(const auto sealed, store_.get(store::Family::kCatalog, key));
    if (!sealed) {
      return fail(ErrorCode::NotFound, fmt::format("there is no secret '{}'", name),
                  fmt::format("set it: tidegate secret set {}", name));
    }
    TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, *sealed));
    return decode(bytes);
  }

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  Guarded<bool> changing_;  // its lock orders the changes
};

}  // namespace

Result<std::unique_ptr<Secrets>> Secrets::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                               const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("secrets"));
  return std::make_unique<StoredSecrets>(store, std::move(key), random, clock);
}

}  // namespace tidegate::security
