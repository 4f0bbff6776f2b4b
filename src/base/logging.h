// Structured logs: one line a message, a level, a name for what happened, and fields.
// No payload and no personal data is ever logged; ids and counts are.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace tidegate {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kText, kJson };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, int64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(static_cast<int64_t>(v)) {}
};

// Set once by main, before threads start.
void configure_logging(LogLevel least, LogFormat format);

// Writes to standard error, whole lines, from any thread.
void log_at(LogLevel level, std::string_view what, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view what, std::initializer_list<LogField> fields = {}) {
  log_at(LogLevel::kDebug, what, fields);
}
inline void log_info(std::string_view what, std::initializer_list<LogField> fields = {}) {
  log_at(LogLevel::kInfo, what, fields);
}
inline void log_warn(std::string_view what, std::initializer_list<LogField> fields = {}) {
  log_at(LogLevel::kWarn, what, fields);
}
inline void log_error(std::string_view what, std::initializer_list<LogField> fields = {}) {
  log_at(LogLevel::kError, what, fields);
}

}  // namespace tidegate
