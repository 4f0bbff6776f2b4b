#include "sinks/internal/email_outlet.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "codec/utf8.h"
#include "sinks/internal/mail_message.h"

namespace tidegate::sinks {

namespace {

constexpr int64_t kHourUs = 3600 * kMicrosPerSecond;

}  // namespace

void MailRate::restore(double saved, int64_t at_us) {
  saved_ = std::clamp(saved, 0.0, per_hour_);
  at_us_ = at_us;
}

double MailRate::saved_at(int64_t now_us) const {
  if (at_us_ == 0) return saved_;
  const double hours = static_cast<double>(std::max<int64_t>(0, now_us - at_us_)) / static_cast<double>(kHourUs);
  return std::min(per_hour_, saved_ + hours * per_hour_);
}

int64_t MailRate::next_us(int64_t now_us) const {
  const double missing = 1.0 - saved_at(now_us);
  if (missing <= 0) return now_us;
  // A microsecond more, so that rounding does not leave it a hair short.
  const auto wait_us = static_cast<int64_t>(missing / per_hour_ * static_cast<double>(kHourUs)) + 1;
  return now_us + std::min(wait_us, kHourUs);
}

void MailRate::take(int64_t now_us) {
  saved_ = std::max(0.0, saved_at(now_us) - 1);
  at_us_ = now_us;
}

// docs/formats/sink_position.md: the time of the last mail, and what of the rate was saved up then.
Result<> EmailOutlet::resume(std::string_view mark) {
  if (mark.empty()) return {};
  ByteReader reader(mark);
  const auto at_us = reader.fixed<int64_t>();
  const double saved = std::bit_cast<double>(reader.fixed<uint64_t>());
  if (!reader.finished() || !(saved >= 0)) return fail(ErrorCode::FormatUnknown, "the sink's mark cannot be read");
  rate_.restore(saved, at_us);
  return {};
}

std::string EmailOutlet::mark() const {
  if (rate_.at_us() == 0) return {};
  std::string out;
  ByteWriter writer(out);
  writer.fixed(rate_.at_us());
  writer.fixed(std::bit_cast<uint64_t>(rate_.saved()));
  return out;
}

size_t EmailOutlet::max_rows() const {
  if (settings_.digest_us > 0) return kMaxRows;
  return rate_.saved_at(clock_.now_us()) >= 2 ? 1 : kMaxRows;
}

int64_t EmailOutlet::not_before_us() const {
  const int64_t now_us = clock_.now_us();
  int64_t due_us = rate_.next_us(now_us);
  // A clock that was set back does not make a digest later than its interval.
  if (settings_.digest_us > 0 && rate_.at_us() != 0) {
    due_us = std::max(due_us, std::min(rate_.at_us(), now_us) + settings_.digest_us);
  }
  return due_us <= now_us ? 0 : due_us;
}

size_t EmailOutlet::fitting_rows(const Delivery& delivery) {
  size_t rows = 0;
  std::string body;
  for (const Piece& piece : delivery.pieces) {
    for (size_t row = 0; row < piece.batch.value().rows; ++row) {
      append_record(piece.batch.value(), row, body);
      if (rows > 0 && body.size() > kMaxBodyBytes) return rows;
      ++rows;
    }
  }
  return rows;
}

void EmailOutlet::append_record(const columnar::Batch& batch, size_t row, std::string& out) const {
  if (settings_.body) {
    settings_.body->append(batch, row, out, nullptr);
    out += '\n';
    return;
  }
  for (size_t at = 0; at < batch.columns.size(); ++at) {
    out += settings_.schema->fields[at].name + ": ";
    append_plain_value(*batch.columns[at], row, out);
    out += '\n';
  }
}

Result<egress::Mail> EmailOutlet::mail_of(const Delivery& delivery) const {
  const size_t rows = delivery.rows();
  const columnar::Batch& first = delivery.pieces.front().batch.value();
  MailText text{.from = settings_.from, .to = settings_.to, .subject = {}, .body = {}, .message_id = {}};
  if (settings_.subject) settings_.subject->append(first, 0, text.subject, nullptr);
  if (!settings_.subject) text.subject = fmt::format("{}: a record", settings_.stream);
  if (rows > 1) text.subject = fmt::format("{} (and {} more)", text.subject, rows - 1);
  for (const Piece& piece : delivery.pieces) {
    for (size_t row = 0; row < piece.batch.value().rows; ++row) {
      if (!text.body.empty()) text.body += '\n';
      append_record(piece.batch.value(), row, text.body);
    }
  }
  text.body = codec::valid_utf8(text.body, 2 * kMaxBodyBytes);
  text.date_us = clock_.now_us();
  text.message_id = fmt::format("tidegate.{}.{}-{}@{}", message_id_part(settings_.stream), delivery.first().value,
                                delivery.last().value, settings_.from.substr(settings_.from.rfind('@') + 1));
  egress::Mail mail{.url = settings_.url, .user = settings_.user, .from = settings_.from, .to = settings_.to};
  mail.message = mail_message(text);
  if (!settings_.secret.empty()) {
    TRY_ASSIGN(mail.password, read_secret_(settings_.secret));
  }
  return mail;
}

Delivered EmailOutlet::deliver(const Delivery& delivery) {
  auto mail = mail_of(delivery);
  if (!mail) return {.error = std::move(mail.error())};
  auto client = line_.client();
  if (!client) return {.error = std::move(client.error())};
  auto answer = (*client)->send(*mail);
  if (!answer) return {.error = std::move(answer.error())};
  if (answer->taken) {
    rate_.take(clock_.now_us());
    return {.rows = delivery.rows()};
  }
  constexpr int kPermanent = 500;  // RFC 5321, section 4.2.1
  Delivered out;
  out.refused = answer->of_message && answer->status >= kPermanent;
  std::string text = codec::valid_utf8(answer->text, 200);
  std::ranges::replace_if(text, [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
  out.error = Error{out.refused ? ErrorCode::RecordDoesNotFit : ErrorCode::ConnectionFailed,
                    fmt::format("the mail server {} answered: {}", settings_.url.host, text), "", std::nullopt};
  return out;
}

}  // namespace tidegate::sinks
