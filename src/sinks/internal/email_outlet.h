// EmailOutlet: records as mails, one each or several in a digest, at a bounded rate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "egress/egress_client.h"
#include "io/clock.h"
#include "sinks/internal/egress_line.h"
#include "sinks/internal/outlet.h"
#include "sinks/internal/row_template.h"

namespace tidegate::sinks {

struct EmailSettings {
  std::string stream;
  columnar::SchemaPtr schema;
  egress::EgressUrl url;
  std::string user;
  std::string secret;  // name of the secret with the user's password
  std::string from;
  std::vector<std::string> to;
  std::optional<RowTemplate> subject;
  std::optional<RowTemplate> body;
  int64_t digest_us = 0;  // 0: one mail a record
  int max_per_hour = 0;
  int max_attempts = 0;
};

// How many mails may go out now: `per_hour` saved up, refilled evenly. Times are of the wall clock, so that the
// rate holds over restarts.
class MailRate {
 public:
  explicit MailRate(int per_hour) : per_hour_(per_hour), saved_(per_hour) {}
  void restore(double saved, int64_t at_us);
  [[nodiscard]] double saved_at(int64_t now_us) const;
  // When one may go out; at most an hour from now, also when the clock was set back.
  [[nodiscard]] int64_t next_us(int64_t now_us) const;
  void take(int64_t now_us);
  [[nodiscard]] double saved() const { return saved_; }
  [[nodiscard]] int64_t at_us() const { return at_us_; }

 private:
  double per_hour_;
  double saved_;
  int64_t at_us_ = 0;
};

class EmailOutlet final : public Outlet {
 public:
  static constexpr size_t kMaxRows = 1000;           // of a digest; a person reads no more
  static constexpr size_t kMaxBodyBytes = 1U << 20;  // mail servers take 10 MB and more
  static constexpr size_t kMaxRecipients = 50;       // RFC 5321 lets a server stop at 100

  EmailOutlet(EmailSettings settings, EgressLine::Make make_client, ReadSecret read_secret, const io::Clock& clock)
      : settings_(std::move(settings)),
        line_(std::move(make_client)),
        read_secret_(std::move(read_secret)),
        clock_(clock),
        rate_(settings_.max_per_hour) {}

  Result<> resume(std::string_view mark) override;
  [[nodiscard]] size_t fitting_rows(const Delivery& delivery) override;
  Delivered deliver(const Delivery& delivery) override;
  [[nodiscard]] std::string mark() const override;
  [[nodiscard]] RetryPolicy retry_policy() const override {
    return {2'000'000, 300 * kMicrosPerSecond, true, settings_.max_attempts};
  }
  // One, while mails are saved up; what comes faster than the rate allows shares the last one.
  [[nodiscard]] size_t max_rows() const override;
  [[nodiscard]] int64_t not_before_us() const override;
  [[nodiscard]] bool keeps_deliveries_together() const override { return true; }
  [[nodiscard]] std::string target() const override { return settings_.url.text; }
  void cancel() override { line_.cancel(); }

 private:
  [[nodiscard]] Result<egress::Mail> mail_of(const Delivery& delivery) const;
  void append_record(const columnar::Batch& batch, size_t row, std::string& out) const;

  EmailSettings settings_;
  EgressLine line_;
  ReadSecret read_secret_;
  const io::Clock& clock_;
  MailRate rate_;
};

}  // namespace tidegate::sinks
