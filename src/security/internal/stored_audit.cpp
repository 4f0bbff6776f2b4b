#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/bytes.h"
#include "base/guarded.h"
#include "base/logging.h"
#include "crypto/passwords.h"
#include "crypto/sealing.h"
#include "security/audit.h"

namespace tidegate::security {
namespace {

constexpr std::string_view kPrefix = "audit/";
constexpr std::string_view kEnd = "audit0";

std::string key_of(uint64_t number) { return fmt::format("audit/{:016x}", number); }

// SHA-256 of the previous event's sealed bytes, then the event (docs/formats/security.md).
std::string encode(const AuditEvent& event, std::string_view previous_hash) {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(previous_hash);
  out.fixed(event.time_us);
  out.text(event.who);
  out.text(event.what);
  out.text(event.target);
  out.fixed(static_cast<uint8_t>(event.allowed));
  out.text(event.detail);
  return bytes;
}

struct Decoded {
  AuditEvent event;
  std::string previous_hash;
};

Result<Decoded> decode(std::string_view bytes) {
  ByteReader in(bytes);
  Decoded decoded;
  decoded.previous_hash = in.text();
  decoded.event.time_us = in.fixed<int64_t>();
  decoded.event.who = in.text();
  decoded.event.what = in.text();
  decoded.event.target = in.text();
  decoded.event.allowed = in.fixed<uint8_t>() != 0;
  decoded.event.detail = in.text();
  if (!in.finished()) return fail(ErrorCode::FormatUnknown, "an audit event has an unknown format");
  return decoded;
}

void cut(std::string& text) {
  if (text.size() > Audit::kMaxTextBytes) text.resize(Audit::kMaxTextBytes);
}

struct End {
  uint64_t next = 1;
  std::string last_hash;
  int64_t minute_us = 0;  // monotonic; when counting denials began
  uint32_t denials = 0;
  uint64_t suppressed = 0;
};

class StoredAudit final : public Audit {
 public:
  StoredAudit(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock) {}

  Result<> load() {
    auto end = end_.lock();
    return store_.scan_back(store::Family::kCatalog, kPrefix, kEnd, [&](std::string_view key, std::string_view sealed) {
      std::from_chars(key.data() + kPrefix.size(), key.data() + key.size(), end->next, 16);
      ++end->next;
      end->last_hash = crypto::sha256(sealed);
      return false;
    });
  }

  void record(AuditEvent event) override {
    auto end = end_.lock();
    if (clock_.monotonic_us() - end->minute_us >= 60 * kMicrosPerSecond) start_minute(*end);
    if (!event.allowed && ++end->denials > kMaxDenialsPerMinute) {
      ++end->suppressed;
      return;
    }
    append(*end, std::move(event));
  }

  Result<std::vector<AuditEvent>> newest(size_t count) override {
    std::vector<AuditEvent> events;
    Result<> outcome;
    const auto visit = [&](std::string_view key, std::string_view sealed) {
      auto opened = crypto::open_seal(key_, key, sealed);
      auto decoded = opened ? decode(*opened) : std::unexpected(std::move(opened.error()));
      if (!decoded) {
        outcome = std::unexpected(std::move(decoded.error()));
        return false;
      }
      events.push_back(std::move(decoded->event));
      return events.size() < count;
    };
    if (count > 0) TRY(store_.scan_back(store::Family::kCatalog, kPrefix, kEnd, visit));
    if (!outcome) return fail(std::move(outcome.error()));
    return events;
  }

  Result<uint64_t> verify() override {
    const uint64_t expected = end_.lock()->next - 1;
    uint64_t number = 0;
    std::string last_hash;
    bool broken = false;
    TRY(store_.scan(store::Family::kCatalog, kPrefix, kEnd, [&](std::string_view key, std::string_view sealed) {
      ++number;
      const auto opened = crypto::open_seal(key_, key, sealed);
      const auto decoded = opened ? decode(*opened) : fail(opened.error());
      broken = !decoded || key != key_of(number) || decoded->previous_hash != last_hash;
      last_hash = crypto::sha256(sealed);
      return !broken;
    }));
    if (broken || number < expected) {
      return fail(ErrorCode::SealBroken,
                  fmt::format("audit event {} was changed, removed or moved", broken ? number : number + 1),
                  "compare with a backup or an exported checkpoint");
    }
    return number;
  }

 private:
  void start_minute(End& end) {
    end.minute_us = clock_.monotonic_us();
    end.denials = 0;
    const uint64_t suppressed = std::exchange(end.suppressed, 0);
    if (suppressed == 0) return;
    append(end, {"system", "audit.suppressed", "", false, fmt::format("{} more denials in a minute", suppressed), 0});
  }

  void append(End& end, AuditEvent event) {
    event.time_us = clock_.now_us();
    for (std::string* text : {&event.who, &event.what, &event.target, &event.detail}) cut(*text);
    const std::string key = key_of(end.next);
    const std::string sealed = crypto::seal(key_, random_, key, encode(event, end.last_hash));
    store::WriteBatch batch;
    batch.put(store::Family::kCatalog, key, sealed);
    if (auto written = store_.write(std::move(batch), store::Durability::kBuffered); !written) {
      log_error("audit event could not be stored", {{"what", event.what}, {"error", written.error().to_string()}});
      return;
    }
    ++end.next;
    end.last_hash = crypto::sha256(sealed);
  }

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  Guarded<End> end_;
};

}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                           const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("audit"));
  auto audit = std::make_unique<StoredAudit>(store, std::move(key), random, clock);
  TRY(audit->load());
  return audit;
}

}  // namespace tidegate::security
