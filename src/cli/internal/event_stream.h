// Server-sent events (WHATWG HTML section 9.2.6): bytes in, events out.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::cli {

struct ServerEvent {
  std::string name = "message";
  std::string data;
};

class EventStreamParser {
 public:
  // One event; a server that sends more is not ours.
  static constexpr size_t kMaxEventBytes = 64U << 20;

  using OnEvent = std::function<bool(const ServerEvent&)>;
  // Calls `on_event` for each event that is complete, until it returns false (then so does this).
  // ProtocolViolation above kMaxEventBytes.
  [[nodiscard]] Result<bool> feed(std::string_view chunk, const OnEvent& on_event);

 private:
  [[nodiscard]] bool take_line(std::string_view line, const OnEvent& on_event);

  std::string line_;
  ServerEvent event_;
  bool has_data_ = false;
  bool after_return_ = false;  // the last byte was CR: an LF that follows belongs to it
};

}  // namespace tidegate::cli
