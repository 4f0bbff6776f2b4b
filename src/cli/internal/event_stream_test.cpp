#include "cli/internal/event_stream.h"

#include <doctest/doctest.h>

#include <vector>

namespace tidegate::cli {
namespace {

std::vector<std::string> events_of(std::string_view text, size_t piece) {
  EventStreamParser parser;
  std::vector<std::string> found;
  for (size_t at = 0; at < text.size(); at += piece) {
    const auto more = parser.feed(text.substr(at, piece), [&](const ServerEvent& event) {
      found.push_back(event.name + "|" + event.data);
      return true;
    });
    REQUIRE(more.has_value());
  }
  return found;
}

TEST_CASE("events are the same however the bytes are cut") {
  constexpr std::string_view kText =
      ": heartbeat\n\nevent: schema\ndata: {}\n\ndata: one\ndata:two\nid: 7\n\r\n"
      "event: rows\r\ndata: [1]\r\n\r\nevent: empty\n\ndata\n\nevent: unfinished\ndata: x\n";
  const std::vector<std::string> expected{"schema|{}", "message|one\ntwo", "rows|[1]", "message|"};
  for (const size_t piece : {1, 2, 3, 7, 1000}) CHECK(events_of(kText, piece) == expected);
}

TEST_CASE("the reader may stop") {
  EventStreamParser parser;
  int seen = 0;
  const auto more = parser.feed("data: 1\n\ndata: 2\n\n", [&](const ServerEvent&) { return ++seen < 1; });
  CHECK(more == false);
  CHECK(seen == 1);
}

TEST_CASE("an endless event is refused") {
  EventStreamParser parser;
  const std::string piece(1U << 20, 'x');
  Result<bool> outcome = true;
  for (int count = 0; outcome && count < 100; ++count) {
    outcome = parser.feed(piece, [](const ServerEvent&) { return true; });
  }
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == ErrorCode::ProtocolViolation);
}

}  // namespace
}  // namespace tidegate::cli
