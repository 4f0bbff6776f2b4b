// Twins over the embedded store. docs/formats/registry.md has the documents.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>

#include "base/bytes.h"
#include "base/guarded.h"
#include "crypto/sealing.h"
#include "registry/internal/stored_keys.h"
#include "registry/merge_patch.h"
#include "registry/twins.h"

namespace tidegate::registry {
namespace {

namespace json = boost::json;

constexpr uint8_t kVersion = 1;

std::string key_of(std::string_view device) { return fmt::format("{}{}", kTwinPrefix, device); }

void write(ByteWriter& out, const TwinDocument& document) {
  out.fixed(document.revision);
  out.fixed(document.changed_us);
  out.text(document.json);
}

TwinDocument read(ByteReader& in) {
  TwinDocument document;
  document.revision = in.fixed<uint64_t>();
  document.changed_us = in.fixed<int64_t>();
  document.json = in.text();
  return document;
}

std::string encode(const Twin& twin) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  write(out, twin.desired);
  write(out, twin.reported);
  return bytes;
}

Result<Twin> decode(std::string_view device, std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.fixed<uint8_t>();
  Twin twin{read(in), read(in)};
  if (version == kVersion && in.finished()) return twin;
  return fail(ErrorCode::FormatUnknown, fmt::format("the stored twin of '{}' has an unknown format", device),
              "it was written by a newer version; start that version, or restore a backup");
}

// Of `from`, only what `wanted` speaks of.
json::object common_part(const json::object& from, const json::object& wanted) {
  json::object out;
  for (const auto& [name, value] : wanted) {
    const json::value* present = from.if_contains(name);
    if (present == nullptr) continue;
    if (present->is_object() && value.is_object()) {
      out[name] = common_part(present->get_object(), value.get_object());
    } else {
      out[name] = *present;
    }
  }
  return out;
}

Result<> patch(TwinDocument& document, std::string_view text, int64_t now_us) {
  TRY_ASSIGN(const json::object change, parse_document(text, kMaxTwinBytes));
  TRY_ASSIGN(json::object whole, parse_document(document.json, kMaxTwinBytes));
  apply_merge_patch(whole, change);
  std::string changed = json::serialize(whole);
  if (changed.size() > kMaxTwinBytes) {
    return fail(ErrorCode::RecordTooLarge,
                fmt::format("the document would have {} bytes, {} are allowed", changed.size(), kMaxTwinBytes),
                "a twin is for settings and state; send data as records");
  }
  document.json = std::move(changed);
  document.revision += 1;
  document.changed_us = now_us;
  return {};
}

class StoredTwins final : public Twins {
 public:
  StoredTwins(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock) {}

  [[nodiscard]] Result<Twin> find(std::string_view device) override {
    const std::string key = key_of(device);
    TRY_ASSIGN(const auto sealed, store_.get(store::Family::kCatalog, key));
    if (!sealed) return Twin{};
    TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, *sealed));
    return decode(device, bytes);
  }

  [[nodiscard]] Result<Twin> change_desired(std::string_view device, std::string_view text,
                                            Registry::Expected revision) override {
    const auto one_at_a_time = changing_.lock();
    TRY_ASSIGN(Twin twin, find(device));
    TRY(check_revision("desired document", twin.desired.revision, revision));
    TRY(patch(twin.desired, text, clock_.now_us()));
    store::WriteBatch batch;
    put(batch, device, twin);
    TRY(store_.write(std::move(batch), store::Durability::kSynced));
    return twin;
  }

  [[nodiscard]] std::vector<Result<Twin>> report(std::span<const Report> reports) override {
    const auto one_at_a_time = changing_.lock();
    std::map<std::string_view, Twin> changed;
    std::vector<Result<Twin>> out;
    for (const Report& report : reports) out.push_back(report_one(report, changed));
    store::WriteBatch batch;
    for (const auto& [device, twin] : changed) put(batch, device, twin);
    if (batch.empty()) return out;
    if (auto written = store_.write(std::move(batch), store::Durability::kSynced); !written) {
      for (Result<Twin>& one : out) {
        if (one) one = fail(written.error());
      }
    }
    return out;
  }

  [[nodiscard]] Result<> remove(std::string_view device) override {
    const auto one_at_a_time = changing_.lock();
    store::WriteBatch batch;
    batch.erase(store::Family::kCatalog, key_of(device));
    return store_.write(std::move(batch), store::Durability::kSynced);
  }

 private:
  // A device may report twice in one group: the second goes on from the first.
  Result<Twin> report_one(const Report& report, std::map<std::string_view, Twin>& changed) {
    Twin twin;
    if (const auto found = changed.find(report.device); found != changed.end()) {
      twin = found->second;
    } else {
      TRY_ASSIGN(twin, find(report.device));
    }
    TRY(patch(twin.reported, report.patch, clock_.now_us()));
    changed[report.device] = twin;
    return twin;
  }

  void put(store::WriteBatch& batch, std::string_view device, const Twin& twin) {
    const std::string key = key_of(device);
    batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, encode(twin)));
  }

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  Guarded<bool> changing_;  // held over the durable write
};

}  // namespace

std::string Twin::delta() const {
  const auto wanted = parse_document(desired.json, kMaxTwinBytes);
  const auto present = parse_document(reported.json, kMaxTwinBytes);
  if (!wanted || !present) return "{}";
  return json::serialize(merge_patch_between(common_part(*present, *wanted), *wanted));
}

Result<std::unique_ptr<Twins>> Twins::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                           const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("registry"));
  return std::make_unique<StoredTwins>(store, std::move(key), random, clock);
}

}  // namespace tidegate::registry
