#include "sinks/internal/make_outlet.h"

#include <fmt/format.h>

#include "catalog/remote_connectors.h"

#include "sinks/internal/email_outlet.h"
#include "sinks/internal/mail_message.h"
#include "sinks/internal/sink_options.h"
#include "sinks/internal/webhook_outlet.h"

namespace tidegate::sinks {

namespace {

constexpr int64_t kMaxBatchRows = 1000;
constexpr int64_t kMaxAttempts = 100;
constexpr int64_t kLongestTimeoutUs = 120 * kMicrosPerSecond;
constexpr std::string_view kMailExample = "smtps://mail.example.org";
constexpr std::string_view kUrlExample = "https://hooks.example.org/alarms";

Result<egress::EgressOptions> egress_options(const SinkOptions& table, const SinkRunner::Options& options) {
  egress::EgressOptions out;
  out.rules = options.rules;
  TRY_ASSIGN(out.ca_pem, table.authority());
  TRY_ASSIGN(const int64_t timeout_us,
             table.duration_us("timeout", 10 * kMicrosPerSecond, kMicrosPerSecond, kLongestTimeoutUs));
  out.answer_timeout_ms = static_cast<int>(timeout_us / kMicrosPerMilli);
  out.connect_timeout_ms = std::min(out.connect_timeout_ms, out.answer_timeout_ms);
  return out;
}

EgressLine::Make client_maker(const catalog::StreamDefinition& stream, const SinkRunner::Options& options) {
  return [stream, &options]() -> Result<std::unique_ptr<egress::EgressClient>> {
    TRY_ASSIGN(egress::EgressOptions egress, egress_options(SinkOptions(stream), options));
    return options.make_client(std::move(egress));
  };
}

Result<std::unique_ptr<Outlet>> make_webhook_outlet(const catalog::StreamDefinition& stream,
                                                    const SinkRunner::Options& options, const io::Clock& clock) {
  const SinkOptions table(stream);
  WebhookSettings settings{.stream = stream.name, .schema = stream.schema, .url = {}, .secret = {}, .bearer = {}};
  TRY_ASSIGN(settings.url, table.url("url", kUrlExample, false));
  settings.secret = table.text("secret");
  settings.bearer = table.text("bearer.secret");
  TRY_ASSIGN(const int64_t rows, table.number("batch.rows", 100, 1, kMaxBatchRows));
  TRY_ASSIGN(const int64_t attempts, table.number("max_attempts", 5, 1, kMaxAttempts));
  settings.max_rows = static_cast<size_t>(rows);
  settings.max_attempts = static_cast<int>(attempts);
  return std::make_unique<WebhookOutlet>(std::move(settings), client_maker(stream, options), options.read_secret,
                                         clock);
}

// "a@example.org, b@example.org".
Result<std::vector<std::string>> addresses(const SinkOptions& table, std::string_view key, size_t most) {
  TRY_ASSIGN(const std::string text, table.required(key, "duty@example.org"));
  std::vector<std::string> out;
  std::string_view rest = text;
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!is_mail_address(one)) return table.wrong(key, "is not an address", "Write it like 'duty@example.org'");
    out.emplace_back(one);
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  if (out.size() > most) return table.wrong(key, fmt::format("has more than {} addresses", most));
  return out;
}

Result<std::optional<RowTemplate>> text_template(const SinkOptions& table, std::string_view key,
                                                 const columnar::Schema& schema) {
  const std::string text = table.text(key);
  if (text.empty()) return std::nullopt;
  auto parsed = RowTemplate::parse(text, schema);
  if (!parsed) return table.wrong(key, fmt::format("cannot be used: {}", parsed.error().message), parsed.error().hint);
  return std::optional(std::move(*parsed));
}

Result<std::unique_ptr<Outlet>> make_email_outlet(const catalog::StreamDefinition& stream,
                                                  const SinkRunner::Options& options, const io::Clock& clock) {
  constexpr int64_t kLongestDigestUs = 24 * 3600 * kMicrosPerSecond;
  constexpr int64_t kMaxPerHour = 3600;
  const SinkOptions table(stream);
  EmailSettings settings{.stream = stream.name,
                         .schema = stream.schema,
                         .url = {},
                         .user = {},
                         .secret = {},
                         .from = {},
                         .to = {},
                         .subject = {},
                         .body = {}};
  TRY_ASSIGN(settings.url, table.url("url", kMailExample, true));
  settings.user = table.text("user");
  settings.secret = table.text("secret");
  if (settings.user.empty() != settings.secret.empty()) {
    return table.wrong(settings.user.empty() ? "user" : "secret", "is missing",
                       "'user' and 'secret' (the password's name) go together");
  }
  TRY_ASSIGN(const auto from, addresses(table, "from", 1));
  settings.from = from.front();
  TRY_ASSIGN(settings.to, addresses(table, "to", EmailOutlet::kMaxRecipients));
  TRY_ASSIGN(settings.subject, text_template(table, "subject", *stream.schema));
  TRY_ASSIGN(settings.body, text_template(table, "body", *stream.schema));
  TRY_ASSIGN(settings.digest_us, table.duration_us("digest", 0, kMicrosPerSecond, kLongestDigestUs));
  TRY_ASSIGN(const int64_t per_hour, table.number("max_per_hour", 60, 1, kMaxPerHour));
  TRY_ASSIGN(const int64_t attempts, table.number("max_attempts", 5, 1, kMaxAttempts));
  settings.max_per_hour = static_cast<int>(per_hour);
  settings.max_attempts = static_cast<int>(attempts);
  return std::make_unique<EmailOutlet>(std::move(settings), client_maker(stream, options), options.read_secret, clock);
}

}  // namespace

Result<std::unique_ptr<Outlet>> make_outlet(const catalog::StreamDefinition& stream, const SinkRunner::Options& options,
                                            const io::Clock& clock) {
  switch (stream.connector) {
    case catalog::Connector::kFile: return make_file_outlet(stream, options.folders);
    case catalog::Connector::kMqtt: return make_mqtt_outlet(stream, options.publish);
    case catalog::Connector::kStream: break;
  }
  if (stream.connector == catalog::kWebhookConnector) return make_webhook_outlet(stream, options, clock);
  if (stream.connector == catalog::kEmailConnector) return make_email_outlet(stream, options, clock);
  return fail(ErrorCode::SqlInvalidOption, fmt::format("table '{}' is no sink", stream.name));
}

Result<> check_target(const catalog::StreamDefinition& stream, const SinkRunner::Options& options) {
  if (!catalog::is_remote(stream.connector)) return {};
  const SinkOptions table(stream);
  const bool mail = stream.connector == catalog::kEmailConnector;
  TRY_ASSIGN(const egress::EgressUrl url, table.url("url", mail ? kMailExample : kUrlExample, mail));
  TRY(options.rules.check_host(url.host, url.port));
  TRY(egress_options(table, options));
  for (const std::string_view key : {"secret", "bearer.secret"}) {
    if (const std::string name = table.text(key); !name.empty()) TRY(options.read_secret(name));
  }
  return {};
}

}  // namespace tidegate::sinks
