#include "base/logging.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace tidegate {
namespace {

std::atomic<LogLevel> g_least{LogLevel::kInfo};
std::atomic<LogFormat> g_format{LogFormat::kText};

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error"};

// JSON string escapes (RFC 8259, section 7); also used for text values, so that a line stays a line.
void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

void append_value(std::string& line, const LogField& field) {
  std::visit(
      [&line]<class T>(const T& value) {
        if constexpr (std::is_same_v<T, std::string_view>) {
          append_quoted(line, value);
        } else {
          line += fmt::format("{}", value);
        }
      },
      field.value);
}

std::string timestamp() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = static_cast<int>(now.time_since_epoch().count() % 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis);
}

std::string json_line(LogLevel level, std::string_view what, std::initializer_list<LogField> fields) {
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","what":)", timestamp(), kLevelNames[static_cast<size_t>(level)]);
  append_quoted(line, what);
  for (const LogField& field : fields) {
    line += ',';
    append_quoted(line, field.key);
    line += ':';
    append_value(line, field);
  }
  return line + "}\n";
}

std::string text_line(LogLevel level, std::string_view what, std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{} {:<5} {}", timestamp(), kLevelNames[static_cast<size_t>(level)], what);
  for (const LogField& field : fields) {
    line += fmt::format(" {}=", field.key);
    append_value(line, field);
  }
  return line + "\n";
}

}  // namespace

void configure_logging(LogLevel least, LogFormat format) {
  g_least = least;
  g_format = format;
}

void log_at(LogLevel level, std::string_view what, std::initializer_list<LogField> fields) {
  if (level < g_least.load(std::memory_order_relaxed)) return;
  const std::string line = g_format.load(std::memory_order_relaxed) == LogFormat::kJson
                               ? json_line(level, what, fields)
                               : text_line(level, what, fields);
  // One write call keeps lines of several threads whole; a log that cannot be written has nowhere to say so.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tidegate
