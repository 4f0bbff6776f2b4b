// A connection's bytes, cut at places that the input itself chooses.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "net/internal/http_request_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::net;
  if (size == 0) return 0;
  const size_t piece = 1 + data[0];
  std::string waiting;
  HttpRequestReader reader({.head_bytes = 4096, .body_bytes = 4096});
  for (size_t at = 1; at < size; at += piece) {
    waiting.append(reinterpret_cast<const char*>(data) + at, std::min(piece, size - at));
    size_t consumed = 0;
    const auto step = reader.feed(waiting, consumed);
    CHECK(consumed <= waiting.size());
    if (step == HttpRequestReader::Step::kFailed) return 0;
    waiting.erase(0, consumed);
    if (step != HttpRequestReader::Step::kComplete) continue;
    const auto request = reader.take();
    CHECK(request.path.starts_with('/'));
    return 0;
  }
  return 0;
}
