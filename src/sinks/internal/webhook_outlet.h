// WebhookOutlet: batches of records as signed HTTP POSTs (Standard Webhooks 1.0).
#pragma once

#include <memory>
#include <string>

#include "codec/json_encoder.h"
#include "egress/egress_client.h"
#include "io/clock.h"
#include "sinks/internal/egress_line.h"
#include "sinks/internal/outlet.h"

namespace tidegate::sinks {

struct WebhookSettings {
  std::string stream;
  columnar::SchemaPtr schema;
  egress::EgressUrl url;
  std::string secret;  // name of the signing secret; empty: not signed
  std::string bearer;  // name of the secret sent as "Authorization: Bearer"; empty: none
  size_t max_rows = 0;
  int max_attempts = 0;
};

// What the receiver's status means for the records.
enum class WebhookVerdict : uint8_t {
  kTaken,     // 2xx
  kAway,      // it, or the way to it, is not ready: any record would have fared so
  kRefused,   // it does not want what was sent
  kTroubled,  // 500 and its like: away or refused, nobody knows
};
[[nodiscard]] WebhookVerdict webhook_verdict(int status);

// Seconds or an HTTP date (RFC 9110 section 10.2.3) as a pause from `now_us` on; 0 when it is neither.
[[nodiscard]] int64_t retry_after_us(std::string_view header, int64_t now_us);

// "v1,<base64>" over "<id>.<timestamp>.<body>"; a secret "whsec_<base64>" stands for the bytes, any other for itself.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view id, int64_t timestamp_s,
                                            std::string_view body);

class WebhookOutlet final : public Outlet {
 public:
  // A request of this size passes the limits that servers and gateways come with. One record alone may be larger.
  static constexpr size_t kMaxBodyBytes = 1U << 20;
  // A receiver that answers 500 for so long may have met a record that it cannot take; before, it is taken to be down.
  static constexpr int64_t kTroubleUs = 3600 * kMicrosPerSecond;

  WebhookOutlet(WebhookSettings settings, EgressLine::Make make_client, ReadSecret read_secret, const io::Clock& clock)
      : settings_(std::move(settings)),
        encoder_(settings_.schema),
        line_(std::move(make_client)),
        read_secret_(std::move(read_secret)),
        clock_(clock) {}

  Result<> resume(std::string_view) override { return {}; }
  [[nodiscard]] size_t fitting_rows(const Delivery& delivery) override;
  Delivered deliver(const Delivery& delivery) override;
  [[nodiscard]] std::string mark() const override { return {}; }
  [[nodiscard]] RetryPolicy retry_policy() const override {
    return {500'000, 300 * kMicrosPerSecond, true, settings_.max_attempts};
  }
  [[nodiscard]] size_t max_rows() const override { return settings_.max_rows; }
  [[nodiscard]] bool keeps_deliveries_together() const override { return true; }
  [[nodiscard]] std::string target() const override { return settings_.url.text; }
  void cancel() override { line_.cancel(); }

 private:
  [[nodiscard]] std::string body_of(const Delivery& delivery) const;
  [[nodiscard]] std::string id_of(const Delivery& delivery) const;
  [[nodiscard]] Result<egress::WebPost> request(const Delivery& delivery) const;
  Delivered judge(const egress::WebAnswer& answer, size_t rows);

  WebhookSettings settings_;
  codec::JsonEncoder encoder_;
  EgressLine line_;
  ReadSecret read_secret_;
  const io::Clock& clock_;
  int64_t troubled_since_us_ = 0;  // monotonic; 0: it was not
};

}  // namespace tidegate::sinks
