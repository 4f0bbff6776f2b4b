#include "sinks/internal/sink_options.h"

#include <fmt/format.h>

#include <charconv>

#include "io/file.h"
#include "sql/duration.h"

namespace tidegate::sinks {

std::unexpected<Error> SinkOptions::wrong(std::string_view key, std::string_view what, std::string hint) const {
  return fail(ErrorCode::SqlInvalidOption, fmt::format("option '{}' of table '{}' {}", key, stream_.name, what),
              std::move(hint));
}

std::string SinkOptions::text(std::string_view key, std::string_view fallback) const {
  const auto found = stream_.options.find(std::string(key));
  return found == stream_.options.end() ? std::string(fallback) : found->second;
}

Result<std::string> SinkOptions::required(std::string_view key, std::string_view example) const {
  std::string value = text(key);
  if (value.empty()) return wrong(key, "is missing", fmt::format("Add '{}' = '{}'", key, example));
  return value;
}

Result<int64_t> SinkOptions::number(std::string_view key, int64_t fallback, int64_t least, int64_t most) const {
  const std::string value = text(key);
  if (value.empty()) return fallback;
  int64_t number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size() || number < least || number > most) {
    return wrong(key, fmt::format("cannot be '{}'", value), fmt::format("A number from {} to {}", least, most));
  }
  return number;
}

Result<int64_t> SinkOptions::duration_us(std::string_view key, int64_t fallback_us, int64_t least_us,
                                         int64_t most_us) const {
  const std::string value = text(key);
  if (value.empty()) return fallback_us;
  const auto duration_us = sql::parse_duration(value);
  if (!duration_us || *duration_us < least_us || *duration_us > most_us) {
    return wrong(key, fmt::format("cannot be '{}'", value),
                 fmt::format("A duration from {} to {} seconds, such as '10 s'", least_us / kMicrosPerSecond,
                             most_us / kMicrosPerSecond));
  }
  return *duration_us;
}

Result<egress::EgressUrl> SinkOptions::url(std::string_view key, std::string_view example, bool mail) const {
  TRY_ASSIGN(const std::string text, required(key, example));
  auto url = egress::parse_egress_url(text);
  if (!url) return wrong(key, fmt::format("cannot be used: {}", url.error().message), url.error().hint);
  if (url->is_mail() != mail) {
    return wrong(key, fmt::format("cannot begin with '{}:'", url->scheme), fmt::format("Write it like '{}'", example));
  }
  return url;
}

Result<std::string> SinkOptions::authority() const {
  const std::string file = text("ca.file");
  if (file.empty()) return std::string();
  auto pem = io::read_file(file);
  if (!pem || pem->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return wrong("ca.file", fmt::format("names '{}', which is no PEM file of certificates the server can read", file));
  }
  return pem;
}

}  // namespace tidegate::sinks
