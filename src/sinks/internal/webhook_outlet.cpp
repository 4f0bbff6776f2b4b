#include "sinks/internal/webhook_outlet.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "codec/utf8.h"
#include "crypto/mac.h"
#include "sinks/internal/undelivered.h"

namespace tidegate::sinks {

WebhookVerdict webhook_verdict(int status) {
  if (status >= 200 && status < 300) return WebhookVerdict::kTaken;
  switch (status) {
    case 401:  // speak of the address or of who we are, not of the records
    case 403:
    case 404:
    case 405:
    case 407:
    case 410:
    case 408:  // ask for patience
    case 421:
    case 423:
    case 425:
    case 429:
    case 502:
    case 503:
    case 504: return WebhookVerdict::kAway;
    default: break;
  }
  if (status >= 500) return WebhookVerdict::kTroubled;
  return status >= 400 ? WebhookVerdict::kRefused : WebhookVerdict::kAway;
}

int64_t retry_after_us(std::string_view header, int64_t now_us) {
  int64_t seconds = 0;
  const auto read = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (read.ec == std::errc() && read.ptr == header.data() + header.size() && seconds >= 0) {
    constexpr int64_t kDay = 86'400;
    return std::min(seconds, kDay) * kMicrosPerSecond;
  }
  std::tm date{};
  const std::string text(header);
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return 0;
  return std::max<int64_t>(0, static_cast<int64_t>(::timegm(&date)) * kMicrosPerSecond - now_us);
}

std::string webhook_signature(std::string_view secret, std::string_view id, int64_t timestamp_s,
                              std::string_view body) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string key(secret);
  if (secret.starts_with(kPrefix)) {
    if (auto bytes = crypto::from_base64(secret.substr(kPrefix.size()))) key = std::move(*bytes);
  }
  return "v1," + crypto::base64(crypto::hmac_sha256(key, fmt::format("{}.{}.{}", id, timestamp_s, body)));
}

size_t WebhookOutlet::fitting_rows(const Delivery& delivery) {
  size_t rows = 0;
  std::string record;
  size_t bytes = 0;
  for (const Piece& piece : delivery.pieces) {
    for (size_t row = 0; row < piece.batch.value().rows; ++row) {
      record.clear();
      encoder_.append_row(piece.batch.value(), row, record);
      bytes += record.size() + settings_.stream.size() + 32;  // its "_id"
      if (rows > 0 && bytes > kMaxBodyBytes) return rows;
      ++rows;
    }
  }
  return rows;
}

std::string WebhookOutlet::body_of(const Delivery& delivery) const {
  std::string body = "{\"stream\":";
  codec::append_json_string(settings_.stream, body);
  body += fmt::format(",\"first\":{},\"last\":{},\"records\":[", delivery.first().value, delivery.last().value);
  for (const Piece& piece : delivery.pieces) {
    for (size_t row = 0; row < piece.batch.value().rows; ++row) {
      if (body.back() != '[') body += ',';
      append_identified_row(encoder_, settings_.stream, Offset{piece.first.value + static_cast<int64_t>(row)},
                            piece.batch.value(), row, body);
    }
  }
  return body + "]}";
}

// A quoted name of a table may hold anything; a header's value may not.
std::string WebhookOutlet::id_of(const Delivery& delivery) const {
  std::string name = settings_.stream;
  std::ranges::replace_if(name, [](char c) { return c <= 0x20 || c >= 0x7f || c == '"'; }, '-');
  return fmt::format("{}:{}-{}", name, delivery.first().value, delivery.last().value);
}

Result<egress::WebPost> WebhookOutlet::request(const Delivery& delivery) const {
  egress::WebPost post{.url = settings_.url, .body = body_of(delivery)};
  const std::string id = id_of(delivery);
  const int64_t now_s = clock_.now_us() / kMicrosPerSecond;
  post.headers = {{"Content-Type", "application/json"},
                  {"Idempotency-Key", fmt::format("\"{}\"", id)},
                  {"webhook-id", id},
                  {"webhook-timestamp", std::to_string(now_s)}};
  if (!settings_.secret.empty()) {
    TRY_ASSIGN(const std::string secret, read_secret_(settings_.secret));
    post.headers.emplace_back("webhook-signature", webhook_signature(secret, id, now_s, post.body));
  }
  if (!settings_.bearer.empty()) {
    TRY_ASSIGN(const std::string bearer, read_secret_(settings_.bearer));
    post.headers.emplace_back("Authorization", "Bearer " + bearer);
  }
  return post;
}

Delivered WebhookOutlet::deliver(const Delivery& delivery) {
  auto post = request(delivery);
  if (!post) return {.error = std::move(post.error())};
  auto client = line_.client();
  if (!client) return {.error = std::move(client.error())};
  auto answer = (*client)->post(*post);
  if (!answer) return {.error = std::move(answer.error())};
  return judge(*answer, delivery.rows());
}

Delivered WebhookOutlet::judge(const egress::WebAnswer& answer, size_t rows) {
  const WebhookVerdict verdict = webhook_verdict(answer.status);
  if (verdict != WebhookVerdict::kTroubled) troubled_since_us_ = 0;
  if (verdict == WebhookVerdict::kTaken) return {.rows = rows};
  Delivered out;
  const int64_t now_us = clock_.monotonic_us();
  if (verdict == WebhookVerdict::kTroubled && troubled_since_us_ == 0)
    troubled_since_us_ = std::max<int64_t>(now_us, 1);
  out.refused = verdict == WebhookVerdict::kRefused ||
                (verdict == WebhookVerdict::kTroubled && now_us - troubled_since_us_ >= kTroubleUs);
  out.retry_after_us = retry_after_us(answer.retry_after, clock_.now_us());
  const bool moved = answer.status >= 300 && answer.status < 400;
  std::string text = codec::valid_utf8(answer.text, 200);
  std::ranges::replace_if(text, [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
  out.error = Error{out.refused ? ErrorCode::RecordDoesNotFit : ErrorCode::ConnectionFailed,
                    fmt::format("{} answered with HTTP status {}{}{}", settings_.url.host, answer.status,
                                text.empty() ? "" : ": ", text),
                    moved ? "redirects are not followed; name the new address in 'url'" : "", std::nullopt};
  return out;
}

}  // namespace tidegate::sinks
