#include "cli/internal/event_stream.h"

#include <utility>

namespace tidegate::cli {

Result<bool> EventStreamParser::feed(std::string_view chunk, const OnEvent& on_event) {
  while (!chunk.empty()) {
    if (std::exchange(after_return_, false) && chunk.front() == '\n') {
      chunk.remove_prefix(1);
      continue;
    }
    const size_t end = chunk.find_first_of("\r\n");
    line_.append(chunk.substr(0, end));
    if (line_.size() + event_.data.size() > kMaxEventBytes) {
      return fail(ErrorCode::ProtocolViolation, "the server sent an event of more than 64 MB");
    }
    if (end == std::string_view::npos) return true;
    after_return_ = chunk[end] == '\r';
    chunk.remove_prefix(end + 1);
    const bool go_on = take_line(line_, on_event);
    line_.clear();
    if (!go_on) return false;
  }
  return true;
}

bool EventStreamParser::take_line(std::string_view line, const OnEvent& on_event) {
  if (line.empty()) {
    const ServerEvent complete = std::exchange(event_, {});
    return !std::exchange(has_data_, false) || on_event(complete);
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    event_.name = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  return true;  // comments (an empty field), id and retry are not needed here
}

}  // namespace tidegate::cli
