#include "cli/internal/event_stream.h"

#include <cstdint>

#include "cli/internal/live_printer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::cli;
  EventStreamParser parser;
  LivePrinter printer(OutputFormat::kTable, 0);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = size / 2;
  for (const std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
    const auto more = parser.feed(piece, [&](const ServerEvent& event) {
      return printer.text_of(event).size() < SIZE_MAX && !printer.finished();
    });
    if (!more || !*more) break;
  }
  return 0;
}
